# SPDX-License-Identifier: MIT
"""Walking the plan: what stands in order ends at the first failure; what stands side by side all ends, then the run."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Final

from kit_pipeline.planning.plan import Group, Member, Task
from kit_pipeline.running.result import RunResult, TaskResult

Perform = Callable[[Task], TaskResult]
"""Does a task. Raises nothing."""

_AT_ONCE: Final = 32


class Audience:
    """Hears how a run goes, from any thread. This one keeps it to itself."""

    def part(self, member: Member) -> AbstractContextManager[None]:
        """Around a task or a parallel group that has nothing beside it."""
        del member
        return nullcontext()

    def begin(self, task: Task) -> None:
        """A task begins."""

    def end(self, task: Task, result: TaskResult) -> None:
        """A task has ended, or is left out."""


class _Teller(Audience):
    def __init__(self, tell: Callable[[TaskResult], None]) -> None:
        self._tell = tell

    def end(self, task: Task, result: TaskResult) -> None:
        del task
        self._tell(result)


def run(
    plan: Group,
    perform: Perform,
    *,
    stop: threading.Event,
    tell: Callable[[TaskResult], None] = lambda _: None,
    audience: Audience | None = None,
) -> RunResult:
    """Do what the plan says; `tell` or an `audience` hears of it, from any thread. After `stop` nothing is begun."""
    walk = _Walk(perform, stop, audience or _Teller(tell))
    walk.group(plan, beside=False)
    return RunResult(tuple(walk.results))


class _Walk:
    def __init__(self, perform: Perform, stop: threading.Event, audience: Audience) -> None:
        self._perform, self._stop, self._audience = perform, stop, audience
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self.results: list[TaskResult] = []

    def group(self, group: Group, *, beside: bool) -> bool:
        """Whether all went well. `beside` is set where something else runs at the same time."""
        if group.order == "parallel":
            with self._part(group, beside=beside):
                well = self._side_by_side(group.members)
        else:
            well = self._in_order(group.members, beside=beside)
        if not well:
            self._after(group.on_fail, beside=beside)
        return well

    def _in_order(self, members: Sequence[Member], *, beside: bool) -> bool:
        for index, member in enumerate(members):
            if not self._member(member, beside=beside):
                for left in members[index + 1 :]:
                    self._leave(left, "the run was stopped" if self._stop.is_set() else "a step before it failed")
                return False
        return True

    def _side_by_side(self, members: Sequence[Member]) -> bool:
        outcomes: dict[int, bool] = {}

        def one(index: int, member: Member) -> None:
            outcomes[index] = self._member(member, beside=True)

        threads = [
            threading.Thread(target=one, args=(index, member), daemon=True) for index, member in enumerate(members)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return all(outcomes.get(index, False) for index in range(len(members)))

    def _member(self, member: Member, *, beside: bool) -> bool:
        return self.group(member, beside=beside) if isinstance(member, Group) else self._task(member, beside=beside)

    def _task(self, task: Task, *, beside: bool) -> bool:
        if task.skipped:
            self._leave(task, task.skipped)
            return True
        result = self._done(task, beside=beside)
        if result.state == "failed":
            self._after(task.on_fail, beside=beside)
        return result.state == "passed"

    def _after(self, tasks: Sequence[Task], *, beside: bool) -> None:
        """What is to be done where something failed. It makes nothing green, and its own failure is only told."""
        for task in tasks:
            if not self._stop.is_set():
                self._done(task, beside=beside)

    def _done(self, task: Task, *, beside: bool) -> TaskResult:
        with self._slots:
            # Looked at here: it may have waited long for its turn.
            if self._stop.is_set():
                return self._leave_task(task, "the run was stopped")
            with self._part(task, beside=beside):
                self._audience.begin(task)
                result = replace(self._perform(task), after_failure=task.after_failure)
        self._note(task, result)
        return result

    def _part(self, member: Member, *, beside: bool) -> AbstractContextManager[None]:
        idle = isinstance(member, Group) and all(task.skipped for task in member.tasks())
        return nullcontext() if beside or idle else self._audience.part(member)

    def _leave(self, member: Member, why: str) -> None:
        if isinstance(member, Group):
            for inner in member.members:
                self._leave(inner, why)
        else:
            self._leave_task(member, member.skipped or why)

    def _leave_task(self, task: Task, why: str) -> TaskResult:
        result = TaskResult(number=task.number, name=task.name, state="skipped", reason=why)
        self._note(task, result)
        return result

    def _note(self, task: Task, result: TaskResult) -> None:
        with self._lock:
            self.results.append(result)
        self._audience.end(task, result)
