# SPDX-License-Identifier: MIT
"""The kinds that run pods: when each is done, when it has failed for good, and which pods are the new ones. Pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from kit_deployer.health.daemons import daemon_set
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import (
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    POD,
    REPLICA_SET,
    STATEFUL_SET,
    Cause,
    Snapshot,
    Status,
)
from kit_deployer.health.pods import condition, condition_of, counts, is_ready
from kit_deployer.objects import GroupKind, Json, annotations_of, at, labels_of

_REVISION: Final = "deployment.kubernetes.io/revision"

Check = Callable[[Json, Snapshot, Limits], Status]


def deployment(body: Json, snapshot: Snapshot, limits: Limits) -> Status:
    """Done: observed, updated = available = wanted, no old pods left, and the controller says so."""
    wanted = _count(body, "spec", "replicas", default=1)
    replica_set = new_replica_set(body, snapshot)
    pods = _pods(replica_set, snapshot) if replica_set else ()
    waiting = Status(False, pods=pods, creator=replica_set, wanted=wanted, every=True)
    if not _observed(body):
        return Status(False, "the controller has not seen the change yet")
    updated = _count(body, "status", "updatedReplicas")
    total = _count(body, "status", "replicas")
    available = _count(body, "status", "availableReplicas")
    progressing = condition_of(body, "Progressing") or {}
    failure = None
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        failure = _final("ProgressDeadlineExceeded", progressing.get("message") or "", limits)
    if updated < wanted:
        awaited = f"{updated} of {wanted} pods updated"
        if at(body, "spec", "paused"):
            failure = _final("Paused", "spec.paused is true, so nothing is rolled out", limits)
    elif total > updated:
        awaited = f"{_pods_word(total - updated)} of the previous version still to go"
    elif available < wanted:
        awaited = f"{available} of {wanted} pods available"
    elif progressing and progressing.get("reason") != "NewReplicaSetAvailable" and not at(body, "spec", "paused"):
        awaited = "the controller has not finished the rollout"
    else:
        return Status(True, f"{_pods_word(wanted)} available")
    return replace(waiting, awaited=awaited, failure=failure)


def new_replica_set(body: Json, snapshot: Snapshot) -> Json | None:
    """The ReplicaSet of a Deployment's current revision; by owner, never by name."""
    owned = snapshot.owned(body, REPLICA_SET)
    revision = annotations_of(body).get(_REVISION)
    for replica_set in owned:
        if revision is not None and annotations_of(replica_set).get(_REVISION) == revision:
            return replica_set
    return None


def stateful_set(body: Json, snapshot: Snapshot, _limits: Limits) -> Status:
    """Done: observed, everything above the partition updated, all available; with OnDelete only available."""
    wanted = _count(body, "spec", "replicas", default=1)
    revision = at(body, "status", "updateRevision")
    pods = tuple(
        pod for pod in _pods(body, snapshot) if labels_of(pod).get("controller-revision-hash") in {revision, None}
    )
    waiting = Status(False, pods=pods, creator=body, wanted=wanted)
    if not _observed(body):
        return Status(False, "the controller has not seen the change yet")
    ready = _count(body, "status", "readyReplicas")
    available = _count(body, "status", "availableReplicas", default=ready)
    if at(body, "spec", "updateStrategy", "type") != "OnDelete":
        partition = _count(body, "spec", "updateStrategy", "rollingUpdate", "partition")
        to_update = max(0, wanted - partition)
        updated = _count(body, "status", "updatedReplicas")
        if updated < to_update:
            blocked = _blocked(body, revision, snapshot)
            return replace(waiting, awaited=f"{updated} of {to_update} pods updated{blocked}")
        if not partition and at(body, "status", "currentRevision") != revision and wanted:
            return replace(waiting, awaited="the controller has not finished the rollout")
    if available < wanted or _count(body, "status", "replicas") > wanted:
        return replace(waiting, awaited=f"{available} of {wanted} pods available")
    return Status(True, f"{_pods_word(wanted)} available")


