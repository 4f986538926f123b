# SPDX-License-Identifier: MIT
"""How the program's commands tell people what they found."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from kit_core.console import Console

if TYPE_CHECKING:
    from kit_deploymentizer.problems import Problem

DIFFERENT: Final = 3
"""The exit code for a difference, where it is asked for."""


def counted(number: int, what: str) -> str:
    """A number of things in words."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def tell(problem: "Problem", console: Console, root: Path, cwd: Path) -> None:
    """One line: a single cluster as the line's prefix, several in front of the sentence.

    The sentence names files as they are found below `root`. What a CI marks is looked for from `cwd`, its checkout.
    """
    error, clusters = problem.error, tuple(problem.clusters)
    if error.file and root != cwd and root.is_relative_to(cwd) and cwd != Path("/"):
        error.file = str(root.relative_to(cwd) / error.file)
    single = clusters[0] if len(clusters) == 1 else None
    if problem.warning:
        console.warning(str(error if single else problem), cluster=single, file=error.file, line=error.line)
        return
    if len(clusters) > 1:
        error.where = f"[{problem.named}] {error.where}" if error.where else f"[{problem.named}]"
    console.error(error, cluster=single)
