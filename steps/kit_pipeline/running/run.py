# SPDX-License-Identifier: MIT
"""Walking the plan: what stands in order ends at the first failure; what stands side by side all ends, then the run."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from kit_pipeline.planning.plan import Group, Member, Task
from kit_pipeline.running.result import RunResult, TaskResult

Perform = Callable[[Task], TaskResult]
"""Does a task. Raises nothing."""

_AT_ONCE: Final = 32


def run(plan: Group, perform: Perform, *, stop: threading.Event, tell: Callable[[TaskResult], None]) -> RunResult:
    """Do what the plan says; `tell` hears of each task's end, from any thread. After `stop` nothing is begun."""
    walk = _Walk(perform, stop, tell)
    walk.group(plan)
    return RunResult(tuple(walk.results))


class _Walk:
    def __init__(self, perform: Perform, stop: threading.Event, tell: Callable[[TaskResult], None]) -> None:
        self._perform, self._stop, self._tell = perform, stop, tell
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self.results: list[TaskResult] = []

    def group(self, group: Group) -> bool:
        """Whether all went well."""
        well = self._side_by_side(group.members) if group.order == "parallel" else self._in_order(group.members)
        if not well and not self._stop.is_set():
            self._after(group.on_fail)
        return well

    def _in_order(self, members: Sequence[Member]) -> bool:
        for index, member in enumerate(members):
            if not self._member(member):
                for left in members[index + 1 :]:
                    self._leave(left, "a step before it failed")
                return False
        return True

    def _side_by_side(self, members: Sequence[Member]) -> bool:
        outcomes: dict[int, bool] = {}

        def one(index: int, member: Member) -> None:
            outcomes[index] = self._member(member)

        threads = [
            threading.Thread(target=one, args=(index, member), daemon=True) for index, member in enumerate(members)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # a signal is heard between two waits
        return all(outcomes.get(index, False) for index in range(len(members)))

    def _member(self, member: Member) -> bool:
        return self.group(member) if isinstance(member, Group) else self._task(member)

    def _task(self, task: Task) -> bool:
        if task.skipped:
            self._leave(task, task.skipped)
            return True
        if self._stop.is_set():
            self._leave(task, "the run was stopped")
            return False
        with self._slots:
            result = self._perform(task)
        self._note(result)
        if result.state == "failed":
            self._after(task.on_fail)
        return result.state == "passed"

    def _after(self, tasks: Sequence[Task]) -> None:
        """What is to be done where something failed. It makes nothing green, and its own failure is only told."""
        for task in tasks:
            if self._stop.is_set():
                return
            self._note(self._perform(task))

    def _leave(self, member: Member, why: str) -> None:
        if isinstance(member, Group):
            for inner in member.members:
                self._leave(inner, why)
            return
        self._note(TaskResult(number=member.number, name=member.name, state="skipped", reason=member.skipped or why))

    def _note(self, result: TaskResult) -> None:
        with self._lock:
            self.results.append(result)
        self._tell(result)
