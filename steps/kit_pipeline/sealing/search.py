# SPDX-License-Identifier: MIT
"""The files of a repository that may hold something encrypted."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.files import read_bytes, refused
from kit_pipeline.sealing.inline import LIKELY
from kit_pipeline.sealing.keys import is_key_file

_LEFT_OUT: Final = frozenset({".git", ".hg", ".svn", "node_modules"})
_HEAD: Final = 4096
_LARGEST_TEXT: Final = 16 * 1024 * 1024
"""Bytes of a text that is looked through for values; encrypted files may be of any size."""
_WHOLE: Final = re.compile(rb"\s*(?:kit|codeship|cloudbees):v\d+[ \t]*(?:\r?\n|$)|[A-Za-z0-9+/=\s]+\Z")


@dataclass(frozen=True)
class Candidate:
    """A file, what it is called in the log, and whether it was named itself or found in a folder."""

    path: Path
    name: str
    named: bool


def candidates(names: Iterable[str], cwd: Path, keys: Iterable[Path]) -> Iterator[Candidate]:
    """The files that `names` mean, from the folder `cwd`, each once: themselves, or those of a folder that may hold
    something encrypted.

    In folders, links and the files of keys (`keys`, and others) are passed over, as is what version control keeps.
    A link that is named means what it points at. Raises `InputError`.
    """
    done = {key.resolve() for key in keys}
    for name in names:
        path = (cwd / name).resolve()
        if path.is_dir():
            found = ((place, True) for place in _below(path))
        elif path.exists():
            found = ((place, False) for place in (path,))
        else:
            raise InputError("There is no such file or folder", where=name)
        for place, in_folder in found:
            if place in done:
                continue
            if not in_folder or _is_likely(place):
                done.add(place)
                yield Candidate(place, _shown(place, cwd), not in_folder)


def _below(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise refused(error, Path(error.filename), "The folder cannot be read", kind=InputError)

    for place, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(files):
            path = Path(place, name)
            if not path.is_symlink() and path.is_file() and not is_key_file(path):
                yield path


def _is_likely(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if _WHOLE.match(head):
                return True
            if b"\x00" in head or path.stat().st_size > _LARGEST_TEXT:
                return False
            return LIKELY.search(head + file.read()) is not None
    except OSError as error:
        raise refused(error, path, "The file cannot be read", kind=InputError) from None


def _shown(path: Path, cwd: Path) -> str:
    try:
        return str(path.relative_to(cwd.resolve()))
    except ValueError:
        return str(path)


def content(candidate: Candidate) -> bytes:
    """Its bytes. Raises `InputError`."""
    return read_bytes(candidate.path, what="The file")
