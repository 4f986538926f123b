# SPDX-License-Identifier: MIT
"""Waiting until objects are healthy, or until it is clear that they will not be."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kit_core.errors import KitError
from kit_deployer.health.asked import Asked
from kit_deployer.health.judge import begin, checked, judge
from kit_deployer.health.model import DAEMON_SET, Cause, Expected, Finding, Memory, Snapshot, Verdict
from kit_deployer.health.others import CLAIM
from kit_deployer.health.pods import condition_of
from kit_deployer.objects import Json, Key
from kit_deployer.options import Waiting
from kit_deployer.plan.order import is_workload
from kit_deployer.rollout.survey import REPLICA_SET
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, Stopped
from kit_deployer.server.watching import EVENTS, NODES, PODS, STORAGE_CLASSES, Pair, Picture, slim

_LOOK_SECONDS = 1.0
_LEAST_SECONDS = 0.1
_PAUSES = 4
"""How many times as long as a look took nobody looks again."""
_JUST_SECONDS = 10.0
_LOG_PAUSES = (0.0, 0.5, 1.0)
_NO_LOG = "unable to retrieve container logs for "


@dataclass(frozen=True)
class Awaited:
    """An object to wait for: where its kind is found, the generation and uid that our apply made, and when that was.

    `fresh` is False for an object that this run found as it should be and did not touch. `asked` is what the
    annotations of its manifest say of its health.
    """

    resource: Resource
    generation: int = 0
    since: float = 0.0
    fresh: bool = True
    uid: str = ""
    asked: Asked = field(default_factory=Asked)

    def expected(self, now: float, server_time: float, *, fresh: bool) -> Expected:
        """The same in the words of health; `server_time` is what the server's clock says `now`."""
        applied = server_time - (now - self.since) if self.since else 0.0
        return Expected(self.generation, self.uid, fresh, applied, self.asked)


@dataclass
class Health:
    """What is known so far; `verdicts` of every awaited object, `notes` what could not be read."""

    verdicts: dict[Key, Verdict] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> dict[Key, Verdict]:
        """The objects that did not become healthy."""
        return {key: verdict for key, verdict in self.verdicts.items() if verdict.state in {"failed", "timeout"}}

    def describe(self) -> str:
        """What is still awaited and why, a line each (for the heartbeat)."""
        waiting = [(key, verdict) for key, verdict in self.verdicts.items() if verdict.state == "waiting"]
        lines = [f"waiting for {key}: {verdict.why}" for key, verdict in waiting[:5]]
        if len(waiting) > len(lines):
            lines.append(f"and for {len(waiting) - len(lines)} more")
        return "\n".join(lines)


