# SPDX-License-Identifier: MIT
"""Values from files of the repository, one for each container: YAML, JSON or KEY=value lines, encrypted or not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.dotenv import parse_env
from kit_core.errors import InputError
from kit_core.files import refused
from kit_core.keys import DecryptError, Key
from kit_core.yamlio import Document, load_document
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import text_of
from kit_deploymentizer.sources import Fetched, Target, World
from kit_deploymentizer.sources.answers import read_json, values_of
from kit_deploymentizer.sources.once import Once
from kit_deploymentizer.sources.places import filled

_ENCRYPTED: Final = re.compile(r"\.(?:encrypted|enc|aes)$", re.IGNORECASE)
"""Endings that say that a file is encrypted; the one before says what is in it."""


@dataclass(frozen=True)
class EnvFiles:
    """Reads the file at `path`. What is encrypted in it, or all of an encrypted file, is secret."""

    path: str
    optional: bool
    encrypted: bool
    values: str | None
    world: World = field(repr=False)
    _read: Once[str, Fetched] = field(default_factory=Once, repr=False, compare=False)

    @classmethod
    def from_options(cls, options: Mapping[str, Any], world: World) -> "EnvFiles":
        """From the entry in kit.yaml."""
        return cls(
            options["path"].removeprefix("./"),
            options.get("optional", False),
            options.get("encrypted", False),
            options.get("values"),
            world,
        )

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """The file's values. Raises `InputError`, and `DecryptError` where it cannot be decrypted."""
        shown = filled(self.path, container, target)
        return self._read.get(shown, lambda: self._fetch(shown))

    def _fetch(self, shown: str) -> Fetched:
        path = self.world.folder / shown
        self.world.boundary.check(path)
        raw = self._content(path)
        if raw is None:
            return Fetched()
        from kit_core.envfile import decrypt, is_encrypted

        locked = is_encrypted(raw)
        if not locked and (self.encrypted or _ENCRYPTED.search(shown)):
            why = "its source says encrypted: true" if self.encrypted else "its name says that it is"
            raise InputError("A file that must be encrypted is not", where=shown, why=why,
                             hint="Encrypt it, and change what was in it: it may have been seen.")  # fmt: skip
        if locked and self.world.placeholders:
            told = "some variables are left out: their names lie in encrypted files (KIT_PLACEHOLDERS)"
            return Fetched(warnings=(told,), file=shown)
        try:
            if locked:
                raw = decrypt(raw, self._key(), name=shown)
            values, inside = self._parsed(raw, shown)
        except InputError as error:
            error.where = error.where or shown
            raise
        fetched = Fetched(values, file=shown, hidden=locked or inside)
        if locked and self.world.unlocker is not None:
            for _, text in fetched.secrets():
                self.world.unlocker.learn(text)
        return fetched

    def _key(self) -> Key:
        if self.world.unlocker is None:
            raise DecryptError("It is encrypted, and there is no key")
        return self.world.unlocker.key()

    def _content(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            if self.optional:
                return None
            hint = "Add the file, or write `optional: true` beside the source's path."
            raise refused(
                error, path, "A container's environment file is missing", kind=InputError, hint=hint
            ) from None
        except (OSError, ValueError) as error:
            raise refused(error, path, "A container's environment file cannot be read", kind=InputError) from None

    def _parsed(self, raw: bytes, shown: str) -> tuple[dict[str, Any], bool]:
        """The file's keys, and whether any value in them was encrypted on its own."""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError("A container's environment file is not UTF-8 text") from None
        name = _ENCRYPTED.sub("", shown)
        document: Document | None = None
        if name.endswith(".json"):
            value = read_json(raw, what="the file", kind=InputError)
        elif name.endswith((".yaml", ".yml")):
            document = load_document(text, name=shown, words=original_words, keys=text_of)
            value = {} if document.value is None else document.value
        else:
            value = {"env": parse_env(text, name=shown)}
        secrets: tuple[SecretValue, ...] = ()
        if self.world.unlocker is not None:
            value, secrets = self.world.unlocker.unlocked(value, document.key_position if document else _nowhere)
        pointer = self.values if document or name.endswith(".json") else None
        return values_of(value, pointer, what="it"), bool(secrets)


def _nowhere(*_keys: str | int) -> None:
    return None
