# SPDX-License-Identifier: MIT
"""What became of each task."""

from dataclasses import dataclass
from typing import Literal

from kit_core.errors import KitError

State = Literal["passed", "failed", "skipped", "stopped"]


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """A task's end. `exit_code` is its program's, where there was one; `error` what kept it from running at all.

    `seconds` are those of all of it, `preparing` those before its program ran: image, network, other services.
    """

    number: str
    name: str
    state: State
    reason: str | None = None
    exit_code: int | None = None
    error: KitError | None = None
    seconds: float = 0.0
    preparing: float = 0.0


@dataclass(frozen=True)
class RunResult:
    """A run's end: its tasks in the order of the plan, those of `on_fail` behind what failed."""

    tasks: tuple[TaskResult, ...]

    @property
    def failed(self) -> tuple[TaskResult, ...]:
        """What failed."""
        return tuple(task for task in self.tasks if task.state == "failed")

    @property
    def exit_code(self) -> int:
        """0 where nothing failed; else the step's own kind of failure: wrong files 2, all else 1."""
        if not self.failed:
            return 0
        codes = {task.error.exit_code if task.error else 1 for task in self.failed}
        return codes.pop() if len(codes) == 1 else 1
