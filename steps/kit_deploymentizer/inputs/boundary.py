# SPDX-License-Identifier: MIT
"""What a run with KIT_PLACEHOLDERS may read: the repository, and nothing that a link or a path in it leads to."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.keys import KEY_FILE

_WHY: Final = "and KIT_PLACEHOLDERS renders what anybody may have written"
_HINT: Final = "Put the file into the repository; WORKDIR is the folder that holds all of it."
_GIT: Final = ".git"


@dataclass(frozen=True)
class Boundary:
    """Folders with no link in their paths, in one of which every input must lie. None: everything may be read.

    `secrets` are files of keys and tokens (no link in their paths either), wherever they lie.
    """

    roots: tuple[Path, ...] | None = None
    secrets: frozenset[Path] = field(default=frozenset(), repr=False)

    @classmethod
    def around(cls, folders: Iterable[Path], secrets: Collection[Path] = ()) -> "Boundary":
        """These folders, wherever they are. The top of the file system is no repository: kit.yaml's paths begin there
        where somebody merely stands there. Raises `InputError` where a link of a clone, and so of whoever wrote it,
        leads to one of them from there."""
        folders = tuple(folders)
        for folder in folders:
            _refuse_way_out(folder)
        found = dict.fromkeys(_real(folder) for folder in folders)
        return cls(tuple(root for root in found if root != Path(root.anchor)), frozenset(map(_real, secrets)))

    def given(self, path: Path) -> "Boundary":
        """What may be read at `path`, which a setting names: if the repository does not hold it, also that, but not
        what links in it lead to."""
        path = Path(os.path.normpath(path))
        if self.roots is None or any(self._below(_real(parent)) for parent in path.parents):
            return self
        return replace(self, roots=(*self.roots, _real(path)))

    def holds(self, path: Path) -> bool:
        """Whether `path`, its links followed, lies inside."""
        return self.roots is None or bool(self._below(_real(path)))

    def check(self, path: Path, *, where: str | None = None, hint: str = _HINT) -> None:
        """Raises `InputError` where `path`, its links followed, is nothing that may be read. `where` names it."""
        if self.roots is None:
            return
        try:
            real = _real(path)
        except ValueError:  # a NUL in it: nothing can be read there
            return
        below = self._below(real)
        if not below:
            raise InputError(f"{path} is not read", where=where, why=f"it lies outside the repository, {_WHY}",
                             hint=hint)  # fmt: skip
        if real in self.secrets or KEY_FILE in {path.name.casefold(), real.name.casefold()}:
            raise InputError(f"{path} is not read", where=where, why=f"it is the key's file, {_WHY}")
        if any(_GIT in (part.casefold() for part in rest.parts) for rest in below):
            # its configuration may hold the token of a CI
            raise InputError(f"{path} is not read", where=where, why=f"it is git's own, {_WHY}")

    def _below(self, real: Path) -> list[Path]:
        return [real.relative_to(root) for root in self.roots or () if real.is_relative_to(root)]


EVERYWHERE: Final = Boundary()
"""Without KIT_PLACEHOLDERS: whoever has the secrets chose what is rendered."""


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _refuse_way_out(path: Path) -> None:
    """A link on the way to a repository is its user's own, unless it lies in a clone and leads out of it."""
    path = Path(os.path.normpath(path))
    for link in (one for one in (path, *path.parents) if one.is_symlink()):
        home = _real(link.parent)
        clone = next((folder for folder in (home, *home.parents) if (folder / _GIT).exists()), None)
        if clone is not None and not _real(link).is_relative_to(clone):
            raise InputError(
                f"{link} is not followed",
                why=f"it is a link in the clone {clone} that leads out of it, {_WHY}",
                hint=f"Name the folder itself, {_real(link)}, if it is meant.",
            )
