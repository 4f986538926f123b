# SPDX-License-Identifier: MIT
"""The machine that numbers come from, in one line: without it they say nothing."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path


def machine() -> str:
    """Processor, cores, memory, kernel, Python, git, the date, and how busy the machine was just before."""
    cpu = _first(r"model name\s*: (.*)", "/proc/cpuinfo") or platform.machine()
    memory = int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) / 1024 / 1024
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return ", ".join(
        [
            f"{cpu}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB",
            f"Linux {platform.release().split('-')[0]}",
            f"Python {platform.python_version()}",
            f"git {git}",
            time.strftime("%Y-%m-%d"),
            f"load {os.getloadavg()[0]:.1f} before it",
        ]
    )


def _first(pattern: str, file: str) -> str | None:
    found = re.search(pattern, Path(file).read_text())
    return found.group(1).strip() if found else None
