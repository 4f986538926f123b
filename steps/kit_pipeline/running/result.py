# SPDX-License-Identifier: MIT
"""What became of each task."""

from dataclasses import dataclass
from typing import Literal

from kit_core.errors import InputError, KitError, worst_exit_code

State = Literal["passed", "failed", "skipped", "stopped"]


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """A task's end. `exit_code` is its program's, where there was one; `error` what kept it from running at all.

    `seconds` are those of all of it, `preparing` those before its program ran: image, network, other services.
    `after_failure` is that of an `on_fail`, which is only told.
    """

    number: str
    name: str
    state: State
    reason: str | None = None
    exit_code: int | None = None
    error: KitError | None = None
    seconds: float = 0.0
    preparing: float = 0.0
    after_failure: bool = False


@dataclass(frozen=True)
class RunResult:
    """A run's end: its tasks as they ended, those of `on_fail` behind what failed."""

    tasks: tuple[TaskResult, ...]

    @property
    def failed(self) -> tuple[TaskResult, ...]:
        """What failed."""
        return tuple(task for task in self.tasks if task.state == "failed")

    @property
    def word(self) -> str:
        """What became of the run: `passed`, `failed`, or `nothing` where no step was to be done."""
        if self.exit_code or any(task.state == "stopped" for task in self.tasks):
            return "failed"
        return "passed" if any(task.state == "passed" for task in self.tasks) else "nothing"

    @property
    def exit_code(self) -> int:
        """0 where nothing failed, else that of the worst failure; what an `on_fail` does changes nothing.

        2 says that nothing was touched: that holds only where no step had run.
        """
        failed = [task for task in self.failed if not task.after_failure]
        ran = any(task.state == "passed" or task.exit_code for task in self.tasks)
        codes = [task.error.exit_code if task.error else 1 for task in failed]
        return worst_exit_code(1 if ran and code == InputError.exit_code else code for code in codes)
