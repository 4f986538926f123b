# SPDX-License-Identifier: MIT
"""Encrypted values in the repository's YAML: a string `kit:v1:BASE64` (or jet 1's `codeship:v1:BASE64`) is decrypted
when its file is read.

It stands wherever a string may, in settings, resources and the options of sources, and merges as what it is: one
value. The key is looked for when the first such value is met, and each ciphertext is decrypted once.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kit_core.keys import DecryptError, Key
from kit_core.yamlio import Position
from kit_deploymentizer.inputs.layout import normal
from kit_deploymentizer.inputs.reading import placed
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.rendering.placeholders import placeholder
from kit_deploymentizer.settings import DeploymentizerSettings

_HINT: Final = "To render for a check only, without a key, set KIT_PLACEHOLDERS=true."
_TELLS_NOTHING: Final = re.compile(r"true|false|null|none|yes|no|on|off|-?[0-9]{1,5}(?:\.[0-9]+)?|", re.IGNORECASE)
"""Values that stand everywhere: masking them in a log would hide the log."""

Keys = tuple[str | int, ...]


def key_folders(settings: DeploymentizerSettings, cwd: Path) -> list[Path]:
    """Where the key's file is looked for: the current folder, beside kit.yaml, WORKDIR."""
    return [normal(cwd), normal(cwd / settings.conf).parent, normal(cwd / (settings.workdir or ""))]


class Unlocker:
    """Decrypts the values of one run. `read_key` is asked once, `learn_secret` told of every plaintext.

    With `placeholders` no key is needed: values become `encrypted:PATH:…`.
    """

    def __init__(
        self, read_key: Callable[[], Key], learn_secret: Callable[[str], None], *, placeholders: bool = False
    ) -> None:
        self._read_key = read_key
        self._learn_secret = learn_secret
        self._placeholders = placeholders
        self._key: Key | None = None
        self._known: dict[str, str] = {}

    def unlocked(self, value: Any, position: Callable[..., Position | None]) -> tuple[Any, tuple[SecretValue, ...]]:
        """`value` with every encrypted string in it decrypted, and those as secrets, named by their keys.

        What holds none is returned as the same object. `position` finds the place of an entry by its keys, for errors.
        Raises `DecryptError`.
        """
        walk = _Walk(self, position)
        return walk.value(value, ()), tuple(dict.fromkeys(walk.secrets))

    def plain(self, text: str, name: str) -> str:
        """What the encrypted value `text` holds; `name` stands in errors and in placeholders."""
        from kit_core.envfile import decrypt_value

        if self._placeholders:
            return placeholder("encrypted", name, "".join(text.split()))
        if text not in self._known:
            plain = decrypt_value(text, self.key(), name=name)
            self.learn(plain)
            self._known[text] = plain
        return self._known[text]

    def key(self) -> Key:
        """The key. Raises `DecryptError` where there is none."""
        if self._key is None:
            try:
                self._key = self._read_key()
            except DecryptError as error:
                error.hint = f"{error.hint} {_HINT}"
                raise
        return self._key

    @property
    def fingerprint(self) -> str | None:
        """What tells the key that was used from others and nothing of it; None where none was."""
        return hashlib.blake2b(self._key.raw, person=b"kit").hexdigest() if self._key else None

    def learn(self, plain: str) -> None:
        """Have `plain` masked, unless it is a word that hides nothing."""
        if not _TELLS_NOTHING.fullmatch(plain):
            self._learn_secret(plain)


class _Walk:
    """Through one file's values. An alias gives the same object again: it is walked once."""

    def __init__(self, unlocker: Unlocker, position: Callable[..., Position | None]) -> None:
        from kit_core.envfile import is_encrypted_value

        self._is_encrypted = is_encrypted_value
        self._unlocker = unlocker
        self._position = position
        self._done: dict[int, tuple[Any, Any]] = {}
        self.secrets: list[SecretValue] = []

    def value(self, value: Any, keys: Keys) -> Any:
        if isinstance(value, str):
            return self._text(value, keys) if self._is_encrypted(value) else value
        if not isinstance(value, dict | list):
            return value
        if id(value) not in self._done:
            self._done[id(value)] = (value, self._inside(value, keys))
        return self._done[id(value)][1]

    def _inside(self, value: Any, keys: Keys) -> Any:
        if isinstance(value, list):
            items = [self.value(item, (*keys, index)) for index, item in enumerate(value)]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        entries = {key: self.value(item, (*keys, key)) for key, item in value.items()}
        if all(entries[key] is item for key, item in value.items()):
            return value
        name = value.get("name")
        if isinstance(name, str) and entries.get("value") is not value.get("value"):
            self.secrets.append(SecretValue(name, entries["value"]))  # an `env` entry: asked for by its name
        return entries

    def _text(self, text: str, keys: Keys) -> str:
        name = ".".join(map(str, keys))
        try:
            plain = self._unlocker.plain(text, name or "the value")
        except DecryptError as error:
            raise placed(error, self._position(*keys)) from None
        if plain:
            self.secrets.append(SecretValue(str(keys[-1]) if keys else "", plain))
        return plain
