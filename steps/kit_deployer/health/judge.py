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
from kit_deployer.health.asked import FAILED_WHEN, READY_WHEN
from kit_deployer.health.custom import custom, is_custom, observed
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Cause, Expected, Finding, Memory, Policy, Snapshot, Status, Verdict
from kit_deployer.health.pods import (
    causes,
    condition,
    condition_of,
    created_at,
    first_failed,
    is_ready,
    scale_ups,
    shown,
    unready,
)
from kit_deployer.objects import GroupKind, Json, Key, containers, pod_template

_CHECKS: Final[Mapping[GroupKind, workloads.Check]] = {**workloads.CHECKS, **others.CHECKS}
_JOB_FAILURES: Final = frozenset({"BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"})


def checked(kind: GroupKind) -> bool:
    """Whether objects of this kind take time to become healthy; all others are as soon as they exist."""
    return kind in _CHECKS or is_custom(kind)


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
    expected: Expected,
) -> tuple[Verdict, Memory]:
    """What to think of the object at `now`, from what was `expected` of it and remembered."""
    verdict, memory = _judge(key, snapshot, memory, now, policy, limits, expected)
    # Looks are not taken at the very second; people look for the number that they have set.
    return replace(verdict, seconds=min(now - memory.started, expected.asked.timeout or policy.timeout)), memory


def _judge(
    key: Key, snapshot: Snapshot, memory: Memory, now: float, policy: Policy, limits: Limits, expected: Expected
) -> tuple[Verdict, Memory]:
    body = snapshot.objects.get(key)
    status = _status(key, body, snapshot, limits, expected)
    if status.restarts > limits.crash_restarts:
        limits = replace(limits, crash_restarts=status.restarts)
    if status.ready:
        up = now if memory.up is None else memory.up
        memory = replace(memory, up=up)
        if now - up >= _settling(status, body, limits, expected):
            return Verdict("ready", status.awaited), memory
        return Verdict("waiting", "up, but not long enough yet to tell that it stays up"), memory
    memory = _remember(status, replace(memory, up=None), snapshot, now, limits, expected)
    found = _findings(status, memory, snapshot, now, limits, expected)
    lost = _lost(status, found, memory, now, policy, snapshot)
    if lost:
        return Verdict("timeout" if lost[0].cause.overdue else "failed", status.awaited, lost), memory
    if now - memory.started >= (expected.asked.timeout or policy.timeout):
        findings = tuple(finding for finding, _ in found) or _unready(status, snapshot)
        return Verdict("timeout", status.awaited, findings), memory
    findings = tuple(finding for finding, _ in found)
    return Verdict("waiting", _waiting(status, findings), findings), memory


def _status(key: Key, body: Json | None, snapshot: Snapshot, limits: Limits, expected: Expected) -> Status:
    """What the kind's check says, with what holds for every kind before it and what was asked for after it."""
    if body is None or (expected.uid and body["metadata"].get("uid") not in {expected.uid, None}):
        return _gone(snapshot, limits, expected)
    # A Job's time to live may be over as soon as it has completed.
    if body["metadata"].get("deletionTimestamp") and not (key.kind == "Job" and condition(body, "Complete") == "True"):
        finalizers = ", ".join(body["metadata"].get("finalizers") or []) or "none"
        message = f"somebody deletes it, and it does not go; its finalizers are: {finalizers}"
        cause = Cause("Terminating", message, limits.deletion, names=frozenset({"Terminating"}), overdue=True)
        return Status(False, "it is being deleted", cause)
    if (body["metadata"].get("generation") or 0) < expected.generation:
        return Status(False, "not seen on the cluster yet")
    asked = expected.asked
    status = _CHECKS.get(key.group_kind, custom)(body, snapshot, limits)
    if lost := asked.lost(body):
        cause = Cause(
            "FailedWhen", f"{lost.text} holds ({FAILED_WHEN})", limits.at_once, names=frozenset({"FailedWhen"})
        )
        return replace(status, ready=False, awaited="failed", failure=status.failure or cause)
    if not asked.ready or status.failure:
        return status
    if key.group_kind not in _CHECKS:
        status = Status(observed(body), "its controller has not seen the change yet", silent=True)
    unmet = asked.unmet(body)
    if unmet is None:
        return replace(status, awaited="as ready-when asks for") if status.ready else status
    values = ", ".join(map(str, unmet.found(body))) or "nothing"
    awaited = f"{unmet.text} does not hold yet ({READY_WHEN}); found: {values}"
    return replace(status, ready=False, awaited=awaited)


def _gone(snapshot: Snapshot, limits: Limits, expected: Expected) -> Status:
    """An object that was applied and is no more: somebody's doing, or that of a Job's TTL, whose events remain."""
    for event in reversed(snapshot.of_uid(expected.uid) if expected.uid else []):
        if event.reason == "Completed":
            return Status(True, "completed")
        if event.reason in _JOB_FAILURES:
            return Status(False, "failed", Cause(event.reason, event.message, limits.at_once))
    message = "somebody deleted it, or made it anew, after it had been applied"
    return Status(False, "not there", Cause("Deleted", message, limits.at_once, names=frozenset({"Deleted"})))


def _settling(status: Status, body: Json | None, limits: Limits, expected: Expected) -> float:
    """How long it must look ready: what this run changed may only not have shown yet what is wrong with it."""
    if not expected.fresh:
        return 0.0
    if status.silent:
        return limits.unspoken
    return limits.unprobed if _unprobed(body) else 0.0


def _unprobed(body: Json | None) -> bool:
    """Whether a pod of the object counts as ready without being asked."""
    if body is None or body["kind"] == "Job":
        return False
    template = pod_template(body)
    found = containers(template) if template else ()
    return any(kind == "containers" and not container.get("readinessProbe") for kind, _, container in found)


