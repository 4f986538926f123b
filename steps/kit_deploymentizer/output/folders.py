# SPDX-License-Identifier: MIT
"""What lies in the folders of an output."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from kit_core.errors import InputError
from kit_deploymentizer.output.stamps import MANIFESTS, Stamp, stamp_of


def content_of(path: str) -> bytes | None:
    """The file's bytes, None where there is no file."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, IsADirectoryError):
        return None


def names_in(folder: str) -> frozenset[str]:
    """The names in a folder; none where it is not there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return frozenset(os.listdir(folder))
    return frozenset()


def held(path: str, content: bytes) -> Stamp | None:
    """When the file was last touched, if it holds this content. Raises `InputError` for a folder."""
    try:
        status = os.stat(path)
        if status.st_size == len(content) and stat.S_ISREG(status.st_mode):
            with open(path, "rb", buffering=0) as file:
                return stamp_of(status) if file.read() == content else None
    except FileNotFoundError:  # a link to nothing
        return None
    if stat.S_ISDIR(status.st_mode):
        raise InputError("A folder stands where a manifest is to be written", where=path,
                         hint="Move it away and run again.")  # fmt: skip
    return None


def write_new(path: str, content: bytes, mode: int = 0o666) -> Stamp:
    """Write a file that is not there yet, with as few calls of the system as can be; when it was touched."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        return stamp_of(os.fstat(handle))
    finally:
        os.close(handle)


def put(beside: str, place: str, content: bytes, mode: int = 0o666) -> None:
    """Write a file whole or not at all: `beside` first, which is not there, then renamed into its place."""
    write_new(beside, content, mode)
    os.replace(beside, place)


def manifests_in(folder: Path) -> list[str]:
    """The manifests below `folder`, hidden folders left out, sorted."""
    found = []
    top = len(str(folder)) + 1
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = f"{parent}/"[top:]
        found += [below + name for name in files if name.endswith(MANIFESTS) and name not in MANIFESTS]
    return sorted(found)


def is_flat(folder: Path) -> bool:
    """Whether `folder` holds manifests and no folder, as the original left a cluster's."""
    entries = list(folder.iterdir())
    return any(path.suffix in MANIFESTS for path in entries) and not any(path.is_dir() for path in entries)


def remove_empty(folder: Path) -> None:
    """Remove the folder and those in it that hold nothing."""
    for parent, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(parent).rmdir()


@contextlib.contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """An empty folder for what is not in its place yet, gone at the end; one that a killed run left is made empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
