# SPDX-License-Identifier: MIT
"""DaemonSets, whose pods nobody can have ready on nodes that are down or being emptied. Pure."""

import math
from dataclasses import replace
from typing import Final

from kit_deployer.health.limits import Limits
from kit_deployer.health.model import NODE, POD, Snapshot, Status
from kit_deployer.health.pods import condition, counts, is_ready
from kit_deployer.objects import Json, Key, annotations_of, at, labels_of

_GENERATION: Final = "deprecated.daemonset.template.generation"


def daemon_set(body: Json, snapshot: Snapshot, _limits: Limits) -> Status:
    """Done: observed, updated on every node, and unavailable on no more than `maxUnavailable` of them, never on all.

    Pods on nodes that are not ready or cordoned are left out: nothing can be done about them there.
    """
    status = body.get("status") or {}
    wanted = _count(status, "desiredNumberScheduled")
    generation = annotations_of(body).get(_GENERATION)
    present = [pod for pod in snapshot.owned(body, POD) if not pod["metadata"].get("deletionTimestamp")]
    lame = [pod for pod in present if _is_lame(pod, snapshot)]
    new = [pod for pod in present if labels_of(pod).get("pod-template-generation") in {generation, None}]
    pods = tuple(pod for pod in new if counts(pod) and not _is_lame(pod, snapshot))
    if _count(status, "observedGeneration") < (body["metadata"].get("generation") or 0):
        return Status(False, "the controller has not seen the change yet")
    waiting = Status(False, pods=pods, creator=body, wanted=wanted)
    # What the controller counts is right where every node is; where one is not, its pods are taken out of the count,
    # unless the controller has done so: those on nodes that its pods do not tolerate it counts as misscheduled.
    updated, available = _count(status, "updatedNumberScheduled"), _count(status, "numberAvailable")
    counted = max(0, len(lame) - _count(status, "numberMisscheduled"))
    excused_old = min(counted, sum(1 for pod in lame if pod not in new))
    excused_down = min(counted, sum(1 for pod in lame if not is_ready(pod)))
    if at(body, "spec", "updateStrategy", "type") != "OnDelete" and updated < wanted - excused_old:
        return replace(waiting, awaited=f"updated on {updated} of {wanted} nodes")
    possible = wanted - excused_down
    if available < possible - min(_tolerated(body, wanted), max(0, possible - 1)):
        return replace(waiting, awaited=f"available on {available} of {wanted} nodes")
    return Status(True, f"available on {available} of {wanted} nodes")


def _tolerated(body: Json, wanted: int) -> int:
    """How many pods may be unavailable, by the update strategy."""
    rolling = at(body, "spec", "updateStrategy", "rollingUpdate") or {}
    value = rolling.get("maxUnavailable", 1)
    if isinstance(value, str):
        value = math.ceil(int(value.removesuffix("%")) * wanted / 100) if value.endswith("%") else 0
    return max(0, int(value))


def _is_lame(pod: Json, snapshot: Snapshot) -> bool:
    """Whether the pod's node is known to be not ready or cordoned."""
    name = at(pod, "spec", "nodeName") or _aim(pod)
    node = snapshot.objects.get(Key(NODE.group, NODE.kind, "", name)) if name else None
    return node is not None and (bool(at(node, "spec", "unschedulable")) or condition(node, "Ready") != "True")


def _aim(pod: Json) -> str | None:
    """The node that a pod was made for, by the affinity that the controller gives it."""
    required = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    for term in at(pod, *required, "nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return None


def _count(status: Json, name: str) -> int:
    value = status.get(name)
    return value if isinstance(value, int) else 0
