# SPDX-License-Identifier: MIT
"""From the bytes of an encrypted file to its text and back; what is probably a mistake is refused or told. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kit_core.envfile import Form, decrypt, form_of
from kit_core.errors import InputError
from kit_core.keys import DecryptError, Key

FORMS: Final[Mapping[str, Form]] = {"kit:v1": "kit:v1", "jet1": "jet 1"}
"""The words of `--format`."""
NEW: Final[Form] = "kit:v1"
_SEALED: Final = re.compile(r"\.(?:encrypted|enc|aes|sec)$", re.IGNORECASE)
_CERTAIN: Final = 8
"""As many bytes that are text are no accident: one wrong key in a thousand would give that."""


@dataclass(frozen=True)
class Opened:
    """What an encrypted file holds, and how it is encrypted."""

    plain: bytes = field(repr=False)
    form: Form


def opened(data: bytes, key: Key, *, name: str, binary: bool = False) -> Opened:
    """What the file `data` holds; `name` stands in errors.

    What is no text is refused in jet 1, which has no other sign of a wrong key, unless `binary` says that it is right.
    Raises `InputError` for plaintext, `DecryptError`.
    """
    form = form_of(data)
    if form is None and data.strip() and _is_text(data):
        raise InputError(
            f"{name} is not encrypted",
            why="it has no header, and is no base64",
            hint="What jet 1 wrote is base64 and nothing else: if this is that, something was added or is missing.",
        )
    try:
        return Opened(decrypt(data, key, name=name, binary=binary or form == "kit:v1"), form or "jet 1")
    except DecryptError as error:
        if form == "jet 1" and error.why and "what comes out" in error.why:
            error.hint = f"{error.hint} If it never held text, `--binary` lets it pass: jet 1 cannot tell."
        raise


def form_for(former: bytes | None, wanted: str | None) -> Form:
    """The form to write: the one that was asked for, else that of the file that is replaced, else our own."""
    if wanted is not None:
        return FORMS[wanted]
    return "jet 1" if former is not None and _kind(former) == "jet 1" else NEW


def _kind(data: bytes) -> Form | Literal["unknown"] | None:
    """`form_of` without an error; asked once, since the file may be large."""
    try:
        return form_of(data)
    except DecryptError:
        return "unknown"


def check_plain(data: bytes, key: Key, *, name: str, form: Form) -> tuple[str, ...]:
    """What to warn of before `data` is encrypted. Raises `InputError` where it is encrypted already.

    jet 1 has no header: what is base64 is taken for it where `key` makes text of it.
    """
    if not data:
        return (f"{name} is empty, and so is what comes out when it is decrypted",)
    kind = _kind(data)
    if kind is not None and (kind != "jet 1" or opens(data, key)):
        raise InputError(
            f"{name} is encrypted already",
            why="encrypting it twice is nearly always a mistake",
            hint="Name the file with the plain text first, then the encrypted one; `edit` changes an encrypted file,"
            " and `rekey` brings it to another key.",
        )
    if kind is not None:
        return (
            f"{name} is base64 and nothing else; if that is jet's work under another key, it is encrypted twice now",
        )
    if form == "jet 1" and not _is_text(data):
        return (f"{name} is no text: jet 1 cannot tell it from noise, so it is decrypted with --binary only",)
    return ()


def opens(data: bytes, key: Key) -> bool:
    """Whether `key` makes text of a file of jet 1, so much of it that this is no accident."""
    try:
        return len(decrypt(data, key, name="")) >= _CERTAIN
    except DecryptError:
        return False


def replaces_other_key(former: bytes, key: Key) -> bool:
    """Whether the encrypted file `former` is one that `key` does not open: it was damaged, or has another key."""
    kind = _kind(former)
    if kind not in FORMS.values():
        return False
    try:
        decrypt(former, key, name="", binary=kind == "kit:v1")
    except DecryptError:
        return True
    return False


def plain_name(name: str) -> str:
    """What the text of the encrypted file `name` would be called: without the ending that says that it is encrypted."""
    return _SEALED.sub("", name) or name


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\x00" not in data
