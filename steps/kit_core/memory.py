# SPDX-License-Identifier: MIT
"""Files that no disk holds, for programs and libraries that take nothing but paths."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """A file that has no place in any folder, holding `content`; its descriptor.

    Linux keeps it in memory. Elsewhere it is a temporary file without a name, which no other process can open.
    """
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("kit")
    else:
        with tempfile.TemporaryFile() as file:
            number = os.dup(file.fileno())
    try:
        with os.fdopen(os.dup(number), "wb") as file:
            file.write(content)
        os.lseek(number, 0, os.SEEK_SET)
        yield number
    finally:
        os.close(number)


def path_of(number: int) -> str:
    """The path by which this process opens a file of `in_memory`, as often as it likes."""
    return f"/proc/self/fd/{number}" if hasattr(os, "memfd_create") else f"/dev/fd/{number}"