def _blocked(body: Json, revision: str | None, snapshot: Snapshot) -> str:
    """Kubernetes replaces no pod while another is not ready: one that never will be keeps the update from beginning."""
    if at(body, "spec", "podManagementPolicy") == "Parallel":
        return ""
    for pod in _pods(body, snapshot):
        if labels_of(pod).get("controller-revision-hash") != revision and not is_ready(pod):
            name = pod["metadata"]["name"]
            return f"; pod {name} of the previous version blocks the update until it is ready or deleted"
    return ""


def job(body: Json, snapshot: Snapshot, limits: Limits) -> Status:
    """Done: Complete (or suspended: then nothing is to be waited for). Failed for good: Failed."""
    if condition(body, "Complete") == "True":
        return Status(True, "completed")
    if at(body, "spec", "suspend"):
        return Status(True, "suspended")
    pods = _pods(body, snapshot)
    for name in ("Failed", "FailureTarget"):
        found = condition_of(body, name)
        if found and found.get("status") == "True":
            failed = tuple(snapshot.owned(body, POD))
            cause = _final(found.get("reason") or "Failed", found.get("message") or "", limits)
            return Status(False, "failed", cause, pods=failed, creator=body)
    active, succeeded = _count(body, "status", "active"), _count(body, "status", "succeeded")
    wanted = _count(body, "spec", "completions", default=1)
    awaited = f"{succeeded} of {wanted} completed" if wanted > 1 else "running" if active else "not started yet"
    # How often its containers may end is the Job's own affair.
    restarts = _count(body, "spec", "backoffLimit", default=6)
    return Status(False, awaited, pods=pods, creator=body, wanted=min(wanted, 1), restarts=restarts)


def pod(body: Json, _snapshot: Snapshot, limits: Limits) -> Status:
    """Done: Ready, or Succeeded. Failed for good: Failed."""
    phase = at(body, "status", "phase")
    if phase == "Succeeded" or is_ready(body):
        return Status(True, phase.lower() if phase else "ready")
    if phase == "Failed":
        reason, message = at(body, "status", "reason"), at(body, "status", "message")
        return Status(False, "failed", _final(reason or "Failed", message or "the pod failed", limits), pods=(body,))
    return Status(False, (phase or "pending").lower(), pods=(body,), wanted=1)


def replica_set(body: Json, snapshot: Snapshot, _limits: Limits) -> Status:
    """Done: observed and all available (ReplicaSets and ReplicationControllers that no Deployment owns)."""
    wanted = _count(body, "spec", "replicas", default=1)
    available = _count(body, "status", "availableReplicas")
    if _observed(body) and available >= wanted and _count(body, "status", "replicas") == wanted:
        return Status(True, f"{_pods_word(wanted)} available")
    pods = _pods(body, snapshot)
    return Status(False, f"{available} of {wanted} pods available", pods=pods, creator=body, wanted=wanted)


CHECKS: Final[dict[GroupKind, Check]] = {
    DEPLOYMENT: deployment,
    STATEFUL_SET: stateful_set,
    DAEMON_SET: daemon_set,
    JOB: job,
    POD: pod,
    REPLICA_SET: replica_set,
    GroupKind("", "ReplicationController"): replica_set,
}


def _pods(owner: Json, snapshot: Snapshot) -> tuple[Json, ...]:
    return tuple(item for item in snapshot.owned(owner, POD) if counts(item))


def _observed(body: Json) -> bool:
    return _count(body, "status", "observedGeneration") >= _count(body, "metadata", "generation")


def _count(body: Json, *path: str, default: int = 0) -> int:
    value = at(body, *path)
    return value if isinstance(value, int) else default


def _pods_word(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _final(reason: str, message: str, limits: Limits) -> Cause:
    return Cause(reason, message, limits.at_once, names=frozenset({reason}), logs="current")
