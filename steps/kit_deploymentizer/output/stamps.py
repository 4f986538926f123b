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
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Stamp = tuple[int, int, int, int]
"""Nanoseconds of the last change, bytes, inode, nanoseconds of the last write."""

FILE: Final = "stamps"
MANIFESTS: Final = (".yaml", ".json")
_VERSION: Final = 2
_SIZE: Final = 16


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


def stamp_of(status: os.stat_result) -> Stamp:
    """Of a file as the system sees it."""
    return status.st_ctime_ns, status.st_size, status.st_ino, status.st_mtime_ns


def mark_of(files: Mapping[str, Stamp]) -> str:
    """One word for these files with their stamps."""
    text = repr(sorted(files.items())).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(text, digest_size=_SIZE).hexdigest()


def snapshot(folder: str) -> Snapshot:
    """The manifests of a folder with their stamps; one that is not there has none."""
    files: dict[str, Stamp] = {}
    newest, odd = 0, False
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.endswith(MANIFESTS):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    touched = status.st_ctime_ns
                    files[name] = touched, status.st_size, status.st_ino, status.st_mtime_ns
                    if touched > newest:  # noqa: PLR1730 - a call less for each file of a fleet
                        newest = touched
                    continue
                odd = True
            elif not name.startswith(".") and entry.is_dir():
                odd = True
    return Snapshot(files, newest, odd)


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


def files_in(folder: str) -> dict[str, os.DirEntry[str]]:
    """The entries of a folder by name; none where it is not there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return {entry.name: entry for entry in entries}
    return {}
