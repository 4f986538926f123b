# SPDX-License-Identifier: MIT
"""The error tree. Each class carries its exit code; messages are sentences that end with what to do next."""

from collections.abc import Iterable
from typing import ClassVar


class KitError(Exception):
    """Something a person must know: what failed, where, why, and what to do next.

    `what` is the sentence's beginning without a final stop ("The settings are wrong"); `where` a file:line, a
    cluster or an object; `why` the cause, in the words of whoever refused; `hint` the next thing to do, as a
    sentence of its own. `file`, `line` and `column` (both 1-based) let a CI service mark the place.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        why: str | None = None,
        hint: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.hint = hint
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        """The whole sentence: `where: what: why. hint`, leaving out what is not known."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        body = f"{head}: {self.why}" if self.why else head
        return f"{_stopped(body)} {_stopped(self.hint)}" if self.hint else _stopped(body)


class WorkError(KitError):
    """The work failed: a cluster is not healthy, a template did not render, a push was refused."""

    exit_code = 1


class InputError(KitError):
    """Settings or input files are wrong; nothing was touched."""

    exit_code = 2


class TimeLimitError(KitError):
    """A time limit ran out."""

    exit_code = 70


class BusyError(KitError):
    """Someone else is in the way (a lock held, races lost to the end); trying again may help."""

    exit_code = 75


class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived. Not an `Exception`, so that no handler for failures swallows it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells report it: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.signal_number


_PRECEDENCE = (143, 130, 1, 70, 75, 2, 3, 0)


def worst_exit_code(codes: Iterable[int]) -> int:
    """The one exit code of many outcomes: 1 before 70 before 75; 0 when there is none."""
    return min(codes, default=0, key=lambda code: _PRECEDENCE.index(code) if code in _PRECEDENCE else -1)


def _stopped(sentence: str) -> str:
    sentence = sentence.rstrip()
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
