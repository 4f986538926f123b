# SPDX-License-Identifier: MIT
"""How what a run makes is known: by labels, and by names that hold nothing of the user's but harmless letters."""

import hashlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_pipeline.engine.paths import Paths

OURS: Final = "kit-pipeline"
RUN: Final = "kit-pipeline.run"
PROCESS: Final = "kit-pipeline.process"
PROJECT: Final = "kit-pipeline.project"
_LONGEST: Final = 40
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """A run: its own short name, and the process that it belongs to (see `alive.this_process`)."""

    name: str
    process: str

    @property
    def labels(self) -> dict[str, str]:
        """What everything of this run carries."""
        return {OURS: "true", RUN: self.name, PROCESS: self.process}

    def called(self, *parts: str) -> str:
        """A new name for a container or a network of this run, each time another: `a_b` and `a-b` read alike."""
        words = (harmless(part)[:_LONGEST] for part in parts if part)
        return "-".join((OURS, self.name, *words, str(next(_numbers))))


def project_of(folder: Path, paths: Paths) -> str:
    """What keeps the images of one pipeline apart from those of others: the machine's folder that it lies in.

    Two repositories may be mounted at one path into containers of ours; what is mounted from nowhere is this
    container's alone.
    """
    try:
        place = paths.on_machine(folder.resolve())
    except InputError:
        place = f"{paths.container}:{folder.resolve()}"
    return hashlib.sha256(place.encode()).hexdigest()[:12]


def harmless(text: str) -> str:
    """`text` in the letters that the engine takes in any name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
