# SPDX-License-Identifier: MIT
"""Waiting for objects, with everybody told: what is awaited, what became healthy, and what did not, with its log."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from kit_core.console import Console
from kit_deployer.health.explain import error_of, failure_of, main_finding
from kit_deployer.health.model import Verdict
from kit_deployer.objects import Key
from kit_deployer.options import Waiting
from kit_deployer.plan.order import is_workload
from kit_deployer.rollout.record import Record
from kit_deployer.rollout.waiting import Awaited, Health, read_log, wait_until_healthy
from kit_deployer.server.cluster import Cluster


@dataclass(frozen=True)
class Attendant:
    """Waits on one cluster and writes down what comes of it. `deadline` (of the clock) ends every wait."""

    cluster: Cluster
    record: Record
    console: Console
    deadline: float
    clock: Callable[[], float] = time.monotonic

    def wait(self, awaited: dict[Key, Awaited], waiting: Waiting) -> bool:
        """Wait until all are healthy; False where one is not (it is reported)."""
        health = Health()

        as_before = []

        def ready(key: Key, verdict: Verdict, at_once: bool) -> None:
            self.record.health(key, verdict)
            if not is_workload(key.group_kind):
                return
            unmoved = at_once and not awaited[key].fresh
            if unmoved:
                as_before.append(key)
            self.record.succeed(f"{key}: {verdict.why}", quietly=unmoved, object=str(key))

        try:
            with self.console.waiting(health.describe, cluster=self.cluster.name):
                wait_until_healthy(
                    self.cluster, awaited, waiting, health, deadline=self.deadline, ready=ready, clock=self.clock
                )
        finally:
            self.record.note(*health.notes)
            for key, verdict in health.verdicts.items():
                self.record.health(key, verdict)
            if as_before:
                count = len(as_before)
                self.record.say(f"healthy as before: {count} workload{'s' if count != 1 else ''} that did not change")
        for key, verdict in health.failed.items():
            self._report(key, verdict, waiting)
        return not health.failed

    def _report(self, key: Key, verdict: Verdict, waiting: Waiting) -> None:
        """Say that an object is not healthy, with the log of the container to blame."""
        item = self.record.objects.get(key)
        place = item.place if item else None
        finding = main_finding(verdict)
        logs = ""
        if finding is not None:
            logs, note = read_log(self.cluster, finding, waiting.log_lines)
            self.record.note(*([note] if note else []))
        name = self.cluster.name
        failure = failure_of(key, verdict, cluster=name, place=place, logs=logs)
        self.record.unhealthy(failure, error_of(key, verdict, cluster=name, place=place))
