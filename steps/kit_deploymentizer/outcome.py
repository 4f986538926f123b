# SPDX-License-Identifier: MIT
"""How a run of the library ends: what it did, or what kept it from doing anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit_core.errors import KitError, worst_exit_code
from kit_deploymentizer.problems import Problem


class RenderError(KitError):
    """The plan has errors, so nothing was written. `problems` are all of them; `exit_code` is the worst of theirs."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
        self.exit_code = worst_exit_code(problem.error.exit_code for problem in self.problems)  # type: ignore[misc]


@dataclass(frozen=True)
class Report:
    """What a run did. Paths are below the output folder; `stale` are workloads that keep a value that changed."""

    output: Path
    clusters: tuple[str, ...]
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    saved: bool
    problems: tuple[Problem, ...]
    stale: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """`rendered` where something changed, else `unchanged`; `checked` without SAVE."""
        if not self.saved:
            return "checked"
        return "rendered" if self.written or self.removed else "unchanged"
