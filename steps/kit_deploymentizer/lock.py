# SPDX-License-Identifier: MIT
"""One run at a time writes to an output."""

import contextlib
import errno
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kit_core.errors import BusyError

_LOCK: Final = "lock"
_PAUSE_SECONDS: Final = 0.1


@contextlib.contextmanager
def alone(hidden: Path, patience: float) -> Iterator[None]:
    """Keep other runs from writing to the output whose hidden folder this is: two at once would leave a mix of both.

    Waits `patience` seconds for one that is at it, then raises `BusyError`. The system lets go of the lock of a run
    that is killed.
    """
    hidden.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with (hidden / _LOCK).open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EACCES}:
                    break  # a file system without locks
            else:
                break
            if time.monotonic() > deadline:
                raise BusyError(
                    "Another run is writing to the output",
                    where=str(hidden.parent),
                    why=f"it holds {hidden / _LOCK} for more than {patience:g} s",
                    hint="Run again when it has ended, or end it.",
                )
            time.sleep(_PAUSE_SECONDS)
        yield
