# SPDX-License-Identifier: MIT
"""The kinds that run no pods and yet take a while: claims, definitions, load balancers. Pure."""

from typing import Final

from kit_deployer.health.limits import Limits
from kit_deployer.health.model import STORAGE_CLASS, Cause, Snapshot, Status
from kit_deployer.health.pods import condition, condition_of
from kit_deployer.health.workloads import Check
from kit_deployer.objects import GroupKind, Json, Key, annotations_of, at

_CHOSEN: Final = "volume.kubernetes.io/selected-node"
_PATIENT: Final = frozenset({"WaitForFirstConsumer", "WaitForPodScheduled"})


def claim(body: Json, snapshot: Snapshot, limits: Limits) -> Status:
    """Done: Bound, or waiting for the first pod that uses it. Failed for good: Lost."""
    phase = at(body, "status", "phase") or "Pending"
    if phase == "Bound":
        return Status(True, "bound")
    if phase == "Lost":
        return Status(False, "lost", Cause("Lost", "its volume is gone", limits.at_once))
    events = snapshot.about(body)
    if _waits_for_a_pod(body, snapshot):
        return Status(True, "waiting for the first pod that uses it")
    return Status(False, f"not bound yet: {events[-1]}" if events else "not bound yet")


def _waits_for_a_pod(body: Json, snapshot: Snapshot) -> bool:
    """Whether the volume is made only when a pod has got its node: by the storage class, or by what events tell."""
    if annotations_of(body).get(_CHOSEN):
        return False
    name = at(body, "spec", "storageClassName")
    found = snapshot.objects.get(Key(STORAGE_CLASS.group, STORAGE_CLASS.kind, "", name)) if name else None
    if found is not None:
        return bool(found.get("volumeBindingMode") == "WaitForFirstConsumer")
    events = snapshot.about(body)
    return bool(events) and events[-1].reason in _PATIENT


def definition(body: Json, _snapshot: Snapshot, limits: Limits) -> Status:
    """Done: Established. Failed for good: its names are taken."""
    if condition(body, "Established") == "True":
        return Status(True, "established")
    names = condition_of(body, "NamesAccepted") or {}
    if names.get("status") == "False" and names.get("message"):
        return Status(False, "refused", Cause(names.get("reason") or "NamesAccepted", names["message"], limits.at_once))
    return Status(False, "not established yet")


def service(body: Json, snapshot: Snapshot, _limits: Limits) -> Status:
    """Done: it is there; a load balancer also has its address."""
    if at(body, "spec", "type") != "LoadBalancer" or at(body, "status", "loadBalancer", "ingress"):
        return Status(True, "there")
    events = snapshot.about(body)
    return Status(False, "its load balancer has no address yet" + (f": {events[-1]}" if events else ""))


CLAIM: Final = GroupKind("", "PersistentVolumeClaim")
CHECKS: Final[dict[GroupKind, Check]] = {
    CLAIM: claim,
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    GroupKind("", "Service"): service,
}
