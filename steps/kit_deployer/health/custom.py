# SPDX-License-Identifier: MIT
"""Kinds that Kubernetes does not know itself: their controllers say how they are, in conditions of a few known names.

`Ready`, `Reconciling` and `Stalled` are what kstatus made of them, and what most controllers write. Pure.
"""

from typing import Final

from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Cause, Snapshot, Status
from kit_deployer.health.pods import condition_of
from kit_deployer.objects import GroupKind, Json, at

_KUBERNETES_OWN: Final = frozenset(
    {
        *("", "apps", "autoscaling", "batch", "extensions", "policy"),
        *(
            f"{name}.k8s.io"
            for name in (
                *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization"),
                *("certificates", "coordination", "discovery", "events", "flowcontrol.apiserver", "networking", "node"),
                *("rbac.authorization", "resource", "scheduling", "storage", "storagemigration"),
            )
        ),
    }
)


def is_custom(kind: GroupKind) -> bool:
    """Whether a kind is none of Kubernetes' own."""
    return kind.group not in _KUBERNETES_OWN


def custom(body: Json, _snapshot: Snapshot, limits: Limits) -> Status:
    """Done: observed, Ready, neither Reconciling nor Stalled; or without any of these conditions."""
    if not observed(body):
        return Status(False, "its controller has not seen the change yet")
    stalled, reconciling, ready = (condition_of(body, name) or {} for name in ("Stalled", "Reconciling", "Ready"))
    if stalled.get("status") == "True":
        reason, message = stalled.get("reason") or "Stalled", stalled.get("message") or "its controller has given up"
        names = frozenset({"Stalled", reason})
        return Status(False, "stalled", Cause(reason, message, limits.at_once, names=names))
    if reconciling.get("status") == "True":
        return Status(False, _told("it is being reconciled", reconciling))
    if not ready:
        return Status(True, "there", silent=not (stalled or reconciling))
    if ready.get("status") != "True" or _older(ready, body):
        return Status(False, _told("it is not Ready", ready))
    return Status(True, "ready")


def observed(body: Json) -> bool:
    """Whether the controller has seen the object as it is now, as far as it says what it has seen."""
    seen = at(body, "status", "observedGeneration")
    return not isinstance(seen, int) or seen >= (body["metadata"].get("generation") or 0)


def _older(condition: Json, body: Json) -> bool:
    seen = condition.get("observedGeneration")
    return isinstance(seen, int) and seen < (body["metadata"].get("generation") or 0)


def _told(what: str, condition: Json) -> str:
    return ": ".join(text for text in (what, condition.get("reason"), condition.get("message")) if text)
