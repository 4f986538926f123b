# SPDX-License-Identifier: MIT
"""Where in a Jinja2 template a string was printed that is read as something else."""

import re
from pathlib import Path
from types import FrameType
from typing import Final

from kit_deploymentizer.rendering.remarks import Bare, Retyped

_TAG: Final = re.compile(r"\{\{[-+]?\s*(?P<expression>.*?)\s*[-+]?\}\}")


class PrintedStrings:
    """Gathers remarks while templates render. Of a line with several values that stand alone nothing is told: which of
    them was printed is not known."""

    def __init__(self) -> None:
        self.remarks: list[Retyped] = []
        self._sources: dict[str, tuple[list[str], Bare]] = {}

    def printed(self, frame: FrameType, read_as: str) -> None:
        """A string was printed by the template whose compiled code runs in `frame`."""
        debug = frame.f_globals.get("debug_info")
        line = _template_line(debug, frame.f_lineno) if isinstance(debug, str) else None
        if line is None:  # a constant, printed while the template was compiled
            return
        lines, bare = self._source(frame.f_code.co_filename)
        found = _TAG.finditer(lines[line - 1]) if line <= len(lines) else ()
        tags = [tag for tag in found if bare.is_bare(line, tag.start(), tag.end())]
        if len(tags) == 1:
            self.remarks.append(Retyped(tags[0]["expression"], line, read_as))

    def _source(self, file: str) -> tuple[list[str], Bare]:
        if file not in self._sources:
            text = Path(file).read_text("utf-8")
            self._sources[file] = (text.split("\n"), Bare(text))
        return self._sources[file]


def _template_line(debug_info: str, line: int) -> int | None:
    """The template's line of a line of its compiled code; Jinja2 writes them as `TEMPLATE=CODE&TEMPLATE=CODE`."""
    pairs = [tuple(map(int, pair.split("="))) for pair in debug_info.split("&") if "=" in pair]
    return next((template for template, code in reversed(pairs) if code <= line), None)
