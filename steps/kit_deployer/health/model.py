# SPDX-License-Identifier: MIT
"""The words of health: what is known of a cluster at one moment, and what is concluded from it. Pure values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from kit_deployer.health.asked import Asked
from kit_deployer.objects import GroupKind, Json, Key, at, key_of

POD: Final = GroupKind("", "Pod")
REPLICA_SET: Final = GroupKind("apps", "ReplicaSet")
DEPLOYMENT: Final = GroupKind("apps", "Deployment")
STATEFUL_SET: Final = GroupKind("apps", "StatefulSet")
DAEMON_SET: Final = GroupKind("apps", "DaemonSet")
JOB: Final = GroupKind("batch", "Job")
EVENT: Final = GroupKind("", "Event")
NODE: Final = GroupKind("", "Node")
STORAGE_CLASS: Final = GroupKind("storage.k8s.io", "StorageClass")


def moment(time: str | None) -> float:
    """An ISO time in seconds since 1970, 0 for what is none."""
    try:
        return datetime.fromisoformat(time or "").timestamp()
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Event:
    """A Kubernetes event about the object with uid `about`; `count` how often it happened, `last` when (ISO time)."""

    about: str
    reason: str
    message: str
    count: int = 1
    warning: bool = True
    last: str = ""

    @classmethod
    def of(cls, body: Json) -> "Event":
        """From the API's form, of which there are two."""
        series = at(body, "series", "count") or 0
        return cls(
            about=at(body, "involvedObject", "uid") or "",
            reason=body.get("reason") or "",
            message=body.get("message") or "",
            count=max(body.get("count") or 1, series),
            warning=body.get("type") != "Normal",
            last=at(body, "series", "lastObservedTime") or body.get("lastTimestamp") or body.get("eventTime") or "",
        )

    @property
    def at(self) -> float:
        """When it happened last, in seconds since 1970 by the server's clock; 0 where it does not say."""
        return moment(self.last)

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.reason}: {self.message}{times}"


@dataclass(frozen=True)
class Snapshot:
    """The objects and events of a cluster at one moment, as far as they are watched."""

    objects: Mapping[Key, Json] = field(default_factory=dict)
    events: tuple[Event, ...] = ()

    @classmethod
    def of(cls, bodies: Iterable[Json], events: Iterable[Event] = ()) -> "Snapshot":
        """From bodies as the API gives them."""
        return cls({key_of(body): body for body in bodies}, tuple(events))

    @cached_property
    def _by_owner(self) -> dict[str, list[Json]]:
        owned: dict[str, list[Json]] = {}
        for body in self.objects.values():
            for owner in at(body, "metadata", "ownerReferences") or []:
                if owner.get("controller"):
                    owned.setdefault(owner["uid"], []).append(body)
        return owned

    @cached_property
    def _by_subject(self) -> dict[str, list[Event]]:
        about: dict[str, list[Event]] = {}
        for event in sorted(self.events, key=lambda event: event.last):
            about.setdefault(event.about, []).append(event)
        return about

    def owned(self, body: Json, kind: GroupKind) -> list[Json]:
        """The objects of a kind that `body` controls, by uid and never by name."""
        found = self._by_owner.get(body["metadata"]["uid"], [])
        return [item for item in found if key_of(item).group_kind == kind]

    def about(self, *bodies: Json) -> list[Event]:
        """The events about these objects, the oldest first."""
        found = [event for body in bodies for event in self.of_uid(body["metadata"]["uid"])]
        return sorted(found, key=lambda event: event.last)

    def of_uid(self, uid: str) -> list[Event]:
        """The events about an object that may be gone, the oldest first."""
        return self._by_subject.get(uid, [])


@dataclass(frozen=True)
class Cause:
    """Something that keeps a pod (or its creation) from succeeding.

    `names` are the words by which it may be ignored. It ends a rollout when it is `decided` (it happened often enough)
    and has lasted `limit` seconds in which nothing moved. `overdue` says that it is a time limit which ran out then.
    """

    reason: str
    message: str
    limit: float
    decided: bool = True
    names: frozenset[str] = frozenset()
    container: str | None = None
    logs: Literal["previous", "current"] | None = None
    overdue: bool = False


@dataclass(frozen=True)
class Status:
    """What a kind's check finds: is the object done, what is awaited, has it failed for good, who works for it.

    `pods` are those of this rollout only. `creator` is what creates them (its events tell why there are none) and
    `wanted` how many there shall be. `every` says that one doomed pod is no failure while another may succeed,
    `restarts` how often the object itself allows its containers to end, and `silent` that nothing tells of its health.
    """

    ready: bool
    awaited: str = ""
    failure: Cause | None = None
    pods: tuple[Json, ...] = ()
    creator: Json | None = None
    wanted: int = 0
    every: bool = False
    restarts: int = 0
    silent: bool = False


@dataclass(frozen=True)
class Policy:
    """What a person set: seconds of grace, tolerated doomed pods, ignored causes, whether to fail early at all."""

    fail_early: bool = True
    grace: float = 10.0
    threshold: int = 0
    ignored: frozenset[str] = frozenset({"Unhealthy", "FailedScheduling"})
    timeout: float = 600.0


@dataclass(frozen=True)
class Expected:
    """What is known of an object before anybody looks at it.

    `generation` is what our apply made, `uid` whose: an older view says nothing. `fresh` says that this run changed it:
    its pods may only just have started. `applied` is when, in seconds since 1970 by the server's clock (0: not known).
    `asked` is what its annotations want.
    """

    generation: int = 0
    uid: str = ""
    fresh: bool = True
    applied: float = 0.0
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True)
class Memory:
    """What must be remembered of an object from one look to the next. Times are those of the clock handed in.

    `up` is since when it has looked ready; `scaling` how many events told, of each pod, that nodes are being added.
    """

    started: float
    moved: float
    up: float | None = None
    ready: frozenset[str] = frozenset()
    seen: Mapping[tuple[str, str], float] = field(default_factory=dict)
    created: int = 0
    scaling: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Where it fails: the object, the pod where one is to blame, the cause and what Kubernetes told of it."""

    cause: Cause
    pod: Json | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """`why` is one line for people; `findings` say what is to blame (also, at a timeout, what would be ignored).

    `seconds` is how long the object was waited for.
    """

    state: Literal["ready", "waiting", "failed", "timeout"]
    why: str = ""
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
