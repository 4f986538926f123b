# SPDX-License-Identifier: MIT
"""What keeps a pod from becoming ready, read from its status and its events as the kubelet writes them. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Cause, Event, moment
from kit_deployer.objects import Json, at

_PULL_REASONS: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"}
)
_HOPELESS_REASONS: Final = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_CONFIG_REASONS: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "ImageInspectError"})
_EVENTS_SHOWN: Final = 5
_SCALE_UPS: Final = frozenset({"TriggeredScaleUp", "Nominated"})
"""How cluster-autoscaler and Karpenter say that a node is on its way."""
_MOUNTED: Final = frozenset({"Pulling", "Pulled", "Created", "Started"})
_PROBE_KILL: Final = re.compile(r"Container (?P<name>\S+) failed (?P<probe>liveness|startup) probe")
_MOUNT_EVENTS: Final = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_MISSING: Final = re.compile(
    r"not ?found|manifest unknown|does not exist|denied|unauthorized|authorization failed|forbidden|\b40[134]\b",
    re.IGNORECASE,
)
_NETWORK: Final = re.compile(r"no such host|dial tcp|i/o timeout|connection refused|deadline exceeded|toomanyrequests")


def is_ready(pod: Json) -> bool:
    """Whether the pod's Ready condition holds."""
    return condition(pod, "Ready") == "True"


def condition(body: Json, name: str) -> str | None:
    """The status (`True`, `False`, `Unknown`) of a condition, or None where it is not there."""
    found = condition_of(body, name)
    return found.get("status") if found else None


def condition_of(body: Json, name: str) -> Json | None:
    """A whole condition."""
    for item in at(body, "status", "conditions") or []:
        if item.get("type") == name:
            return dict(item)
    return None


def created_at(pod: Json) -> float:
    """When it was created, in seconds since 1970 by the server's clock; 0 where it does not say."""
    return moment(at(pod, "metadata", "creationTimestamp"))


def counts(pod: Json) -> bool:
    """Whether a pod belongs to a rollout's present: not one that is being killed or has finished."""
    return not at(pod, "metadata", "deletionTimestamp") and at(pod, "status", "phase") not in {"Failed", "Succeeded"}


def causes(pod: Json, events: Sequence[Event], limits: Limits) -> list[Cause]:
    """Everything that keeps the pod from becoming ready, decided or not yet."""
    if is_ready(pod) or not counts(pod):
        return []
    found = [*_unscheduled(pod, events, limits)]
    for status in _container_statuses(pod):
        found += _container_causes(status, events, limits)
    found += _unmounted(pod, events, limits)
    return found


def _container_statuses(pod: Json) -> Iterator[Json]:
    for field in ("initContainerStatuses", "containerStatuses"):
        yield from at(pod, "status", field) or []


def _container_causes(status: Json, events: Sequence[Event], limits: Limits) -> Iterator[Cause]:
    waiting = at(status, "state", "waiting") or {}
    reason = waiting.get("reason") or ""
    message = waiting.get("message") or ""
    name = status["name"]
    if reason in _HOPELESS_REASONS:
        yield Cause(reason, message, limits.at_once, names=frozenset({reason, "Failed"}), container=name)
    elif reason in _PULL_REASONS:
        yield _pull_cause(status, reason, message, events, limits)
    elif reason in _CONFIG_REASONS:
        names = frozenset({reason, "Failed"})
        yield Cause(reason, message, limits.container_config, names=names, container=name)
    else:
        yield from _crash_cause(status, reason, events, limits)


def _pull_cause(status: Json, reason: str, message: str, events: Sequence[Event], limits: Limits) -> Cause:
    image = status.get("image") or ""
    pulls = [event for event in events if event.reason == "Failed" and "Failed to pull image" in event.message]
    ours = [event for event in pulls if f'"{image}"' in event.message] or pulls
    told = ours[-1].message if ours else message or f"image {image} cannot be pulled"
    text = _pull_message(told)
    names = frozenset({reason, "ErrImagePull", "ImagePullBackOff", "Failed", "BackOff"})
    if not image_missing(text):
        return Cause("ErrImagePull", text, limits.image_other, names=names, container=status["name"])
    failed = sum(event.count for event in ours)
    if not ours:
        return Cause("ErrImagePull", text, limits.image_missing_unseen, names=names, container=status["name"])
    decided = failed >= limits.image_missing_pulls
    return Cause("ErrImagePull", text, limits.at_once, decided, names, container=status["name"])


def _pull_message(text: str) -> str:
    """The registry's answer without the wrapping of kubelet and container runtime."""
    _, found, tail = text.rpartition("desc = ")
    return tail if found else text


def image_missing(message: str) -> bool:
    """Whether a registry answered that the image is not there (or not for us), rather than not at all."""
    return bool(_MISSING.search(message)) and not _NETWORK.search(message)


