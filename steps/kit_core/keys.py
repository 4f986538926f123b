# SPDX-License-Identifier: MIT
"""The AES key of a repository's encrypted files: base64 of 32 bytes, from a setting or from `codeship.aes`."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.files import read_text
from kit_core.secrets import Secret

KEY_FILE: Final = "codeship.aes"
_LENGTH: Final = 32
_MAKE: Final = "`head -c 32 /dev/urandom | base64` makes one."


class DecryptError(InputError):
    """Something encrypted cannot be read: no key, the wrong one, or damaged data. Never taken for a warning."""


@dataclass(frozen=True)
class Key:
    """A key, and where it comes from, as shown. The bytes print nowhere."""

    raw: bytes = field(repr=False)
    origin: str = "the key"

    @classmethod
    def from_text(cls, text: str, origin: str) -> "Key":
        """The key that base64 `text` holds. Raises `DecryptError`, without the text."""
        try:
            raw = base64.b64decode("".join(text.removeprefix("\ufeff").split()), validate=True)
        except (binascii.Error, ValueError):
            raise _no_key(origin, "it is no base64") from None
        if len(raw) != _LENGTH:
            raise _no_key(origin, f"it holds {len(raw)} bytes, and AES-256 needs {_LENGTH}")
        return cls(raw, origin)

    @property
    def text(self) -> str:
        """Base64, as in a key file."""
        return base64.b64encode(self.raw).decode()


def read_key(
    given: Secret | None = None,
    *,
    path: Path | None = None,
    folders: Iterable[Path] = (),
    learn_secret: Callable[[str], None] = lambda _value: None,
) -> Key:
    """The key: from the file at `path`, else `given` (the setting), else the first `codeship.aes` in `folders`.

    `learn_secret` is told of it, so that a log can mask it. Raises `DecryptError` where there is none, or it is none.
    """
    if path is not None:
        return _from_file(path, learn_secret)
    if given:
        learn_secret(given.reveal())
        return Key.from_text(given.reveal(), "CODESHIP_AES_KEY")
    looked = tuple(dict.fromkeys(folder / KEY_FILE for folder in folders))
    found = next((file for file in looked if file.is_file()), None)
    if found is None:
        places = f", and there is no {' or '.join(map(str, looked))}" if looked else ""
        raise DecryptError(
            "There is no key",
            why=f"CODESHIP_AES_KEY is not set{places}",
            hint="Set CODESHIP_AES_KEY, or CODESHIP_AES_KEY_FILE to the path of the key's file.",
        )
    return _from_file(found, learn_secret)


def _from_file(path: Path, learn_secret: Callable[[str], None]) -> Key:
    text = read_text(path, what="The key's file").strip()
    if text:
        learn_secret(text)
    return Key.from_text(text, str(path))


def _no_key(origin: str, why: str) -> DecryptError:
    return DecryptError(f"{origin} holds no key", why=why, hint=f"A key is base64 of {_LENGTH} bytes; {_MAKE}")
