# SPDX-License-Identifier: MIT
"""Writing new files: all of them or none, and never over anything."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit_core.errors import InputError, KitError
from kit_core.files import write_atomically
from kit_deploymentizer.inputs.reading import is_there


@dataclass(frozen=True)
class Work:
    """Files to be made and to be changed, by path; `notes` say what is to be done next."""

    made: Mapping[Path, str]
    changed: Mapping[Path, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def write(work: Work) -> None:
    """Make the files, then change the others. Raises `InputError` naming all that is in the way before anything is
    written, `WorkError` where the system refuses; then what was made is gone again."""
    refuse_what_is_there(work.made)
    done: list[Path] = []
    try:
        for path, text in work.made.items():
            write_atomically(path, text, what="A new file")
            done.append(path)
        for path, text in work.changed.items():
            # A link stays one: what it leads to is changed.
            write_atomically(path.resolve(), text, what="The file", mode=path.stat().st_mode & 0o777)
    except KitError:
        for path in done:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def refuse_what_is_there(paths: Mapping[Path, str]) -> None:
    """Raises `InputError` naming every path at which there is something, and every file that stands where a folder of
    theirs is to be."""
    found = {path: None for path in paths if is_there(path, what="A file")}
    found |= {one: None for path in paths for one in path.parents if is_there(one, what="A file") and not one.is_dir()}
    if found:
        raise InputError(
            "something is in the way",
            why=f"there is already {', '.join(map(str, found))}",
            hint="Nothing is ever overwritten: move it away, or choose another name. Nothing was written.",
        )
