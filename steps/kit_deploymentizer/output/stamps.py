# SPDX-License-Identifier: MIT
"""When the output's files were last touched, so that a run need not read them to know that they are still its own.

As git's index does it: a file's size and the time of its last change, which every write moves. Where they differ (a
restored cache, another machine) the file is read. Lies beside the indexes and belongs to this machine only.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

Stamp = list[int]
"""Nanoseconds and bytes; a list, as JSON has it, so that a folder's can be compared with those that were noted."""

FILE: Final = "stamps"


def stamp_of(status: os.stat_result) -> Stamp:
    """Of a file as the system sees it."""
    return [status.st_ctime_ns, status.st_size]


def read_stamps(hidden: Path) -> dict[str, dict[str, Stamp]]:
    """By cluster and file; empty where there are none, or none that can be used."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = json.loads((hidden / FILE).read_bytes())
        if isinstance(content, dict) and all(isinstance(files, dict) for files in content.values()):
            return content
    return {}


def stamps_text(stamps: Mapping[str, Mapping[str, object]]) -> bytes:
    """What `read_stamps` reads."""
    return json.dumps(stamps, separators=(",", ":")).encode()


def stamps_in(folder: Path) -> dict[str, Stamp]:
    """The files of a folder with their stamps; links are none, and a folder that is not there has none."""
    found = {}
    for entry in _entries(folder):
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            found[entry.name] = [status.st_ctime_ns, status.st_size]
    return found


def files_in(folder: Path) -> dict[str, os.DirEntry[str]]:
    """The entries of a folder by name; none where it is not there."""
    return {entry.name: entry for entry in _entries(folder)}


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        yield from entries