def _remember(
    status: Status, memory: Memory, snapshot: Snapshot, now: float, limits: Limits, expected: Expected
) -> Memory:
    """Note pods that became ready or were created, and since when each cause is there."""
    ready = frozenset(_uid(pod) for pod in status.pods if is_ready(pod))
    moved = now if ready - memory.ready else memory.moved
    present = {(_uid(pod), cause.reason) for pod in status.pods for cause in causes(pod, snapshot.about(pod), limits)}
    created = len(status.pods)
    if status.creator is not None and created <= memory.created and _create_failure(status, snapshot, limits, expected):
        present.add((_uid(status.creator), "FailedCreate"))
    if status.failure is not None:
        present.add(("", status.failure.reason))
    # A container that is being restarted looks fine for a moment: what was seen of a pod is kept until it is ready.
    alive = {_uid(pod) for pod in status.pods} - ready
    seen = {item: since for item, since in memory.seen.items() if item in present or item[0] in alive}
    scaling = {_uid(pod): scale_ups(snapshot.about(pod)) for pod in status.pods}
    growing = {uid for uid, count in scaling.items() if count > memory.scaling.get(uid, 0)}
    # A node that is on its way gives its pod all the time anew.
    seen |= {
        item: now for item in present if item not in seen or (item[1] == "FailedScheduling" and item[0] in growing)
    }
    return replace(
        memory,
        moved=moved,
        ready=memory.ready | ready,
        seen=seen,
        created=max(created, memory.created),
        scaling=scaling,
    )


def _findings(
    status: Status, memory: Memory, snapshot: Snapshot, now: float, limits: Limits, expected: Expected
) -> list[tuple[Finding, float]]:
    """Everything that stands in the way, with the seconds it has been there."""
    found: list[tuple[Finding, float]] = []
    for pod in status.pods:
        events = snapshot.about(pod)
        for cause in causes(pod, events, limits):
            since = memory.seen.get((_uid(pod), cause.reason), now)
            found.append((Finding(cause, pod, shown(events)), now - since))
    creation = _create_failure(status, snapshot, limits, expected)
    if creation is not None and status.creator is not None:
        since = memory.seen.get((_uid(status.creator), "FailedCreate"), now)
        found.append((Finding(creation, None, shown(snapshot.about(status.creator))), now - since))
    return found


def _lost(
    status: Status, found: list[tuple[Finding, float]], memory: Memory, now: float, policy: Policy, snapshot: Snapshot
) -> tuple[Finding, ...]:
    """The findings that end the rollout; none while there is hope."""
    still = now - memory.moved
    if status.failure is not None:
        since = now - memory.seen.get(("", status.failure.reason), now)
        if since >= max(policy.grace, status.failure.limit) and not policy.ignored & status.failure.names:
            related = tuple(finding for finding, _ in found) or _last_pod(status, snapshot)
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


def _last_pod(status: Status, snapshot: Snapshot) -> tuple[Finding, ...]:
    """For what the controller has given up: its last pod, with how that ended or what it hangs on, and its log."""
    pods = sorted(status.pods, key=lambda pod: pod["metadata"].get("creationTimestamp") or "")
    if not pods or status.failure is None:
        return ()
    pod, events = pods[-1], snapshot.about(pods[-1])
    container, code = first_failed(pod)
    told = f"exit code {code}" if code else "" if status.failure.reason == "DeadlineExceeded" else unready(pod, events)
    message = ": ".join(text for text in (status.failure.message.rstrip("."), told) if text)
    cause = replace(status.failure, message=message, container=container, logs="current")
    return (Finding(cause, pod, shown(events)),)


def _create_failure(status: Status, snapshot: Snapshot, limits: Limits, expected: Expected) -> Cause | None:
    """Why pods are not even created: the quota, an admission webhook, a missing service account.

    What events told of an object before this run changed it counts no more (their times are whole seconds), nor what
    they told before its newest pod was created after all.
    """
    if status.creator is None or len(status.pods) >= max(status.wanted, 1):
        return None
    names = frozenset({"FailedCreate", "ReplicaFailure"})
    failure = condition_of(status.creator, "ReplicaFailure")
    if failure and failure.get("status") == "True":
        return Cause("FailedCreate", failure.get("message") or "", limits.failed_create, names=names)
    since = int(expected.applied) if expected.fresh else 0
    told = snapshot.about(status.creator)
    events = [event for event in told if event.reason == "FailedCreate" and event.at >= since]
    newest = max((created_at(pod) for pod in status.pods), default=0.0)
    events = [event for event in events if event.at > newest or not newest]
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
        cause = Cause(
            "NotReady", unready(pod, events), 0.0, names=frozenset({"Unhealthy"}), container=_first(pod), logs="current"
        )
        findings.append(Finding(cause, pod, shown(events)))
    return tuple(findings[:1])


def _first(pod: Json) -> str | None:
    statuses = pod.get("status", {}).get("containerStatuses") or []
    running = [status for status in statuses if not status.get("ready") and "running" in (status.get("state") or {})]
    return next((str(status["name"]) for status in running), None)


def _waiting(status: Status, findings: Iterable[Finding]) -> str:
    """What is awaited, and the first thing that stands in the way."""
    first = next(iter(findings), None)
    if first is None:
        return status.awaited
    who = f" of pod {first.pod['metadata']['name']}" if first.pod is not None else ""
    return f"{status.awaited}; {first.cause.reason}{who}"


def _uid(body: Json) -> str:
    return str(body["metadata"].get("uid") or "")
