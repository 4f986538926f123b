# SPDX-License-Identifier: MIT
"""A person with docs/by-hand.md beside the keyboard: types its commands as they stand there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from demo.process import Result, run

GUIDE = Path(__file__).parents[2] / "docs/by-hand.md"

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FUNCTION = re.compile(r"^\w+\(\) \{.*?\}\n", re.MULTILINE | re.DOTALL)
_LIMIT = 300
"""Seconds that a block may take: what waits for a server that is switched off fails."""
_EXPORT = re.compile(r"^export .*\n", re.MULTILINE)


def block(heading: str) -> str:
    """The commands below a heading of the guide: its only block."""
    section = GUIDE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = _BLOCK.findall(section)
    assert len(blocks) == 1, f"{len(blocks)} blocks of commands under {heading!r}"
    return str(blocks[0])


@dataclass
class Terminal:
    """A shell in a folder. Functions and exports of what was typed last as long as it is open.

    `images` stands before the names of kit's images, as a registry would. `git` is how git is called on this machine.
    """

    folder: Path
    images: str
    git: str
    _known: str = field(default="", init=False)

    def type(self, commands: str, *, env: Mapping[str, str] | None = None) -> Result:
        """Run commands, each of which has to succeed."""
        commands = re.sub(r"(?<![\w/])(kit-[a-z-]+:\d+\.\d+)", rf"{self.images}/\1", commands)
        script = f'set -eu -o pipefail\ngit() {{ {self.git} "$@"; }}\n{self._known}{commands}'
        self._known += "".join(_FUNCTION.findall(commands) + _EXPORT.findall(commands))
        quiet = {name: "" for name in os.environ if name.startswith(("CI", "GITHUB_", "GITLAB_", "KIT_"))}
        return run(["bash", "-c", script], cwd=self.folder, env={**quiet, **(env or {})}, limit=_LIMIT, check=True)