def wait_until_healthy(
    cluster: Cluster,
    awaited: Mapping[Key, Awaited],
    waiting: Waiting,
    health: Health,
    *,
    deadline: float,
    ready: Callable[[Key, Verdict, bool], None] = lambda _key, _verdict, _at_once: None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Look until all are ready, one has failed, or time is over; `health` is kept up to date meanwhile.

    `deadline` (of the clock) ends everything. `ready` is told of every object that is, and whether it was at the first
    look. Raises `Stopped` when the run is told to end.
    """
    pending = {key: value for key, value in awaited.items() if checked(key.group_kind) or value.asked != Asked()}
    memories: dict[Key, Memory] = {}
    for key, value in pending.items():
        memories[key] = begin(value.since or clock())
        health.verdicts[key] = Verdict("waiting", "not looked at yet")
    look = _Look(cluster, pending, memories, waiting, health, ready)
    look.evaluate(_first_snapshot(cluster, pending), clock(), final=False, first=True)
    if not look.open:
        return
    picture = Picture(cluster)
    try:
        picture.open(_pairs(look.open))
        while look.open and not health.failed:
            if cluster.stopping:
                raise Stopped
            now, begun = clock(), time.monotonic()
            look.evaluate(picture.snapshot(), now, final=now >= deadline)
            took = time.monotonic() - begun
            if look.open and not health.failed and picture.wait(_LOOK_SECONDS):
                # Changes come in bursts; and many objects, or many clusters, must not be looked at all the time.
                time.sleep(min(_LOOK_SECONDS, max(_LEAST_SECONDS, _PAUSES * took)))
    finally:
        health.notes += picture.notes
        picture.close()


@dataclass
class _Look:
    """One look after the other at what is still open."""

    cluster: Cluster
    open: dict[Key, Awaited]
    memories: dict[Key, Memory]
    waiting: Waiting
    health: Health
    ready: Callable[[Key, Verdict, bool], None]

    def evaluate(self, snapshot: Snapshot, now: float, *, final: bool, first: bool = False) -> None:
        """`first`: only the objects themselves are known yet, so that failures could not name their pods."""
        for key, value in list(self.open.items()):
            just = first and _just_changed(snapshot.objects.get(key), self.cluster.server_time)
            fresh = value.fresh or not first or just
            verdict, memory = judge(
                key,
                snapshot,
                self.memories[key],
                now,
                policy=self.waiting.policy,
                limits=self.waiting.limits,
                expected=value.expected(now, self.cluster.server_time, fresh=fresh),
            )
            if first and verdict.state != "ready":
                continue
            self.memories[key] = memory
            if final and verdict.state == "waiting":
                why = f"{verdict.why}; the run's time is over (KIT_RUN_TIMEOUT)"
                verdict = replace(verdict, state="timeout", why=why)
            self.health.verdicts[key] = verdict
            if verdict.state == "ready":
                del self.open[key]
                self.ready(key, verdict, first)


def _just_changed(body: Json | None, server_time: float) -> bool:
    """Whether a Deployment became available only moments ago: perhaps not for long. Times are the server's."""
    for name in ("Available", "Progressing"):
        found = condition_of(body or {}, name) or {}
        at = found.get("lastTransitionTime" if name == "Available" else "lastUpdateTime")
        if at and server_time - datetime.fromisoformat(at).timestamp() < _JUST_SECONDS:
            return True
    return False


def _first_snapshot(cluster: Cluster, awaited: Mapping[Key, Awaited]) -> Snapshot:
    """The awaited objects alone: where all are healthy already, nothing needs to be watched."""
    bodies = []
    for resource, namespace in {(value.resource, key.namespace) for key, value in awaited.items()}:
        bodies += [slim(body) for body in cluster.list_all(resource, namespace)[0]]
    return Snapshot.of(bodies)


def _pairs(awaited: Mapping[Key, Awaited]) -> list[Pair]:
    """What must be watched: the objects themselves, and in their namespaces pods, their makers and events."""
    pairs = {(value.resource, key.namespace) for key, value in awaited.items()}
    places = {key.namespace for key in awaited if key.namespace}
    running = {key.namespace for key in awaited if is_workload(key.group_kind)}
    pairs |= {(resource, place) for resource in (PODS, REPLICA_SET) for place in running}
    pairs |= {(EVENTS, place) for place in places}
    kinds = {key.group_kind for key in awaited}
    if DAEMON_SET in kinds:
        pairs.add((NODES, ""))
    if CLAIM in kinds:
        pairs.add((STORAGE_CLASSES, ""))
    return sorted(pairs, key=str)


def read_log(cluster: Cluster, finding: Finding, lines: int) -> tuple[str, str]:
    """The last lines of the log of the container to blame, and a note where they may not be read.

    While a container is started again there may be none for a moment: the kubelet removes that of the run before last,
    and its answer is a 400, or a 200 with its own words (https://github.com/kubernetes/kubernetes/pull/140154).
    """
    cause, pod = finding.cause, finding.pod
    if not lines or pod is None or cause.logs is None or cause.container is None:
        return "", ""
    text = note = ""
    for pause in _LOG_PAUSES:
        time.sleep(pause)
        text, note, refused = _log_now(cluster, cause, pod, lines)
        if text or not refused:
            break
    return text, note


def _log_now(cluster: Cluster, cause: Cause, pod: Json, lines: int) -> tuple[str, str, bool]:
    """The same, and whether the one that the cause is about could not be had."""
    assert cause.container is not None
    wanted, refused = cause.logs == "previous", False
    for previous in (wanted, not wanted):
        try:
            text = cluster.logs(PODS, pod, cause.container, previous=previous, lines=lines)
        except ApiError as error:
            if error.status == 403:
                return "", "the account may not read logs", False
            refused |= previous is wanted
            continue
        except KitError as error:
            # The cause is known and must be told, also where its log cannot be had.
            return "", f"the log of pod {pod['metadata']['name']} cannot be read: {error.why}", False
        if text.startswith(_NO_LOG):
            refused |= previous is wanted
        elif text.strip():
            return text, "", refused
    return "", "", refused
