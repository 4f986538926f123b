# SPDX-License-Identifier: MIT
"""One run at a time writes to an output."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kit_core.errors import BusyError

_PAUSE_SECONDS: Final = 0.1


@contextlib.contextmanager
def alone(hidden: Path, patience: float) -> Iterator[None]:
    """Keep other runs from writing to the output whose hidden folder this is: two at once would leave a mix of both.

    Waits `patience` seconds for one that is at it, then raises `BusyError`. The system lets go of the lock of a run
    that is killed.
    """
    hidden.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    handle = os.open(hidden, os.O_RDONLY)  # the folder itself: a file would belong to whoever came first
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EACCES}:
                    break  # a file system without locks
            else:
                break
            if time.monotonic() > deadline:
                raise BusyError(
                    "Another run is writing to the output",
                    where=str(hidden.parent),
                    why=f"it holds a lock on {hidden} for more than {patience:g} s",
                    hint="Run again when it has ended, or end it.",
                )
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(handle)
