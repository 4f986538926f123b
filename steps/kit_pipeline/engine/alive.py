# SPDX-License-Identifier: MIT
"""Whether the process of a run still lives. Its name is a label of everything that the run makes.

Where that cannot be seen (another machine with the same engine, or a container of another engine) a run is taken to be
alive for a day.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

DAY_SECONDS: Final = 86_400.0
"""How long a run is spared that nothing is known of."""
_LOADED: Final = str(int(time.time()))


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process: its machine, that machine's boot, the process namespace (each container has its own), its number, and
    when it began, once in ticks since the boot and once in seconds since 1970. `container` is its own container, where
    it is one of the engine's.
    """

    machine: str
    boot: str
    space: str
    number: str
    began: str
    at: str
    container: str = ""

    def __str__(self) -> str:
        """As a label's value."""
        return "/".join(getattr(self, field.name) for field in fields(self))


def read_process(text: str) -> Process | None:
    """The process of a label's value; None where it is none."""
    parts = text.split("/")
    names = [field.name for field in fields(Process)]
    return Process(**dict(zip(names, parts, strict=True))) if len(parts) == len(names) else None


def this_process(container: str = "") -> str:
    """Our process; `container` is the one that we run in, where it is one of the engine's."""
    return str(
        Process(
            machine=_machine(),
            boot=_boot(),
            space=_space(),
            number=str(os.getpid()),
            began=_began(os.getpid()),
            at=_LOADED,
            container=container,
        )
    )


def lives(process: str, *, runs: Callable[[str], bool] = lambda _: True, now: Callable[[], float] = time.time) -> bool:
    """Whether a process is still there, as far as can be told; `runs` says it of a container of the engine."""
    found = read_process(process)
    if found is None:
        return False
    if (found.boot, found.space) == (_boot(), _space()) and found.boot:
        return found.number.isdigit() and bool(found.began) and _began(int(found.number)) == found.began
    if found.container:
        return runs(found.container)
    if found.machine == _machine() and found.boot != _boot():
        return False  # it was started anew since
    return found.at.isdigit() and now() - int(found.at) < DAY_SECONDS


def _machine() -> str:
    own = ""
    with contextlib.suppress(OSError):
        own = Path("/etc/machine-id").read_text("ascii").strip()[:8]
    return f"{socket.gethostname().replace('/', '-')}.{own}"


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def _space() -> str:
    with contextlib.suppress(OSError):
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    return ""


def _began(process: int) -> str:
    with contextlib.suppress(OSError, IndexError):
        # The 22nd field is the start time (proc(5)); the second, in parentheses, may hold spaces.
        return Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    return ""
