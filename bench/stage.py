# SPDX-License-Identifier: MIT
"""What benches work with: a testbed that is started when one first asks for it, and a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from testbed.bed import Testbed


class Stage:
    """Set up at use, gone at the end. KIT_TESTBED=<id> uses a running testbed, and leaves it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._open = ExitStack()
        self._bed: Testbed | None = None

    def bed(self, clusters: int = 0) -> Testbed:
        """A testbed with so many clusters at least."""
        if self._bed is None or len(self._bed.clusters) < clusters:
            running = os.environ.get("KIT_TESTBED")
            if running and self._bed is None:
                found = Testbed.attach(running)
            else:
                found = self._open.enter_context(Testbed.start(clusters, progress=self.say))
            self._bed = found
            return self.bed(clusters)
        return self._bed

    def folder(self) -> Path:
        """A fresh folder."""
        return Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="kit-bench-")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()
