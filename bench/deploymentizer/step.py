# SPDX-License-Identifier: MIT
"""kit-deploymentizer as a process, and what it told."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Run, python_env, run_process

# The kernel keeps the peak of a process until it ends: the process itself tells it last.
_TELLING = """
import atexit, re
def tell():
    print("peak=" + re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
atexit.register(tell)
from kit_deploymentizer.cli import main
main()
"""


@dataclass(frozen=True)
class Rendered:
    """One run: what it took, its peak in MiB, and how many files it wrote and left."""

    run: Run
    peak: float
    written: int
    unchanged: int


@contextmanager
def quiet_folder() -> Iterator[Path]:
    """A folder in memory where there is one: a disk that others write to says nothing of the step."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="kit-bench-", dir=place) as name:
        yield Path(name)


def render(fleet: Path, cache: Path, **settings: str) -> Rendered:
    """Run the step on the fleet. Raises `RuntimeError` where it fails."""
    env = python_env(str(cache), CONF=str(fleet / "kit.yaml"), WORKDIR=str(fleet), **settings)
    run = run_process([sys.executable, "-c", _TELLING], env)
    told = re.search(r"written=(\d+) unchanged=(\d+)", run.output)
    if told is None:
        raise RuntimeError(f"it did not say what it wrote:\n{run.output[-2000:]}")
    return Rendered(run, int(run.output.rpartition("peak=")[2]) / 1024, int(told[1]), int(told[2]))


def render_anew(fleet: Path, cache: Path, **settings: str) -> Rendered:
    """The same without an earlier output in place."""
    shutil.rmtree(fleet / "generated", ignore_errors=True)
    return render(fleet, cache, **settings)
