# SPDX-License-Identifier: MIT
"""Reading the repository's YAML: each file once, its values kept, its positions looked up again only for errors."""

import errno
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError, KitError
from kit_core.files import as_text, read_bytes, read_text, refused
from kit_core.yamlio import Document, Position, load_document
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.output.remembered import MISSING, Remembered
from kit_deploymentizer.rendering.javascript import text_of

_ENCRYPTED: Final = re.compile(r"(?:kit|codeship|cloudbees):v[0-9]+:")
"""What a file with encrypted values has in it (`encrypted`); all others need not be looked through."""

Unlock = Callable[[Any, Callable[..., Position | None]], tuple[Any, tuple[SecretValue, ...]]]
"""From a file's value and the positions of its entries to the value with nothing encrypted, and what was. Raises
`DecryptError`."""


@dataclass(frozen=True)
class YamlFile:
    """A file of the repository: where it is, how it is shown (from the repository's folder), and what it says.

    Nodes with their positions are not kept (they are ten times the size of the values): `position` reads again.
    """

    path: Path
    shown: str
    value: Any = field(repr=False)
    secrets: tuple[SecretValue, ...] = field(default=(), repr=False)
    """What of it was encrypted."""

    def has(self, *keys: str | int) -> bool:
        """Whether the file itself sets the value at `keys`."""
        value = self.value
        for key in keys:
            inside = len(value) > key if isinstance(value, list) and isinstance(key, int) else False
            if not inside and not (isinstance(value, dict) and key in value):
                return False
            value = value[key]
        return True

    def position(self, *keys: str | int) -> Position:
        """Where the entry at `keys` begins, or the nearest thing above it that is there."""
        now = self.path.stat() if self.path.exists() else None
        return _document(self.path, self.shown, now and (now.st_size, now.st_mtime_ns, now.st_ino)).key_position(*keys)


@lru_cache(maxsize=1)
def _document(path: Path, shown: str, state: object) -> Document:  # noqa: ARG001 - a changed file is read again
    """The last file that was asked for a position: what is wrong with a file is often wrong in many of its lines."""
    text = read_text(path, what=shown)
    return load_document(text, name=shown, words=original_words, keys=text_of)


@dataclass(frozen=True)
class Duplicate:
    """A key that stands twice in one map of a file; the last one counts."""

    place: Position


class Reader:
    """Reads and remembers the files below the repository's folder. Without `unlock`, encrypted values stay so; nothing
    beyond `boundary` is read. What is `remembered` of an earlier run is not parsed again."""

    def __init__(
        self,
        folder: Path,
        unlock: Unlock | None = None,
        boundary: Boundary = EVERYWHERE,
        remembered: Remembered | None = None,
    ) -> None:
        self.folder = folder
        self.boundary = boundary
        self._below = f"{folder}/"
        self._unlock = unlock
        self._remembered = remembered or Remembered()
        self.digests = Digests(folder)
        self.duplicates: list[Duplicate] = []
        self.with_duplicates: set[str] = set()
        self._read: dict[Path, YamlFile | None] = {}

    def shown(self, path: Path) -> str:
        """`path` as a person below the repository's folder would write it."""
        text = str(path)
        if text.startswith(self._below):  # several times a file, and pathlib takes ten times as long
            return text[len(self._below) :]
        try:
            return path.relative_to(self.folder).as_posix()
        except ValueError:
            return str(path)

    def yaml(self, path: Path, *, what: str, hint: str | None = None) -> YamlFile:
        """The file at `path`. Raises `InputError` when it is missing, cannot or may not be read, or is no YAML."""
        if self._read.get(path) is None:
            shown = self.shown(path)
            self.boundary.check(path, where=shown)
            raw = read_bytes(path, what=what, hint=hint)
            digest = self.digests.learn(shown, raw)
            value = self._remembered.value(digest)
            self._read[path] = (
                YamlFile(path, shown, value)
                if value is not MISSING
                else self._parsed(path, shown, as_text(raw, path, what=what, hint=hint), digest)
            )
        found = self._read[path]
        assert found is not None
        return found

    def _parsed(self, path: Path, shown: str, text: str, digest: str) -> YamlFile:
        document = load_document(text, name=shown, words=original_words, keys=text_of)
        if document.duplicates:
            self.duplicates += map(Duplicate, document.duplicates)
            self.with_duplicates.add(shown)
        value: Any = document.value
        secrets: tuple[SecretValue, ...] = ()
        encrypted = _ENCRYPTED.search(text) is not None
        if encrypted and self._unlock is not None:
            value, secrets = self._unlock(value, document.key_position)
        if not encrypted and not document.duplicates and "&" not in text:  # an alias needs its anchor
            self._remembered.learn(digest, value)
        return YamlFile(path, shown, value, secrets)

    def yaml_if_there(self, path: Path, *, what: str) -> YamlFile | None:
        """The file at `path`, None where there is none. Raises `InputError` as `yaml` does."""
        if path not in self._read:
            self.boundary.check(path, where=self.shown(path))
            if not is_there(path, what=what):
                self._read[path] = None
        if path in self._read and self._read[path] is None:
            return None
        return self.yaml(path, what=what)


def is_there(path: Path, *, what: str) -> bool:
    """Whether there is anything at `path`. Raises `InputError` where the system does not let us see it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise refused(error, path, f"{what} cannot be read", kind=InputError) from None
    return True


def listed(folder: Path, *, what: str, folders: bool = False) -> list[Path]:
    """What is in `folder` (only its folders, if wanted), sorted. Raises `InputError` where it cannot be read."""
    try:
        with os.scandir(folder) as entries:  # tells what is a folder without another look
            names = sorted(entry.name for entry in entries if not folders or _is_folder(entry))
        return [folder / name for name in names]
    except (OSError, ValueError) as error:
        raise refused(error, folder, f"{what} cannot be read", kind=InputError) from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is one, or leads to where we may not look: that is told when something is read there."""
    try:
        return entry.is_dir()
    except OSError as error:
        return error.errno != errno.ELOOP


@dataclass(frozen=True)
class Layers:
    """The files whose values are laid over one another, the strongest first."""

    files: tuple[YamlFile, ...]

    def place(self, *keys: str | int) -> Position | None:
        """Where the value at `keys` is set by the strongest file that sets it; the nearest thing above it else."""
        for depth in range(len(keys), 0, -1):
            for file in self.files:
                if file.has(*keys[:depth]):
                    return file.position(*keys[:depth])
        return None


def placed(error: KitError, position: Position | None) -> KitError:
    """`error` with its place, where it has none yet."""
    if position is not None and error.where is None:
        error.where = f"{position.name}:{position.line}"
        error.file, error.line, error.column = position.name, position.line, position.column
    return error


def wrong(what: str, file: YamlFile, *keys: str | int, why: str | None = None, hint: str | None = None) -> InputError:
    """An `InputError` about the value at `keys` of `file`, with file and line."""
    place = file.position(*keys)
    return InputError(what, where=f"{place.name}:{place.line}", why=why, hint=hint,
                      file=place.name, line=place.line, column=place.column)  # fmt: skip
