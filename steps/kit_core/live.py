# SPDX-License-Identifier: MIT
"""What is awaited, as a block of lines on a terminal that is drawn over until the wait is over."""

import os
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final, TextIO

from kit_core.render import harmless

_ELLIPSIS: Final = "…"


@dataclass(frozen=True, eq=False, kw_only=True)
class Wait:
    """One thing that is awaited; `describe` says by whom and for what, a line each. `begun` is a monotonic time."""

    describe: Callable[[], str]
    cluster: str | None
    begun: float
    done: Event = field(default_factory=Event)

    def told(self) -> str:
        """What is awaited. A description that fails must not silence the run: a CI service would end the job."""
        try:
            return self.describe().strip() or "still waiting"
        except Exception as error:  # noqa: BLE001 - whatever it is, the wait itself goes on
            return f"still waiting (for what cannot be told: {type(error).__name__}: {error})"


def frame(told: Sequence[tuple[str | None, float, str]], *, columns: int, rows: int) -> list[str]:
    """The block's lines for what is awaited (cluster, seconds, text), none wider and not more than the terminal has."""
    shown = []
    for cluster, seconds, text in told:
        head = f"[{harmless(cluster)}] " if cluster else ""
        first, *others = [head + harmless(line) for line in text.splitlines()] or [head]
        clock = f" ({seconds:.0f} s)"
        room = columns - 1 - len(clock)
        shown.append(cut(first, room) + clock if room > 0 else cut(first, columns - 1))
        shown += [cut(line, columns - 1) for line in others]
    most = max(1, rows - 2)
    if len(shown) <= most:
        return shown
    return [*shown[: most - 1], cut(f"{_ELLIPSIS} and {len(shown) - most + 1} more lines", columns - 1)]


def cut(text: str, columns: int) -> str:
    """As much of `text` as fits into so many columns; Chinese letters and most emoji take two, accents none."""
    if sum(map(_columns, text)) <= columns:
        return text
    taken, left = [], columns - 1
    for letter in text:
        left -= _columns(letter)
        if left < 0:
            break
        taken.append(letter)
    return "".join(taken) + _ELLIPSIS if columns > 0 else ""


def terminal_size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows of the terminal behind `stream`, which need not be the one behind standard output."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        size = shutil.get_terminal_size()
    return (size.columns or 80, size.lines or 24)


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1
