# SPDX-License-Identifier: MIT
"""What containers print, line by line, each with its step's name before it, and whole in a file of the step's own."""

import codecs
import contextlib
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TextIO

from kit_core.console import Console
from kit_core.errors import InputError
from kit_core.render import harmless, plain

_COLOURS: Final = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
_WIDEST: Final = 28
_LONGEST: Final = 65_536
_KEPT: Final = 4096
_PAINT: Final = re.compile(r"(\x1b\[[0-9;:]*m)")
_LOG: Final = re.compile(r"(\d+(\.\d+)*(\.on_fail\.\d+)?(@[\w.-]+?)?|image)-[a-z0-9-]+\.log")


class Printer:
    """One for a whole run; lines of several threads never mix. `mask` hides secrets in a text.

    Lines go to `to`: a console, which writes JSON where that is asked for, or a stream. `folder` gets a file for each
    step; files of an earlier run there are removed. Raises `InputError` where that cannot be.
    """

    def __init__(
        self, to: Console | TextIO, *, mask: Callable[[str], str], colour: bool, folder: Path | None = None
    ) -> None:
        self._to, self._mask, self._colour, self._folder = to, mask, colour, folder
        self._lock = threading.Lock()
        self._names: dict[str, int] = {}
        self._width = 0
        self.crowded: frozenset[str] = frozenset()
        self.voices: dict[int, Voice] = {}
        """Those that speak for a task that is being done."""
        if folder is not None:
            _fresh(folder)

    def expect(self, names: Iterable[str], crowded: Iterable[str] = ()) -> None:
        """These will speak: their lines stand below each other, and neighbours have different colours.

        `crowded` are steps that have others beside them: their services are named with them.
        """
        self.crowded = frozenset(crowded)
        self._names = {name: index for index, name in enumerate(dict.fromkeys(names))}
        self._width = min(_WIDEST, max(map(len, self._names), default=0))

    def voice(
        self, step: str, *, file: str | None = None, task: bool = False, aloud: Callable[[str], None] | None = None
    ) -> "Voice":
        """What prints for one step; `file` is the name of its log, where logs are kept. `task`: it is heard to fall
        silent. `aloud` gets the lines of a container's output, in place of the log.
        """
        voice = Voice(self, step, self._folder / f"{file}.log" if self._folder and file else None, aloud=aloud)
        if task:
            self.voices[id(voice)] = voice
        return voice

    def line(self, prefix: str, text: str, *, error: bool = False) -> None:
        """One whole line. Nothing in it is obeyed by a terminal or a CI service, but colours by a terminal."""
        masked = self._mask(text)
        head = harmless(prefix).ljust(self._width) if prefix else ""
        if self._colour:
            number = self._names.get(prefix, zlib.crc32(prefix.encode()))
            head = f"\x1b[{_COLOURS[number % len(_COLOURS)]}m{head}\x1b[0m" if head else ""
            shown = painted(masked)
        else:
            shown = harmless(masked)
        # Behind a prefix nothing is at a line's beginning, where CI services look for commands.
        whole = f"{head} | {shown}" if head else shown
        if isinstance(self._to, Console):
            self._to.line(whole, harmless(text), step=prefix, stream="stderr" if error else "stdout")
            return
        with self._lock, contextlib.suppress(OSError, ValueError):  # a log that nobody reads any more ends no run
            self._to.write(f"{self._mask(whole)}\n")
            self._to.flush()

    def kept(self, text: str) -> str:
        """`text` as it is kept in a file."""
        return self._mask(plain(self._mask(text)))


class Voice:
    """One step's lines. Bytes come as they come; a line is printed when it is whole, the last one at the end.

    `doing` says what the step waits for; `began` and `last` are when it began and printed last, in monotonic seconds.
    """

    def __init__(
        self,
        printer: Printer,
        prefix: str,
        path: Path | None,
        above: "Voice | None" = None,
        *,
        aloud: Callable[[str], None] | None = None,
    ) -> None:
        self._printer, self.prefix, self._path, self._above, self._aloud = printer, prefix, path, above, aloud
        self._decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in (False, True)}
        self._open = {False: "", True: ""}
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self.doing = ""
        self.began = self.last = time.monotonic()

    def beside(self, name: str) -> "Voice":
        """The voice of a service that runs beside the step; the step's file has its lines, too."""
        prefix = f"{self.prefix}/{name}" if self.prefix in self._printer.crowded else name
        return Voice(self._printer, prefix, None, self)

    def feed(self, error: bool, data: bytes) -> None:
        """Take what a container has printed to its output, or its error stream."""
        with self._lock:
            text = self._open[error] + self._decoders[error].decode(data)
            *lines, rest = text.split("\n")
            if len(rest) > _LONGEST and (error or self._aloud is None):
                # Without line ends it is cut, and not within a secret.
                whole = self._printer.kept(rest)
                lines.append(whole[:-_KEPT])
                rest = whole[-_KEPT:]
            self._open[error] = rest
        for line in lines:
            self._said(line, error=error)

    def _said(self, text: str, *, error: bool) -> None:
        """What the container has printed, and not we."""
        if self._aloud is None or error:
            self.line(text, error=error)
            return
        self.last = time.monotonic()
        self._aloud(text)
        self.note(text)

    def line(self, text: str, *, error: bool = False) -> None:
        """Print a line; of one that was drawn over again and again, as progress is, its last state."""
        self.last = time.monotonic()
        text = text.rstrip("\r").rpartition("\r")[2]
        self._printer.line(self.prefix, text, error=error)
        if self._above is not None:
            self._above.note(f"{self.prefix} | {text}")
        else:
            self.note(text)

    def note(self, text: str) -> None:
        """A line for the file alone."""
        if self._path is None:
            return
        with self._lock:
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8", errors="backslashreplace")
            self._file.write(self._printer.kept(text) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Print what is left of the last line."""
        for stream in (False, True):
            rest, self._open[stream] = self._open[stream], ""
            if rest:
                self._said(rest, error=stream)
        self._printer.voices.pop(id(self), None)
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def painted(text: str) -> str:
    """`text` as harmless as any, with its colours, which end with it."""
    parts = _PAINT.split(text)
    shown = "".join(part if index % 2 else harmless(part) for index, part in enumerate(parts))
    return f"{shown}\x1b[0m" if len(parts) > 1 else shown


def _fresh(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if _LOG.fullmatch(path.name):
                path.unlink()
        probe = folder / ".kit-pipeline"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            "The folder of the logs cannot be used", where=str(folder), why=error.strerror or str(error),
            hint="--log-dir names it.",
        ) from None  # fmt: skip
