# SPDX-License-Identifier: MIT
"""What lies in the folders of an output."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from kit_core.errors import InputError
from kit_deploymentizer.output.stamps import MANIFESTS, Stamp, stamp_of


def content_of(path: Path) -> bytes | None:
    """The file's bytes, None where there is no file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def held(entry: os.DirEntry[str], content: bytes) -> Stamp | None:
    """When the file was last touched, if it holds this content. Raises `InputError` for a folder."""
    if entry.is_dir():
        raise InputError("A folder stands where a manifest is to be written", where=entry.path,
                         hint="Move it away and run again.")  # fmt: skip
    try:
        status = entry.stat()
        if status.st_size != len(content):
            return None
        with open(entry.path, "rb", buffering=0) as file:
            return stamp_of(status) if file.read() == content else None
    except FileNotFoundError:  # a link to nothing
        return None


def write_new(path: str, content: bytes) -> Stamp:
    """Write a file that is not there yet, with as few calls of the system as can be; when it was touched."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        return stamp_of(os.fstat(handle))
    finally:
        os.close(handle)


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
