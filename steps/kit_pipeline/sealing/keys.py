# SPDX-License-Identifier: MIT
"""The AES key: where it comes from, and making a new one."""

import base64
import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.files import refused
from kit_core.keys import KEY_FILE, DecryptError, Key, read_key
from kit_core.secrets import Secret
from kit_pipeline.sealing.place import SECRET

_LONGEST: Final = 200
"""Bytes of a key's file, at most."""


def find_key(
    given: Secret | None, path: Path | None, folders: Iterable[Path], learn_secret: Callable[[str], None]
) -> Key:
    """The key: from the file at `path`, else `given`, else `codeship.aes` in the first of `folders` that has it.

    `learn_secret` is told of it. Raises `DecryptError`, which names every place that was looked at.
    """
    try:
        return read_key(given, path=path, folders=folders, learn_secret=learn_secret)
    except DecryptError as error:
        if path is None and not given:
            error.hint = f"{error.hint} --key-path names the file as well; `kit-pipeline generate` makes a new key."
        raise


def new_key() -> str:
    """The text of a key file: base64 of 32 random bytes, and the end of a line."""
    return base64.b64encode(os.urandom(32)).decode() + "\n"


def write_key(path: Path, text: str) -> None:
    """Write a new key's file, mode 600. One that is there is never replaced. Raises `InputError`, `WorkError`."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET)
    except FileExistsError:
        raise InputError(
            "There is a file of this name already",
            where=str(path),
            why="what is encrypted with its key could never be read again",
            hint="Name another file; `rekey` brings files from one key to another.",
        ) from None
    except (OSError, ValueError) as error:
        raise refused(error, path.parent, f"{path} cannot be written") from None
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, SECRET)
            file.write(text.encode())
            file.flush()
            os.fsync(handle)
    except BaseException as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise refused(error, path, "The key cannot be written") from None
        raise


def guard_key(path: Path, keys: Iterable[Path]) -> None:
    """Raise `InputError` where `path` is the file of a key: to write something else there would lose it."""
    if any(_same(path, key) for key in keys) or is_key_file(path):
        raise InputError(
            "A key's file is not written over",
            where=str(path),
            why="what is encrypted with its key could never be read again",
            hint="The file to read is named first, then the one to write.",
        )


def is_key_file(path: Path) -> bool:
    """Whether the file holds a key, to judge by its name and what is in it: `.aes` may also end an encrypted file's."""
    try:
        if path.suffix.lower() != Path(KEY_FILE).suffix or path.stat().st_size > _LONGEST:
            return False
        Key.from_text(path.read_text(), str(path))
    except (DecryptError, OSError, ValueError):
        return False
    return True


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return False
