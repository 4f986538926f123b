# SPDX-License-Identifier: MIT
"""Who a testbed belongs to, written into a label. Pure.

What a killed process left behind is told by it from what another one still uses.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

DETACHED = "detached"


@dataclass(frozen=True)
class Owner:
    """A process: its machine's name and boot, its number, and when it began (a number alone is used again)."""

    host: str
    boot: str
    pid: int
    began: str

    def __str__(self) -> str:
        return f"{self.host}/{self.boot}/{self.pid}/{self.began}"


def current(proc: Path = Path("/proc"), pid: int | None = None) -> Owner:
    """This process (or another one of this machine)."""
    number = os.getpid() if pid is None else pid
    return Owner(platform.node(), _boot(proc), number, _began(proc, number))


def is_gone(label: str, proc: Path = Path("/proc")) -> bool:
    """Whether the process that a label names has ended.

    One of another machine, or an unreadable label, counts as alive.
    """
    if label == DETACHED:
        return False
    try:
        host, boot, pid, began = label.split("/")
        owner = Owner(host, boot, int(pid), began)
    except ValueError:
        return False
    if owner.host != platform.node():
        return False
    if owner.boot != _boot(proc):
        return True
    return _began(proc, owner.pid) != owner.began


def _boot(proc: Path) -> str:
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


def _began(proc: Path, pid: int) -> str:
    """When a process began, in clock ticks since boot.

    "-" where there is no such process, "+" for a live one on a machine without /proc.
    """
    try:
        # The second field is the program's name in brackets, which may hold anything.
        return (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        if proc.is_dir():
            return "-"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "-"
    except PermissionError:
        pass
    return "+"
