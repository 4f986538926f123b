# SPDX-License-Identifier: MIT
"""kit-pipeline in a process of its own: on a terminal, as a person uses it, or without one, to be ended by signals."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed.docker import docker

ROOT = Path(__file__).parents[2]
LIMIT = 90.0
"""Seconds for anything awaited: many times of what is usual on a quiet machine."""


def left_by(pid: int) -> list[str]:
    """What is in the engine of the runs of a process, by kind and name; not the images that it built."""
    kinds = {
        "container": ("ps", "--all", "--format", '{{.Names}} {{.Label "kit-pipeline.process"}}'),
        "network": ("network", "ls", "--format", '{{.Name}} {{.Label "kit-pipeline.process"}}'),
        "volume": ("volume", "ls", "--format", '{{.Name}} {{.Label "kit-pipeline.process"}}'),
    }
    found = []
    for kind, listing in kinds.items():
        lines = docker(*listing, "--filter", "label=kit-pipeline.run").stdout.splitlines()
        found += [f"{kind} {line.split()[0]}" for line in lines if f"/{pid}/" in line]
    images = docker("image", "ls", "--all", "--quiet", "--filter", "label=kit-pipeline.run").stdout.split()
    for image in set(images):
        label = docker("image", "inspect", "--format", "{{json .Config.Labels}}", image, check=False).stdout
        found += [f"image {image}"] if f"/{pid}/" in label else []
    return found


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_") or name in {"PATH", "HOME"}}
    return {**kept, "PYTHONPATH": str(ROOT / "steps"), "PYTHONUNBUFFERED": "1", "TERM": "xterm", **(env or {})}


class Process:
    """A started kit-pipeline. `said` is all that it has printed so far."""

    def __init__(
        self, folder: Path, arguments: Sequence[str], env: Mapping[str, str] | None = None, *, tty: bool = False
    ) -> None:
        self.said = ""
        command = [sys.executable, "-m", "kit_pipeline", *arguments]
        if tty:
            self._source, inner = pty.openpty()
            self.resize(30, 100)
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment(env), stdin=inner, stdout=inner, stderr=inner,
                start_new_session=True,
            )  # fmt: skip
        else:
            self._source, inner = os.pipe()
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment(env), stdin=subprocess.DEVNULL, stdout=inner, stderr=inner,
                start_new_session=True,
            )  # fmt: skip
        os.close(inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.close()

    def close(self) -> None:
        """As a terminal's window is closed."""
        source, self._source = self._source, -1
        if source >= 0:
            os.close(source)

    def gone(self) -> int:
        """Its exit code, once it has ended; nothing is read any more."""
        return self._process.wait(LIMIT)

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, pattern: str, *, after: int = 0, limit: float = LIMIT) -> int:
        """Wait until that was printed, and say where it ends."""
        end = time.monotonic() + limit
        while not (found := re.search(pattern, self.said[after:])):
            assert time.monotonic() < end, f"{pattern} was not printed:\n{self.said}"
            assert self._read(0.2) or self._process.poll() is None, f"it ended without {pattern}:\n{self.said}"
        return after + found.end()

    def ended(self, *, limit: float = LIMIT) -> int:
        """Its exit code, once it has ended."""
        end = time.monotonic() + limit
        while self._process.poll() is None:
            assert time.monotonic() < end, f"it has not ended:\n{self.said}"
            self._read(0.2)
        while self._read(0.1):
            pass
        return self._process.returncode

    def type(self, keys: str) -> None:
        os.write(self._source, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._source, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """As `kill -9` does, which lets nothing be tidied."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def modes(self) -> list[object]:
        """How the terminal treats what is typed."""
        return list(termios.tcgetattr(self._source))

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._source], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._source, 65_536)
        except OSError:  # a terminal whose other side is closed
            return False
        self.said += data.decode("utf-8", "replace")
        return bool(data)