def _crash_cause(status: Json, reason: str, events: Sequence[Event], limits: Limits) -> Iterator[Cause]:
    ended = at(status, "state", "terminated") or (
        at(status, "lastState", "terminated") if reason == "CrashLoopBackOff" else None
    )
    if ended is None or (reason != "CrashLoopBackOff" and ended.get("exitCode") == 0):
        return  # an init container that did its work, or a main one about to be restarted
    restarts = status.get("restartCount", 0)
    killed = ended.get("reason") == "OOMKilled"
    name = "OOMKilled" if killed else "CrashLoopBackOff"
    yield Cause(
        name,
        (not killed and _probed_to_death(status["name"], restarts, events)) or _ended(ended, restarts),
        limits.at_once,
        decided=restarts >= limits.crash_restarts,
        names=frozenset({name, "CrashLoopBackOff", "BackOff", reason} - {""}),
        container=status["name"],
        logs="previous" if at(status, "state", "terminated") is None else "current",
    )


def _probed_to_death(container: str, restarts: int, events: Sequence[Event]) -> str:
    """What a probe said for which the kubelet ended the container; its exit code tells nothing then."""
    for event in reversed(events):
        found = _PROBE_KILL.search(event.message) if event.reason == "Killing" else None
        if found and found["name"] == container:
            probe = found["probe"]
            said = [item.message for item in events if item.reason == "Unhealthy" and probe in item.message.lower()]
            last = f": {said[-1]}" if said else ""
            return f"the kubelet ended it again and again because of its {probe} probe ({restarts} restarts){last}"
    return ""


def _ended(ended: Json, restarts: int) -> str:
    reason = ended.get("reason") or ""
    how = f"exit code {ended.get('exitCode')}" if reason in {"", "Error", "Completed"} else reason
    if reason == "OOMKilled":
        how = "it used more memory than its limit allows"
    message = f": {ended['message'].strip()}" if ended.get("message") else ""
    return f"the container ended again and again ({how}, {restarts} restarts){message}"


def _unscheduled(pod: Json, events: Sequence[Event], limits: Limits) -> Iterator[Cause]:
    found = condition_of(pod, "PodScheduled")
    if found and found.get("status") == "False" and found.get("reason") == "Unschedulable":
        names = frozenset({"FailedScheduling", "Unschedulable"})
        refused = [event.message for event in events if event.reason == "NotTriggerScaleUp"]
        message = "; ".join([found.get("message") or "", *refused[-1:]])
        yield Cause("FailedScheduling", message, limits.unschedulable, names=names)


def scale_ups(events: Sequence[Event]) -> int:
    """How often an autoscaler told that it adds a node for the pod."""
    return sum(event.count for event in events if event.reason in _SCALE_UPS)


def _unmounted(pod: Json, events: Sequence[Event], limits: Limits) -> Iterator[Cause]:
    started = any(at(status, "state", "running") for status in _container_statuses(pod))
    mounts = [event for event in events if event.reason in _MOUNT_EVENTS]
    if mounts and not started and _creating(pod) and not _mounted(pod, events, mounts[-1]):
        last = mounts[-1]
        yield Cause(last.reason, last.message, limits.failed_mount, names=frozenset({last.reason, "FailedMount"}))


def _mounted(pod: Json, events: Sequence[Event], failed: Event) -> bool:
    """Whether the volumes came after all: the kubelet goes on to the sandbox and to images only then."""
    if condition(pod, "PodReadyToStartContainers") == "True":
        return True
    return any(event.reason in _MOUNTED and event.last >= failed.last for event in events)


def _creating(pod: Json) -> bool:
    reasons: list[Any] = [at(status, "state", "waiting", "reason") for status in _container_statuses(pod)]
    return not reasons or bool({"ContainerCreating", "PodInitializing"} & set(reasons))


def first_failed(pod: Json) -> tuple[str | None, int]:
    """The first container that ended with an error and its exit code; else the last one there is, and 0."""
    name = None
    for status in _container_statuses(pod):
        name = str(status["name"])
        code = at(status, "state", "terminated", "exitCode")
        if code:
            return name, code
    return name, 0


def shown(events: Sequence[Event]) -> tuple[Event, ...]:
    """The last few events for people, the oldest first: what went wrong before what went as it should."""
    wrong = [event for event in events if event.warning][-_EVENTS_SHOWN:]
    room = _EVENTS_SHOWN - len(wrong)
    kept = [*wrong, *([event for event in events if not event.warning][-room:] if room else [])]
    return tuple(event for event in events if event in kept)


def unready(pod: Json, events: Sequence[Event]) -> str:
    """Why a pod without a known cause is not ready, for the message at a timeout: its probe, or what happens to it."""
    probes = [event for event in events if event.reason == "Unhealthy"]
    if probes:
        return str(probes[-1])
    told = [event for event in events if event.warning]
    states = [at(status, "state") or {} for status in _container_statuses(pod)]
    if told:
        return str(told[-1])
    if any("running" in state for state in states):
        return "its containers run, and it is not ready"
    if not states and at(pod, "spec", "nodeName"):
        return "its node has not begun to start it"
    return f"it is {at(pod, 'status', 'phase') or 'Pending'}, and nothing tells why"
