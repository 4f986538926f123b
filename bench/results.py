# SPDX-License-Identifier: MIT
"""What a bench found, and its place in RESULTS.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEAD = """# Results

Written by `make bench`, each section by its own bench (`python -m bench NAME`). Numbers of different machines, and of
different hours of a shared one, do not compare; the two sides of a section do: they ran in turns.
"""


@dataclass(frozen=True)
class Goal:
    """Something to reach: `value` at most `limit`."""

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def reached(self) -> bool:
        """Whether it was."""
        return self.value <= self.limit

    def __str__(self) -> str:
        word = "reached" if self.reached else "**missed**"
        unit = f" {self.unit}" if self.unit else ""
        return f"- {self.what}: {self.value:.3g}{unit}, at most {self.limit:.3g}{unit} wanted: {word}"


@dataclass(frozen=True)
class Section:
    """Markdown of what was measured (and how), and the goals."""

    lines: Sequence[str]
    goals: Sequence[Goal] = ()


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A markdown table."""
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *rows)]


def write_section(file: Path, title: str, section: Section, machine: str) -> None:
    """Put the section in the place of the one with this title, or at the end; the others stay as they are."""
    goals = [str(goal) for goal in section.goals]
    body = [f"## {title}", "", machine, "", *section.lines, *(["", *goals] if goals else [])]
    text = "\n".join(body) + "\n"
    whole = file.read_text() if file.exists() else _HEAD
    sections = re.split(r"(?m)^(?=## )", whole)
    for index, present in enumerate(sections):
        if present.splitlines()[:1] == [f"## {title}"]:
            sections[index] = text
            break
    else:
        sections.append(text)
    file.write_text("\n\n".join(part.strip() for part in sections) + "\n")
