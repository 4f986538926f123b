# SPDX-License-Identifier: MIT
"""What the repository's files held when this run read them, and what a resource is made from, as one short word."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_SIZE: Final = 16
_ABSENT: Final = "absent"
_TORN: Final = "torn"


class Digests:
    """Digests of files by the name they are shown under, taken when they are read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def learn(self, shown: str, content: bytes | None) -> str:
        """`content` was read from the file, None where there was none; its digest. A file that changed since an earlier
        look has no digest any more: nobody can tell what was made from which state of it."""
        digest = _digest(content) if content is not None else _ABSENT
        if self._known.setdefault(shown, digest) != digest:
            self._known[shown] = _TORN
        return digest

    def of(self, shown: str) -> str:
        """The file's digest; it is read if it was not yet. One that cannot be read counts as not there."""
        if shown not in self._known:
            try:
                self.learn(shown, (self._folder / shown).read_bytes())
            except (OSError, ValueError):
                self.learn(shown, None)
        return self._known[shown]

    def changed(self, digests: Mapping[str, str]) -> frozenset[str]:
        """Those of the files that had another digest."""
        return frozenset(file for file, digest in digests.items() if self.of(file) != digest)

    def key(self, base: str, files: Iterable[str]) -> str:
        """What something is made from: what `base` stands for, and these files as they are."""
        return _digest("\0".join([base, *(f"{file}\0{self.of(file)}" for file in files)]).encode("utf-8", "replace"))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_SIZE).hexdigest()
