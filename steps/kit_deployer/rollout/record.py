# SPDX-License-Identifier: MIT
"""What has become of one cluster's objects so far: kept by its rollout, read from any thread, told as it happens."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kit_core.console import Console
from kit_core.errors import KitError
from kit_deployer.health.model import Verdict
from kit_deployer.objects import ALIAS, Key, annotations_of
from kit_deployer.plan.plan import Action, Plan
from kit_deployer.result import Did, Failure, ObjectResult, cluster_failure


class Record:
    """Results by object, failures and notes. `name` is the cluster's; everything noted is also said on the console."""

    def __init__(
        self,
        name: str,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        began: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """`began` is told what webhooks call an object when it has been applied."""
        self.name = name
        self._began_with = began
        self._console = console
        self._clock = clock
        self._begun = clock()
        self._lock = threading.Lock()
        self._objects: dict[Key, ObjectResult] = {}
        self._failures: list[Failure] = []
        self._notes: list[str] = []

    @property
    def objects(self) -> Mapping[Key, ObjectResult]:
        """The results so far."""
        with self._lock:
            return dict(self._objects)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The failures so far."""
        with self._lock:
            return tuple(self._failures)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes so far."""
        with self._lock:
            return tuple(self._notes)

    def begin(self, plan: Plan) -> None:
        """Everything of the plan, nothing of it done yet."""
        with self._lock:
            for item in plan.namespaces:
                self._objects[item.key] = ObjectResult(key=item.key, did="not done", place=item.manifest.place)
            for action in plan.actions:
                self._objects[action.key] = _planned(action)
            for gone in plan.outdated:
                self._objects[gone.key] = ObjectResult(key=gone.key, did="not done")

    def done(self, key: Key, did: Did, why: str = "", *, tell: bool = True, **facts: Any) -> None:
        """An object was dealt with. `facts` are further fields of its result."""
        with self._lock:
            item = replace(self._objects[key], did=did, why=why, done_at=self._now(), **facts)
            self._objects[key] = item
        if tell and did in {"created", "changed"}:
            self._began_with(item.told_as)
        if tell:
            self.say(f"{did} {key}" + (f" ({why})" if why else ""), object=str(key), did=did)

    def differs(self, differences: Mapping[Key, str]) -> None:
        """What was found different on the cluster, and is left so."""
        with self._lock:
            for key, diff in differences.items():
                self._objects[key] = replace(self._objects[key], diff=diff)

    def health(self, key: Key, verdict: Verdict) -> None:
        """What is thought of an object's health."""
        with self._lock:
            item = self._objects.get(key)
            if item is not None:
                decided = None if verdict.state == "waiting" else item.healthy_at or self._now()
                self._objects[key] = replace(item, health=verdict.state, health_why=verdict.why, healthy_at=decided)

    def fail(self, error: KitError, key: Key | None = None, *, untouched: bool = False) -> None:
        """Something failed before it came to health; `untouched` says that nothing was sent to the cluster before."""
        with self._lock:
            self._failures.append(cluster_failure(error, key, untouched=untouched))
            if key is not None and key in self._objects:
                why, now = error.why or error.what, self._now()
                self._objects[key] = replace(self._objects[key], did="failed", why=why, done_at=now)
        self._console.error(self._here(error), cluster=self.name, **({"object": str(key)} if key else {}))

    def unhealthy(self, failure: Failure, error: KitError) -> None:
        """An object did not become healthy: the sentence, Kubernetes' events, the last log lines."""
        with self._lock:
            self._failures.append(failure)
        self._console.error(self._here(error), cluster=self.name, object=str(failure.object), reason=failure.reason)
        for event in failure.events:
            self._console.foreign(event, cluster=self.name)
        if failure.logs:
            self.say(f"last log lines of pod {failure.pod}, container {failure.container}:")
            self._console.foreign(failure.logs, cluster=self.name)

    def _now(self) -> float:
        return self._clock() - self._begun

    def _here(self, error: KitError) -> KitError:
        """The error without the cluster's name, which the log puts before every line."""
        told: KitError = error.__class__.__new__(error.__class__)
        told.__dict__.update(error.__dict__)
        where = (error.where or "").removeprefix(self.name).removeprefix(": ")
        told.where = where or None
        return told

    def note(self, *notes: str) -> None:
        """Something that a person should know, once."""
        for note in notes:
            with self._lock:
                if note in self._notes:
                    continue
                self._notes.append(note)
            self._console.warning(note, cluster=self.name)

    def say(self, text: str, **facts: Any) -> None:
        """Something that happens."""
        self._console.info(text, cluster=self.name, **facts)

    def succeed(self, text: str, *, quietly: bool = False, **facts: Any) -> None:
        """Something that was to be reached and is; `quietly` where that is no news (told with DEBUG only)."""
        if quietly:
            self._console.detail(text, cluster=self.name, **facts)
            return
        self._console.success(text, cluster=self.name, **facts)


def _planned(action: Action) -> ObjectResult:
    did: Did = "not done"
    if action.do == "keep":
        did = "drifted" if action.state == "drifted" else "unchanged"
    why = action.why
    if action.paths and action.state == "drifted":
        why = f"{why}: {', '.join(action.paths[:3])}"
    told_as = annotations_of(action.item.body).get(ALIAS) or action.item.original_name
    place = action.item.manifest.place
    return ObjectResult(key=action.key, did=did, why=why, place=place, told_as=told_as, unchecked=action.unchecked)
