# SPDX-License-Identifier: MIT
"""asyncssh, loaded without its search for further libraries (liboqs, nettle: algorithms that nobody needs here).

The search starts ldconfig and a compiler, which would get this program's environment, and the secrets in it.
"""

import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager


def _nothing(name: str) -> str | None:  # noqa: ARG001
    return None


@contextmanager
def _no_search() -> Iterator[None]:
    search = ctypes.util.find_library
    ctypes.util.find_library = _nothing
    try:
        yield
    finally:
        ctypes.util.find_library = search


with _no_search():
    import asyncssh

__all__ = ["asyncssh"]
