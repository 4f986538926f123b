# SPDX-License-Identifier: MIT
"""What a run with KIT_PLACEHOLDERS may read: the repository, and nothing that a link or a path in it leads to."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.keys import KEY_FILE

_WHY: Final = "and KIT_PLACEHOLDERS renders what anybody may have written"
_HINT: Final = "Put the file into the repository; WORKDIR is the folder that holds all of it."
_GIT: Final = ".git"


@dataclass(frozen=True)
class Boundary:
    """Folders with no link in their paths, in one of which every input must lie. None: everything may be read."""

    roots: tuple[Path, ...] | None = None

    @classmethod
    def around(cls, folders: Iterable[Path]) -> "Boundary":
        """These folders, wherever they are. The top of the file system is no repository: kit.yaml's paths begin there
        where somebody merely stands there."""
        found = dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders)
        return cls(tuple(root for root in found if root != Path(root.anchor)))

    def check(self, path: Path, *, where: str | None = None) -> None:
        """Raises `InputError` where `path`, its links followed, is nothing that may be read. `where` names it."""
        if self.roots is None:
            return
        try:
            real = Path(os.path.realpath(path))
        except ValueError:  # a NUL in it: nothing can be read there
            return
        below = [real.relative_to(root) for root in self.roots if real.is_relative_to(root)]
        if not below:
            raise InputError(f"{path} is not read", where=where, why=f"it lies outside the repository, {_WHY}",
                             hint=_HINT)  # fmt: skip
        if KEY_FILE in {path.name, real.name}:
            raise InputError(f"{path} is not read", where=where, why=f"it is the key's file, {_WHY}")
        if all(_GIT in rest.parts for rest in below):  # its configuration may hold the token of a CI
            raise InputError(f"{path} is not read", where=where, why=f"it is git's own, {_WHY}")


EVERYWHERE: Final = Boundary()
"""Without KIT_PLACEHOLDERS: whoever has the secrets chose what is rendered."""
