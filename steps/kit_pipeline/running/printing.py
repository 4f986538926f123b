# SPDX-License-Identifier: MIT
"""What containers print, line by line, each with its step's name before it, and whole in a file of the step's own."""

import codecs
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from kit_core.render import commandless

_COLOURS: Final = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)


class Printer:
    """One for a whole run; lines of several threads never mix. `mask` hides secrets in a text."""

    def __init__(self, stream: TextIO, *, mask: Callable[[str], str], colour: bool, folder: Path | None = None) -> None:
        self._stream, self._mask, self._colour, self._folder = stream, mask, colour, folder
        self._lock = threading.Lock()

    def voice(self, step: str, *, file: str | None = None) -> "Voice":
        """What prints for one step; `file` is the name of its log, where logs are kept."""
        path = self._folder / f"{file}.log" if self._folder and file else None
        return Voice(self, step, path)

    def line(self, prefix: str, text: str) -> None:
        """One whole line."""
        shown = self._mask(text)
        if self._colour:
            colour = _COLOURS[zlib.crc32(prefix.encode()) % len(_COLOURS)]
            head = f"\x1b[{colour}m{prefix}\x1b[0m | " if prefix else ""
        else:
            # Behind a prefix nothing is at a line's beginning, where CI services look for commands.
            head = f"{prefix} | " if prefix else ""
            shown = commandless(shown)
        with self._lock:
            self._stream.write(f"{head}{shown}\n")
            self._stream.flush()

    def masked(self, text: str) -> str:
        """`text` as it may be kept."""
        return self._mask(text)


class Voice:
    """One step's lines. Bytes come as they come; a line is printed when it is whole, the last one at the end."""

    def __init__(self, printer: Printer, prefix: str, path: Path | None) -> None:
        self._printer, self._prefix = printer, prefix
        self._decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in (False, True)}
        self._open = {False: "", True: ""}
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8") if path else None

    def feed(self, error: bool, data: bytes) -> None:
        """Take what a container has printed to its output, or its error stream."""
        with self._lock:
            text = self._open[error] + self._decoders[error].decode(data)
            *lines, self._open[error] = text.split("\n")
        for line in lines:
            self.line(line.removesuffix("\r"))

    def line(self, text: str) -> None:
        """Print a line."""
        self._printer.line(self._prefix, text)
        if self._file:
            with self._lock:
                self._file.write(self._printer.masked(text) + "\n")
                self._file.flush()

    def close(self) -> None:
        """Print what is left of the last line."""
        for stream in (False, True):
            rest, self._open[stream] = self._open[stream], ""
            if rest:
                self.line(rest)
        if self._file:
            self._file.close()
