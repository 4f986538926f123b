# SPDX-License-Identifier: MIT
"""What the repository's YAML files say, as an earlier run parsed them: parsing a fleet takes longer than reading it.

Known by the digest of a file's bytes, which are read each time, so no clock and no name has a say. A file that holds
anything encrypted is not kept, nor is one with anchors, whose values may be large beyond use without sharing. The file
is its owner's alone, as no clone and no mount of somebody else brings it; what is damaged, of another version of kit or
not ours is as good as none. Lies beside the indexes and belongs to this machine only.
"""

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, Final

FILE: Final = "parsed"
MISSING: Final = object()
"""What is not known; a file may say null."""
_LARGEST: Final = 64 * 2**20
"""Bytes that are kept; beyond, files are parsed each time."""
_SIZE: Final = 16
MODE: Final = 0o600


class Remembered:
    """Values by digest. `base` stands for who parsed them."""

    def __init__(self, base: str = "") -> None:
        self._head = f"kit parsed 1 {_digest(base.encode('utf-8', 'replace'))} ".encode()
        self._former: dict[bytes, bytes] = {}
        self._used: dict[bytes, bytes] = {}
        self._size = 0

    @classmethod
    def read(cls, hidden: Path, base: str) -> "Remembered":
        """What an earlier run left in that folder; nothing where it cannot be used."""
        found = cls(base)
        with contextlib.suppress(OSError):
            handle = os.open(hidden / FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                status = os.fstat(handle)
                ours = stat.S_IMODE(status.st_mode) == MODE and status.st_uid == os.geteuid()
                if ours and stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
                    found._take(file.read())
        return found

    def _take(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\n")
        if head == self._head + _digest(body).encode():
            with contextlib.suppress(ValueError):
                self._former = dict(line.split(b" ", 1) for line in body.split(b"\n"))

    def value(self, digest: str) -> Any:
        """What the file with this digest says, or `MISSING`."""
        line = self._former.get(digest.encode())
        if line is None:
            return MISSING
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return MISSING
        self._use(digest.encode(), line)
        return value

    def learn(self, digest: str, value: Any) -> None:
        """The file says this. Only what JSON holds exactly is kept; keys of such values are strings."""
        if isinstance(value, dict):
            with contextlib.suppress(TypeError, ValueError, RecursionError):  # a date, half a surrogate pair, depth
                self._use(digest.encode(), _json(value).encode())

    def _use(self, digest: bytes, line: bytes) -> None:
        self._size += len(line)
        if self._size < _LARGEST // 2:
            self._used[digest] = line

    def text(self) -> bytes | None:
        """The file's content with what this run asked for or learned; None where it says so already."""
        if self._used.keys() == self._former.keys():
            return None
        body = b"\n".join(digest + b" " + line for digest, line in self._used.items())
        return self._head + _digest(body).encode() + b"\n" + body


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_SIZE).hexdigest()


_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
