# SPDX-License-Identifier: MIT
"""The testbed's own images.

Each is tagged by a digest of the files it is made of: it is built when they change, and never otherwise.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testbed.baseimage import build_arguments, ensure_base
from testbed.docker import Progress, docker, ensure_engine
from testbed.errors import TestbedError
from testbed.lock import one_at_a_time

_HERE = Path(__file__).parent
_HEARTBEAT = 20
"""Seconds without news after which the builder says what it is still at."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An image: its name, the folder it is made of, and the images it takes parts from (by build argument)."""

    name: str
    folder: Path
    takes: Mapping[str, Recipe] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    note: str = ""

    @property
    def reference(self) -> str:
        """`name:digest`, the digest being that of all files that go into the image."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            relative = path.relative_to(self.folder)
            if path.is_file() and relative.parts[0] not in self.ignored and "__pycache__" not in relative.parts:
                digest.update(f"{relative}\0{path.stat().st_mode & 0o111}\0".encode() + path.read_bytes() + b"\0")
        for argument, recipe in sorted(self.takes.items()):
            digest.update(f"{argument}={recipe.reference}\0".encode())
        return f"{self.name}:{digest.hexdigest()[:12]}"


KUBERNETES = Recipe(
    name="kit-testbed-kubernetes",
    folder=_HERE / "image" / "kubernetes",
    note="compiles Kubernetes: about 7 minutes on 2 cores, once",
)
TESTBED = Recipe(
    name="kit-testbed",
    folder=_HERE / "image",
    takes={"KUBERNETES": KUBERNETES},
    ignored=("kubernetes",),
    note="half a minute, once",
)
WORKLOAD = Recipe(name="kit-testbed-workload", folder=_HERE / "workload", note="half a minute, once")
S3 = Recipe(
    name="kit-testbed-s3",
    folder=_HERE / "versitygw",
    note="compiles an S3 server: about a minute and a half on 2 cores, once",
)
TOXIPROXY = Recipe(name="kit-testbed-toxiproxy", folder=_HERE / "toxiproxy", note="half a minute, once")
BROWSER = Recipe(name="kit-testbed-browser", folder=_HERE / "chromium", note="about a minute, once")


def ensure_image(recipe: Recipe, progress: Progress = print) -> str:
    """Return the image's reference, building it (and what it takes parts from) first if it is not here.

    An interrupted build goes on where it was, layer by layer. Raises TestbedError with the builder's last lines.
    """
    ensure_engine(progress)
    reference = recipe.reference
    if _is_here(reference):
        return reference
    parts = {argument: ensure_image(needed, progress) for argument, needed in recipe.takes.items()}
    with one_at_a_time(recipe.name, progress):
        if not _is_here(reference):
            _build(recipe, reference, parts, progress)
    return reference


def _is_here(reference: str) -> bool:
    return docker("image", "inspect", reference, check=False).returncode == 0


def _build(recipe: Recipe, reference: str, parts: Mapping[str, str], progress: Progress) -> None:
    base = ensure_base(progress)
    progress(f"{recipe.name}: building ({recipe.note})")
    arguments = ["--build-arg", f"BASE={base}", *build_arguments()]
    for argument, value in parts.items():
        arguments += ["--build-arg", f"{argument}={value}"]
    command = ["docker", "build", "--force-rm", *arguments, "--tag", reference, str(recipe.folder)]
    reporter = _Reporter(recipe.name, progress)
    with reporter:
        code = _follow(command, reporter.take)
    if code:
        raise TestbedError(
            f"the image {recipe.name} could not be built from {recipe.folder}; "
            f"the builder's last lines:\n{reporter.tail()}"
        )
    progress(f"{recipe.name}: built in {reporter.elapsed()}")


def _follow(command: list[str], take: Callable[[str], None]) -> int:
    """Run a command, hand on each line that it prints, return its exit code; ends when this process is interrupted."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "BUILDKIT_PROGRESS": "plain"},
        start_new_session=True,
    )
    with process:
        try:
            for line in process.stdout or ():
                take(line)
        except BaseException:
            process.terminate()
            raise
    return process.returncode


class _Reporter:
    """Turns the builder's output into a line a step and a sign of life in between."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress = name, progress
        self._start = time.monotonic()
        self._lines: list[str] = []
        self._step = "starting"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def take(self, line: str) -> None:
        self._lines = [*self._lines[-40:], line.rstrip()]
        if step := step_of(line):
            self._step = step
            self._say(step)

    def tail(self) -> str:
        return "\n".join("  " + line for line in self._lines[-20:])

    def elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        return f"{minutes}:{seconds:02}"

    def _say(self, text: str) -> None:
        self._progress(f"{self._name}: [{self.elapsed()}] {text}")

    def _beat(self) -> None:
        while not self._done.wait(_HEARTBEAT):
            self._say(f"… {self._step}")


def step_of(line: str) -> str | None:
    """The step that a line of the builder's output begins, shortened; None for any other line.

    Both the classic builder's and BuildKit's plain output are understood.
    """
    match = re.match(r"Step (\d+/\d+) : ((?:FROM|RUN|COPY)\s.*)", line) or re.match(
        r"#\d+ \[(?:[\w-]+ )?(\d+/\d+)\] ((?:FROM|RUN|COPY)\s.*)", line
    )
    if not match:
        return None
    what = " ".join(match[2].split())
    return f"step {match[1]}: {what if len(what) <= 90 else what[:89] + '…'}"
