# SPDX-License-Identifier: MIT
"""Everything that the demo prints: headings, sentences, commands, their output, and what was checked."""

from __future__ import annotations

import re
import shlex
import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

_WIDTH = 100
_BOLD, _DIM, _RED, _GREEN, _CYAN = "1", "2", "31", "32", "36"
_LONG_ID = re.compile(r"\b([0-9a-f]{10})[0-9a-f]{30,54}\b")
_VALUED = {"-e", "-v", "-w", "-t", "-f", "-c", "-m", "-n", "-u", "--network", "--build-arg", "--env", "--label"}
"""Options that are followed by their value: both stay on one line."""


class Narrator:
    """Writes to one stream; in colour where that is a terminal and nobody objects (NO_COLOR, CI)."""

    def __init__(self, stream: TextIO, env: Mapping[str, str]) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and not env.get("NO_COLOR") and not env.get("CI")
        self._unicode = (getattr(stream, "encoding", None) or "ascii").lower().startswith("utf")
        self._began = time.monotonic()
        self._scene = 0
        self.checks = 0

    def scene(self, title: str) -> None:
        """A heading, with the time on the clock of the show."""
        self._scene += 1
        clock = f"{time.monotonic() - self._began:4.0f} s"
        self._line()
        self._line(self._paint(f"{self._scene}. {title}".ljust(_WIDTH - len(clock)) + clock, _BOLD))
        self._line(self._paint(("─" if self._unicode else "-") * _WIDTH, _DIM))

    def say(self, text: str) -> None:
        """A paragraph of the story; line breaks of the source do not count."""
        self._line(textwrap.fill(" ".join(text.split()), _WIDTH))

    def show(self, text: str) -> None:
        """Text that keeps its lines: a picture, a list, a file."""
        for line in textwrap.dedent(text).strip("\n").splitlines():
            self._line("  " + line)

    def command(self, command: Sequence[str]) -> None:
        """A command as one would type it."""
        self._line()
        for number, line in enumerate(_typed(command)):
            self._line(self._paint(("$ " if number == 0 else "    ") + line, _CYAN))

    def output(self, line: str) -> None:
        """One line that a command printed, long digests and commit ids cut for the eye."""
        shown = _LONG_ID.sub(r"\1…", _harmless(line))
        self._line(self._paint("  │ " if self._unicode else "  | ", _DIM) + shown)

    def progress(self, text: str) -> None:
        """What is being prepared just now."""
        self._line(self._paint(f"  {text}", _DIM))

    def check(self, text: str, seconds: float | None = None) -> None:
        """Something that was verified, and the seconds it took."""
        self.checks += 1
        mark = "✓" if self._unicode else "ok:"
        took = "" if seconds is None else self._paint(f"  ({seconds:.1f} s)", _DIM)
        self._line(self._paint(f"{mark} {text}", _GREEN) + took)

    def failure(self, text: str) -> None:
        """What did not come out as it should."""
        self._line()
        for line in text.splitlines():
            self._line(self._paint(line, _RED))

    def blank(self) -> None:
        """An empty line."""
        self._line()

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text

    def _line(self, text: str = "") -> None:
        if not self._unicode:
            text = text.encode("ascii", "replace").decode()
        self._stream.write(text.rstrip() + "\n")
        self._stream.flush()


def _typed(command: Sequence[str]) -> list[str]:
    """A command in lines that a shell takes as they are: an option stays with its value."""
    words: list[str] = []
    for word in command:
        quoted = _quoted(word)
        if words and words[-1] in _VALUED:
            words[-1] = f"{words[-1]} {quoted}"
        else:
            words.append(quoted)
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 1 > _WIDTH - 8:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}"
    return [line + " \\" for line in lines[:-1]] + lines[-1:]


def _quoted(word: str) -> str:
    """Quoted for a shell, `$PWD` left to it."""
    if word.startswith("$PWD/"):
        name, _, rest = word.partition(":")
        return f'"{name}"' + (f":{rest}" if rest else "")
    return shlex.quote(word)


def _harmless(line: str) -> str:
    """Without what would move a cursor or make a terminal do something."""
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line)
