# SPDX-License-Identifier: MIT
"""Run a command, keep what it said, and pass it on line by line while it runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Listener = Callable[[str], None]

_GRACE = 20
"""Seconds that an interrupted command gets to end by itself: kit's steps need two, `docker run` a little more."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a command: its exit code, all that it printed (both streams, in order), and how long it took."""

    command: tuple[str, ...]
    code: int
    output: str
    seconds: float

    def line(self, pattern: str) -> str | None:
        """The first line of the output that the expression is found in."""
        return next((line for line in self.output.splitlines() if re.search(pattern, line)), None)


class CommandFailed(Exception):
    """A command that had to work did not; the message holds its last lines."""

    def __init__(self, result: Result) -> None:
        tail = "\n".join("  " + line for line in result.output.strip().splitlines()[-15:])
        super().__init__(f"`{shlex.join(result.command)}` ended with {result.code}:\n{tail}")
        self.result = result


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    listener: Listener | None = None,
    limit: float = 600,
    check: bool = False,
) -> Result:
    """Run a command to its end; `env` is added to our own environment, `limit` is in seconds.

    Interrupted, it waits for the command, which got the same signal from the terminal. Raises CommandFailed with
    `check` set.
    """
    began = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        watchdog = threading.Timer(limit, process.kill)
        watchdog.start()
        try:
            for line in process.stdout or ():
                lines.append(line)
                if listener:
                    listener(line.rstrip("\n"))
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            watchdog.cancel()
    seconds = time.monotonic() - began
    if seconds >= limit:
        lines.append(f"(stopped after {limit:.0f} s)\n")
    result = Result(command=tuple(command), code=code, output="".join(lines), seconds=seconds)
    if check and code:
        raise CommandFailed(result)
    return result


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
