# SPDX-License-Identifier: MIT
"""What several processes may ask for at once is made by one of them; the others wait, and then find it there."""

from __future__ import annotations

import contextlib
import fcntl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def one_at_a_time(name: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the machine-wide lock of that name; it is free again when this process ends, however it ends."""
    with (Path(tempfile.gettempdir()) / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{name}: another process is at it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
