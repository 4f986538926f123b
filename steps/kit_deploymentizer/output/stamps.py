# SPDX-License-Identifier: MIT
"""When the output's files were last touched, so that a run need not read them to know that they are still its own.

As git's index does it: size, inode and the times of the last change, which every write moves. A file that was touched
when this was noted or later is not trusted: a second change within one tick of the clock would not show. Where anything
differs (a restored cache, another machine) the files are read. A folder's files are noted as one short word, and beside
it what the cluster was made from. Lies beside the indexes and belongs to this machine only.
"""

import contextlib
import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

Stamp = tuple[int, int, int, int]
"""Nanoseconds of the last change, bytes, inode, nanoseconds of the last write."""

FILE: Final = "stamps"
MANIFESTS: Final = (".yaml", ".json")
_VERSION: Final = 3
_SIZE: Final = 16
_KIND, _REGULAR = 0o170000, 0o100000  # of a file's mode; `stat.S_ISREG` is a call for each file of a fleet


@dataclass(frozen=True, slots=True)
class Note:
    """Of one cluster: `mark` of its folder's files. Where all of it can be used again: the `key` of what it was made
    from beside the files of the set of `digests` of that name, and its index's stamp."""

    mark: str
    key: str | None = None
    digests: str | None = None
    index: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """What the last run noted. `digests` by name, each by file; `time` is when, in the file system's nanoseconds."""

    clusters: Mapping[str, Note] = field(default_factory=dict)
    digests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The manifests in a folder, and when the last of them was touched. `odd`: something lies there under such a name
    that is no file, or a folder does."""

    files: Mapping[str, Stamp]
    newest: int
    odd: bool

    def is_as(self, note: Note, time: int) -> bool:
        """Whether every file is as it was noted at that time."""
        return not self.odd and self.newest < time and mark_of(self.files) == note.mark


stamp_of: Final[Callable[[os.stat_result], Stamp]] = attrgetter("st_ctime_ns", "st_size", "st_ino", "st_mtime_ns")
"""Of a file as the system sees it."""


def mark_of(files: Mapping[str, Stamp]) -> str:
    """One word for these files with their stamps."""
    names = sorted(files)
    numbers = list(chain.from_iterable(map(files.__getitem__, names)))
    try:
        packed = struct.pack(f"={len(numbers)}q", *numbers)  # a fleet has some hundred thousand of them
    except struct.error:
        packed = repr(numbers).encode()
    text = "\0".join(names).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text + b"\0\0" + packed, digest_size=_SIZE).hexdigest()


def snapshot(folder: str) -> Snapshot:
    """The manifests of a folder with their stamps; one that is not there has none."""
    files: dict[str, Stamp] = {}
    odd = False
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _entries(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.endswith(MANIFESTS):
                status = entry.stat(follow_symlinks=False)
                if status.st_mode & _KIND == _REGULAR:
                    files[name] = stamp_of(status)
                    continue
                odd = True
            elif not name.startswith(".") and entry.is_dir():
                odd = True
    return Snapshot(files, max((stamp[0] for stamp in files.values()), default=0), odd)


@contextlib.contextmanager
def _entries(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """By a handle: so the system need not walk the folder's path for each file."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(handle) as entries:
            yield entries
    finally:
        os.close(handle)


def read_notes(hidden: Path) -> Notes:
    """What the last run noted; nothing where that is not there, or not as we write it."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        with (hidden / FILE).open("rb") as file:
            time = os.fstat(file.fileno()).st_mtime_ns
            content = json.load(file)
        if content["version"] == _VERSION:
            notes = {name: _note(*parts) for name, parts in content["clusters"].items()}
            sets = content["digests"]
            if all(isinstance(digests, dict) for digests in sets.values()):
                return Notes(notes, sets, time)
    return Notes()


def notes_text(clusters: Mapping[str, Note], digests: Mapping[str, Mapping[str, str]]) -> bytes:
    """What `read_notes` reads."""
    notes = {name: [note.mark, note.key, note.digests, note.index] for name, note in clusters.items()}
    named = {note.digests for note in clusters.values()}
    sets = {name: dict(digests[name]) for name in digests if name in named}
    content = {"version": _VERSION, "clusters": notes, "digests": sets}
    return json.dumps(content, separators=(",", ":")).encode()


def _note(mark: Any, key: Any, digests: Any, index: Any) -> Note:
    return Note(mark, key, digests, tuple(index) if index else None)


def name_of(digests: Mapping[str, str]) -> str:
    """The name that a set of digests is noted under."""
    text = json.dumps(digests, sort_keys=True).encode()
    return hashlib.blake2b(text, digest_size=_SIZE).hexdigest()
