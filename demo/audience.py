# SPDX-License-Identifier: MIT
"""Ways to watch a command whose output says the same many times: what is left out is counted and said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from demo.narrator import Narrator


class Ending:
    """Shows the output from the first line on that starts with `begin`."""

    def __init__(self, tell: Narrator, begin: str) -> None:
        self._tell = tell
        self._begin = begin
        self._held = 0
        self._begun = False

    def command(self, command: Sequence[str]) -> None:
        """Show it."""
        self._tell.command(command)

    def output(self, line: str) -> None:
        """Show it if the beginning was seen, else count it."""
        if not self._begun and line.startswith(self._begin):
            self._begun = True
            self._tell.output(f"(… {self._held} lines, one or two for each object …)")
        if self._begun:
            self._tell.output(line)
        self._held += 1


class Folding:
    """Shows one line in place of several in a row that match `pattern`, saying that they are `what`."""

    def __init__(self, tell: Narrator, pattern: str, what: str) -> None:
        self._tell = tell
        self._pattern = re.compile(pattern)
        self._what = what
        self._folded = 0

    def command(self, command: Sequence[str]) -> None:
        """Show it."""
        self._tell.command(command)

    def output(self, line: str) -> None:
        """Show it, or fold it."""
        if self._pattern.search(line):
            self._folded += 1
            return
        if self._folded:
            self._tell.output(f"(… {self._folded} lines: {self._what} …)")
            self._folded = 0
        self._tell.output(line)
