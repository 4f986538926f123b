# SPDX-License-Identifier: MIT
"""Is it healthy, still on its way, or lost? From a snapshot, a memory and the time to a verdict and a new memory. Pure.

A rollout fails early only when a decided cause has lasted its limit and nothing moved in that time: no new pod of the
rollout became ready. The grace period is the least of every limit. Ignored causes never end a rollout, yet they are
named when its time is over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from kit_deployer.health import others, workloads
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Cause, Event, Finding, Memory, Policy, Snapshot, Status, Verdict
from kit_deployer.health.pods import causes, condition_of, is_ready, unready
from kit_deployer.objects import GroupKind, Json, Key, containers, pod_template

_CHECKS: Final[Mapping[GroupKind, workloads.Check]] = {**workloads.CHECKS, **others.CHECKS}
_EVENTS_SHOWN: Final = 5


def checked(kind: GroupKind) -> bool:
    """Whether objects of this kind take time to become healthy; all others are as soon as they exist."""
    return kind in _CHECKS


def begin(now: float) -> Memory:
    """The memory with which waiting for an object begins."""
    return Memory(started=now, moved=now)


def judge(
    key: Key,
    snapshot: Snapshot,
    memory: Memory,
    now: float,
    *,
    policy: Policy,
    limits: Limits,
    generation: int = 0,
    fresh: bool = True,
) -> tuple[Verdict, Memory]:
    """What to think of the object at `now`.

    `generation` is what our apply made; an older view of the object says nothing. `fresh` pods may only just have
    started: without a readiness probe they must have been up for a moment.
    """
    body = snapshot.objects.get(key)
    if body is None or (body["metadata"].get("generation") or 0) < generation:
        status = Status(False, "not seen on the cluster yet")
    elif body["metadata"].get("deletionTimestamp"):
        status = Status(False, "it is being deleted")
    else:
        status = _CHECKS[key.group_kind](body, snapshot, limits)
    if status.ready:
        up = now if memory.up is None else memory.up
        memory = replace(memory, up=up)
        if not fresh or not _unprobed(body) or now - up >= limits.unprobed:
            return Verdict("ready", status.awaited), memory
        return Verdict("waiting", "up, but not long enough yet to tell that it stays up"), memory
    memory = _remember(status, replace(memory, up=None), snapshot, now, limits)
    found = _findings(status, memory, snapshot, now, limits)
    lost = _lost(status, found, memory, now, policy) if body is not None else ()
    if lost:
        return Verdict("failed", status.awaited, lost), memory
    if now - memory.started >= policy.timeout:
        findings = tuple(finding for finding, _ in found) or _unready(status, snapshot)
        return Verdict("timeout", status.awaited, findings), memory
    findings = tuple(finding for finding, _ in found)
    return Verdict("waiting", _waiting(status, findings), findings), memory


def _unprobed(body: Json | None) -> bool:
    """Whether a pod of the object counts as ready without being asked."""
    if body is None or body["kind"] == "Job":
        return False
    template = pod_template(body)
    found = containers(template) if template else ()
    return any(kind == "containers" and not container.get("readinessProbe") for kind, _, container in found)


def _remember(status: Status, memory: Memory, snapshot: Snapshot, now: float, limits: Limits) -> Memory:
    """Note pods that became ready or were created, and since when each cause is there."""
    ready = frozenset(_uid(pod) for pod in status.pods if is_ready(pod))
    moved = now if ready - memory.ready else memory.moved
    present = {(_uid(pod), cause.reason) for pod in status.pods for cause in causes(pod, snapshot.about(pod), limits)}
    created = len(status.pods)
    if status.creator is not None and created <= memory.created and _create_failure(status, snapshot, limits):
        present.add((_uid(status.creator), "FailedCreate"))
    if status.failure is not None:
        present.add(("", status.failure.reason))
    # A container that is being restarted looks fine for a moment: what was seen of a pod is kept until it is ready.
    alive = {_uid(pod) for pod in status.pods} - ready
    seen = {item: since for item, since in memory.seen.items() if item in present or item[0] in alive}
    seen |= {item: now for item in present if item not in seen}
    return replace(memory, moved=moved, ready=memory.ready | ready, seen=seen, created=max(created, memory.created))


def _findings(
    status: Status, memory: Memory, snapshot: Snapshot, now: float, limits: Limits
) -> list[tuple[Finding, float]]:
    """Everything that stands in the way, with the seconds it has been there."""
    found: list[tuple[Finding, float]] = []
    for pod in status.pods:
        events = snapshot.about(pod)
        for cause in causes(pod, events, limits):
            since = memory.seen.get((_uid(pod), cause.reason), now)
            found.append((Finding(cause, pod, tuple(events[-_EVENTS_SHOWN:])), now - since))
    creation = _create_failure(status, snapshot, limits)
    if creation is not None and status.creator is not None:
        since = memory.seen.get((_uid(status.creator), "FailedCreate"), now)
        events = snapshot.about(status.creator)[-_EVENTS_SHOWN:]
        found.append((Finding(creation, None, tuple(events)), now - since))
    return found


def _lost(
    status: Status, found: list[tuple[Finding, float]], memory: Memory, now: float, policy: Policy
) -> tuple[Finding, ...]:
    """The findings that end the rollout; none while there is hope."""
    still = now - memory.moved
    if status.failure is not None:
        since = now - memory.seen.get(("", status.failure.reason), now)
        if since >= max(policy.grace, status.failure.limit) and not policy.ignored & status.failure.names:
            related = tuple(finding for finding, _ in found) or _last_pod(status)
            return (Finding(status.failure), *related)
    if not policy.fail_early:
        return ()
    over = [finding for finding, age in found if _is_over(finding.cause, age, still, policy)]
    creation = tuple(finding for finding in over if finding.pod is None)
    doomed = {_uid(finding.pod): finding for finding in over if finding.pod is not None}
    if creation:
        return creation
    if len(doomed) <= policy.threshold or (status.every and len(doomed) < len(status.pods)):
        return ()
    return tuple(doomed.values())


def _is_over(cause: Cause, age: float, still: float, policy: Policy) -> bool:
    limit = max(policy.grace, cause.limit)
    return cause.decided and age >= limit and still >= limit and not policy.ignored & cause.names


def _last_pod(status: Status) -> tuple[Finding, ...]:
    """For a failed Job: its last pod, whose log says why."""
    pods = sorted(status.pods, key=lambda pod: pod["metadata"].get("creationTimestamp") or "")
    if not pods or status.failure is None:
        return ()
    return (Finding(replace(status.failure, container=_first_failed(pods[-1]), logs="current"), pods[-1]),)


def _first_failed(pod: Json) -> str | None:
    statuses = [*(pod["status"].get("initContainerStatuses") or []), *(pod["status"].get("containerStatuses") or [])]
    for status in statuses:
        ended = (status.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return str(status["name"])
    return str(statuses[-1]["name"]) if statuses else None


def _create_failure(status: Status, snapshot: Snapshot, limits: Limits) -> Cause | None:
    """Why pods are not even created: the quota, an admission webhook, a missing service account."""
    if status.creator is None or len(status.pods) >= max(status.wanted, 1):
        return None
    names = frozenset({"FailedCreate", "ReplicaFailure"})
    failure = condition_of(status.creator, "ReplicaFailure")
    if failure and failure.get("status") == "True":
        return Cause("FailedCreate", failure.get("message") or "", limits.failed_create, names=names)
    events = [event for event in snapshot.about(status.creator) if event.reason == "FailedCreate"]
    if events:
        return Cause("FailedCreate", events[-1].message, limits.failed_create, names=names)
    return None


def _unready(status: Status, snapshot: Snapshot) -> tuple[Finding, ...]:
    """At a timeout without a cause: pods that run and are not ready, with what their probes say and their logs."""
    findings = []
    for pod in status.pods:
        events = snapshot.about(pod)
        if is_ready(pod):
            continue
        message = unready(pod, events) or "its containers run, and it is not ready"
        cause = Cause("NotReady", message, 0.0, names=frozenset({"Unhealthy"}), container=_first(pod), logs="current")
        findings.append(Finding(cause, pod, tuple(events[-_EVENTS_SHOWN:])))
    return tuple(findings[:1])


def _first(pod: Json) -> str | None:
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return next((str(status["name"]) for status in statuses if not status.get("ready")), None)


def _waiting(status: Status, findings: Iterable[Finding]) -> str:
    """What is awaited, and the first thing that stands in the way."""
    first = next(iter(findings), None)
    if first is None:
        return status.awaited
    who = f" of pod {first.pod['metadata']['name']}" if first.pod is not None else ""
    return f"{status.awaited}; {first.cause.reason}{who}"


def latest(events: Iterable[Event], count: int = _EVENTS_SHOWN) -> list[Event]:
    """The last few events, the oldest first."""
    return sorted(events, key=lambda event: event.last)[-count:]


def _uid(body: Json) -> str:
    return str(body["metadata"].get("uid") or "")
