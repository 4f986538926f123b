# SPDX-License-Identifier: MIT
"""A folder that no disk holds, for programs that write files of their own beside the one they are given.

It lies in a file system that the kernel keeps in memory (tmpfs, ramfs), is ours alone (mode 700), and goes with us: a
small process waits for our end, so that even `kill -9` leaves nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kit_core.errors import WorkError

_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_GUARD: Final = "import shutil,sys; sys.stdin.buffer.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"
_SECONDS: Final = 10


@contextmanager
def folder_in_memory(candidates: Sequence[Path], mounts: Path = Path("/proc/self/mountinfo")) -> Iterator[Path]:
    """A new folder in the first of `candidates` that memory holds and that can be written; removed at the end.

    `mounts` is the kernel's list of file systems (proc(5)). Raises `WorkError` where there is none.
    """
    kinds = _kinds(mounts)
    for candidate in candidates:
        try:
            number = candidate.stat().st_dev
            if kinds.get(f"{os.major(number)}:{os.minor(number)}") not in _IN_MEMORY:
                continue
            folder = Path(tempfile.mkdtemp(prefix="kit-edit-", dir=candidate))
        except OSError:
            continue
        with _removed(folder):
            yield folder
        return
    looked = ", ".join(map(str, candidates))
    raise WorkError(
        "There is no folder in memory for the decrypted text",
        why=f"none of {looked} can be written and is a tmpfs",
        hint="In a container, `--tmpfs /dev/shm:mode=1777` gives one; else `decrypt`, change, and `encrypt` again.",
    )


def memory_candidates(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Where such a folder may be made: the session's own, the shared one, and a /tmp that memory holds."""
    own = env.get("XDG_RUNTIME_DIR")
    return tuple(Path(name) for name in (own, "/dev/shm", "/tmp") if name)  # noqa: S108 - looked at, not trusted


@contextmanager
def _removed(folder: Path) -> Iterator[None]:
    guard = None
    try:
        if sys.executable:
            guard = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARD, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env={},
            )
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if guard is not None and guard.stdin is not None:
            guard.stdin.close()
            guard.wait(_SECONDS)


def _kinds(mounts: Path) -> dict[str, str]:
    """The kind of each file system by its device's numbers; empty where the kernel has no such list."""
    kinds = {}
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) > 2 and after:
            kinds[fields[2]] = after.split()[0]
    return kinds
