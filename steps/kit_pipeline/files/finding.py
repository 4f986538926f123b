# SPDX-License-Identifier: MIT
"""What there is to say of a file: errors stop a run, warnings are likely mistakes, notes tell what has no effect."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kit_core.errors import InputError
from kit_core.yamlio import Position

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing to say: how bad it is, where it stands, what it is, what to do next."""

    level: Level
    place: Position
    what: str
    hint: str | None = None

    def __str__(self) -> str:
        """One line, as it is printed."""
        return f"{self.place}: {self.level}: {self.what}." + (f" {self.hint}" if self.hint else "")


Report: TypeAlias = Callable[[Finding], None]


class WrongFiles(InputError):
    """Files with errors; `findings` holds them all."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(finding for finding in findings if finding.level == "error")
        first, more = self.findings[0], len(self.findings) - 1
        super().__init__(
            first.what,
            where=str(first.place),
            why=f"and {more} more error{'s' if more > 1 else ''}" if more else None,
            hint=first.hint,
            file=first.place.name,
            line=first.place.line,
            column=first.place.column,
        )


def refuse(findings: Iterable[Finding]) -> None:
    """Raise `WrongFiles` where there is an error among them."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise WrongFiles(errors)
