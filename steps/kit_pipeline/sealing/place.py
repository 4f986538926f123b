# SPDX-License-Identifier: MIT
"""Reading what is named, and putting files in their place: whole or not at all, and plaintext never through a link.

`-` is standard input and output. Paths such as `/dev/stdout` are the streams that they name; pipes and devices are
written to as they are, since nothing can take their place.
"""

import contextlib
import os
import re
import stat
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from kit_core.errors import InputError, WorkError
from kit_core.files import read_bytes, refused

STREAM: Final = "-"
SECRET: Final = 0o600
_DESCRIPTOR: Final = re.compile(r"/(?:dev/fd|proc/self/fd)/(\d+)")
_NAMED: Final = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}


def read(name: str, cwd: Path, *, what: str) -> bytes:
    """The bytes of the file `name`, from the folder `cwd`, or of standard input. Raises `InputError`."""
    if name == STREAM:
        return sys.stdin.buffer.read() if sys.stdin else b""
    return read_bytes(cwd / name, what=what)


def descriptor(name: str) -> int | None:
    """The number of the open stream that `name` means: `-` and `/dev/stdout` are 1."""
    if name == STREAM:
        return 1
    found = _DESCRIPTOR.fullmatch(name)
    return int(found[1]) if found else _NAMED.get(name)


def is_stream(name: str, cwd: Path) -> bool:
    """Whether `name` is written to as it is: a stream, a pipe, a device."""
    if descriptor(name) is not None:
        return True
    try:
        mode = (cwd / name).stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def write_stream(name: str, cwd: Path, data: bytes, stdout: BinaryIO) -> None:
    """Write `data` to such a thing. A reader that has gone is no failure. Raises `WorkError`."""
    number = descriptor(name)
    try:
        if number == 1:
            stdout.write(data)
            stdout.flush()
            return
        handle = os.dup(number) if number is not None else os.open(cwd / name, os.O_WRONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BrokenPipeError:
        pass
    except OSError as error:
        place = Path("standard output") if number == 1 else cwd / name
        raise refused(error, place, "The output cannot be written") from None


def for_cipher(path: Path) -> Path:
    """Where an encrypted file that is called `path` lies: what a link points at, so that the link stays.

    Raises `InputError` for a folder, or where there is no folder to write into.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError("The file cannot be written", where=str(path), why=str(error)) from None
    _check(path, real)
    return real


def for_plain(path: Path) -> Path:
    """The same for plaintext, which is written where it is named and nowhere else: a link is refused."""
    if path.is_symlink():
        raise InputError(
            "Plaintext is not written through a link",
            where=str(path),
            why=f"it points at {path.readlink()}",
            hint="Name the place itself, or remove the link.",
        )
    _check(path, path)
    return path


def _check(path: Path, real: Path) -> None:
    try:
        real.exists()
    except OSError as error:  # its name is too long, say
        raise refused(error, path, "The file cannot be written", kind=InputError) from None
    if real.is_dir():
        raise InputError("The file cannot be written", where=str(path), why="it is a folder", hint="Name a file in it.")
    if not real.parent.is_dir():
        raise InputError("The file cannot be written", where=str(path), why=f"there is no folder {real.parent}")


@dataclass(frozen=True)
class Seen:
    """What a file was when it was read, to notice that somebody else has changed it."""

    signature: tuple[int, ...] | None

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file as it is now."""
        try:
            status = path.stat()
        except OSError:
            return cls(None)
        return cls((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))


@dataclass
class Staged:
    """A file written beside its place, which `commit` puts there. Left without that, it is removed.

    `mode` is that of a new file; without one an existing file keeps its own, and its owner where we may give it.
    Raises `WorkError` where the folder refuses it.
    """

    path: Path
    data: bytes = field(repr=False)
    mode: int | None = None
    _temporary: Path | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        try:
            handle, name = tempfile.mkstemp(prefix=".kit-", dir=self.path.parent)
            self._temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                self._dress(file.fileno())
                file.write(self.data)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, ValueError) as error:
            self._discard()
            raise refused(error, self.path.parent, f"{self.path} cannot be written") from None
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def commit(self) -> None:
        """Put it in its place. Raises `WorkError`."""
        assert self._temporary is not None
        try:
            self._temporary.replace(self.path)
        except (OSError, ValueError) as error:
            raise refused(error, self.path, f"{self.path} cannot be written") from None
        self._temporary = None

    def _dress(self, handle: int) -> None:
        try:
            former = self.path.stat()
        except OSError:
            former = None
        if former and (former.st_uid, former.st_gid) != (os.geteuid(), os.getegid()):
            with contextlib.suppress(OSError):
                os.fchown(handle, former.st_uid, former.st_gid)
        os.fchmod(handle, self.mode if self.mode is not None else _mode(former))

    def _discard(self) -> None:
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            self._temporary = None


def _mode(former: os.stat_result | None) -> int:
    if former is not None:
        return stat.S_IMODE(former.st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def put(path: Path, data: bytes, *, mode: int | None = None, seen: Seen | None = None) -> None:
    """Write `data` to `path`, whole or not at all; with `seen`, only where the file is still that one.

    Raises `WorkError`.
    """
    with Staged(path, data, mode) as staged:
        if seen is not None and Seen.of(path) != seen:
            raise changed(path)
        staged.commit()


def changed(path: Path) -> WorkError:
    """The error for a file that somebody else wrote meanwhile."""
    return WorkError("The file was changed by somebody else meanwhile", where=str(path), hint="Run it again.")


def check_writable(path: Path) -> None:
    """Raise `WorkError` where a file could not be put in this place, before somebody works for it."""
    with Staged(path, b""):
        pass
