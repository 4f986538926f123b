# SPDX-License-Identifier: MIT
"""Reading and writing files, with errors that say what to do."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from kit_core.errors import InputError, KitError, WorkError


def read_text(path: Path, *, what: str, hint: str | None = None) -> str:
    """The UTF-8 text of an input file, a byte order mark and line ends kept. `what` names it in errors.

    Raises `InputError`.
    """
    return as_text(read_bytes(path, what=what, hint=hint), path, what=what, hint=hint)


def read_bytes(path: Path, *, what: str, hint: str | None = None) -> bytes:
    """The bytes of an input file. `what` names it in errors. Raises `InputError`."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib takes twice as long, and a fleet has many
            return file.read()
    except (OSError, ValueError) as error:
        raise refused(error, path, f"{what} cannot be read", kind=InputError, hint=hint) from None


def as_text(raw: bytes, path: Path, *, what: str, hint: str | None = None) -> str:
    """The text that was read from `path`. Raises `InputError` where it is no UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{what} is not UTF-8 text",
            where=str(path),
            why=f"byte {error.start + 1} cannot be decoded",
            hint=hint,
        ) from None


def write_atomically(path: Path, data: str | bytes, *, what: str, mode: int = 0o644) -> None:
    """Write a whole file or nothing: beside its place, then renamed into it. Folders are made. Raises `WorkError`."""
    temporary: str | None = None
    try:
        raw = data.encode("utf-8") if isinstance(data, str) else data
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            os.fchmod(file.fileno(), mode)
        Path(temporary).replace(path)
        temporary = None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path, half a surrogate pair in the text
        raise refused(error, path, f"{what} cannot be written") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def refused(
    error: OSError | ValueError,
    path: Path,
    what: str,
    *,
    kind: type[KitError] = WorkError,
    hint: str | None = None,
) -> KitError:
    """The error for a file operation that the system refused: names the path, its owner and our uid."""
    number = getattr(error, "errno", None)
    if number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        hint = hint if number == errno.EROFS and hint else _permission_hint(number)
    elif number == errno.ENOSPC:
        hint = "Free some space and run it again."
    return kind(what, where=str(path), why=reason_of(error, path), hint=hint)


def reason_of(error: OSError | ValueError, path: Path) -> str:
    """The system's words for a refusal, and where it is about rights the owner of `path` and our uid."""
    reason = getattr(error, "strerror", None) or str(error)
    if getattr(error, "errno", None) in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{reason.lower()}; {_owner(path)}, and this process runs as uid {os.geteuid()}"
    return reason


def _owner(path: Path) -> str:
    """Who owns the path, or the nearest folder above it that exists."""
    for place in (path, *path.parents):
        with contextlib.suppress(OSError):
            status = place.stat()
            return f"{place} belongs to uid {status.st_uid} (mode {status.st_mode & 0o7777:o})"
    return "its owner cannot be seen"


def _permission_hint(number: int) -> str:
    if number == errno.EROFS:
        return "Mount the folder without `:ro`, or name a folder that can be written."
    return "Change the folder's owner or mode, or start the container with `--user` of its owner."
