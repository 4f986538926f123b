# SPDX-License-Identifier: MIT
"""Waiting for what an object's `kit-deployer/dependency-selector` names, before the object is applied."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from kit_core.errors import TimeLimitError
from kit_deployer.health.judge import checked
from kit_deployer.objects import Key, key_of
from kit_deployer.options import Waiting
from kit_deployer.plan.dependencies import Dependent
from kit_deployer.rollout.healthy import Attendant
from kit_deployer.rollout.survey import DEPLOYMENT
from kit_deployer.rollout.waiting import Awaited
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, Stopped

DEPENDABLE: Final = (
    DEPLOYMENT,
    Resource("apps", "v1", "StatefulSet", "statefulsets", namespaced=True),
    Resource("apps", "v1", "DaemonSet", "daemonsets", namespaced=True),
    Resource("batch", "v1", "Job", "jobs", namespaced=True),
    Resource("", "v1", "Service", "services", namespaced=True),
    Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True),
)
"""The kinds that are looked for on a cluster: those that something can be waited for, short of what they make."""

_SLICE_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Doorkeeper:
    """Lets a wave of dependents pass when what they need is there. `namespace` is where objects without one look."""

    cluster: Cluster
    attendant: Attendant
    waiting: Waiting
    namespace: str
    clock: Callable[[], float] = time.monotonic

    def passes(self, wave: Iterable[Dependent], awaited: Callable[[Key], Awaited]) -> bool:
        """Wait; False where something does not become available, which is reported."""
        wave = list(wave)
        needed = {key: awaited(key) for dependent in wave for key in sorted(dependent.needs) if checked(key.group_kind)}
        for dependent in wave:
            self.attendant.record.say(f"{dependent.action.key} waits for what matches {dependent.text}")
            if not dependent.matched:
                found = self._on_cluster(dependent)
                if not found:
                    self._missing(dependent)
                    return False
                needed |= found
        policy = replace(self.waiting.policy, timeout=self.waiting.dependency_timeout)
        return not needed or self.attendant.wait(needed, replace(self.waiting, policy=policy))

    def foresee(self, dependent: Dependent) -> None:
        """Say in a dry run what would be waited for, and where nothing matches yet."""
        key, record = dependent.action.key, self.attendant.record
        if not dependent.matched and not self.look(dependent):
            record.note(f"{key} would wait for {dependent.text}, which nothing of the run or the cluster matches now")
        else:
            record.say(f"{key} waits for what matches {dependent.text}")

    def _on_cluster(self, dependent: Dependent) -> dict[Key, Awaited]:
        """What matches on the cluster, as soon as there is anything."""
        end = min(self.clock() + self.waiting.dependency_timeout, self.attendant.deadline)
        while True:
            found = self.look(dependent)
            if found or self.clock() >= end:
                return found
            again = min(self.clock() + self.waiting.dependency_wait, end)
            while self.clock() < again:
                if self.cluster.stopping:
                    raise Stopped
                time.sleep(_SLICE_SECONDS)

    def look(self, dependent: Dependent) -> dict[Key, Awaited]:
        """What matches on the cluster now, in the dependent's namespace."""
        place = dependent.action.key.namespace or self.namespace
        found: dict[Key, Awaited] = {}
        for resource in DEPENDABLE:
            try:
                bodies = self.cluster.list_all(resource, place, labels=dependent.text)[0]
            except ApiError as error:
                if error.status != 403:
                    raise
                note = f"the account may not list {resource.plural} in {place}, so none of them is waited for"
                self.attendant.record.note(note)
                continue
            found |= {key_of(body): Awaited(resource, fresh=False) for body in bodies}
        found.pop(dependent.action.key, None)
        return found

    def _missing(self, dependent: Dependent) -> None:
        place = dependent.action.item.manifest.place
        error = TimeLimitError(
            f"{dependent.action.key} waits for something that is not there",
            where=f"{self.cluster.name}: {place}",
            why=f"nothing of the run or the cluster matched {dependent.text} within"
            f" {self.waiting.dependency_timeout:.0f} s",
            hint="Correct kit-deployer/dependency-selector, deploy what it names, or raise DEPENDENCY_TIMEOUT.",
            file=place.file,
            line=place.line,
        )
        self.attendant.record.fail(error, dependent.action.key)
