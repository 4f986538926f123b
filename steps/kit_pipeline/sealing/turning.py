# SPDX-License-Identifier: MIT
"""One file from an old key to a new one. Pure.

What is under the new key already stays as it is, so that an interrupted run is finished by the next. Forms with a
checksum say themselves which key fits. jet 1 has none: there a key fits if it makes text, and where both do, the one
whose text is an env file; where even that does not decide, nothing is touched.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from kit_core.dotenv import parse_env
from kit_core.envfile import Form, decrypt, decrypt_value, encrypt, encrypt_value, form_of, is_encrypted
from kit_core.errors import InputError
from kit_core.keys import DecryptError, Key
from kit_pipeline.sealing.inline import Inline, replaced, values_in
from kit_pipeline.sealing.sealed import FORMS, plain_name

_ENOUGH: Final = 16
"""That much text is no accident: what is shorter may be base64 of something else, such as a hash."""
_BY_CHANCE: Final = "it is base64, so short that it may be anything; name the file itself if it is jet's work"

Fit = Literal["old", "new"]


class UndecidedError(DecryptError):
    """Both keys make text of something that jet 1 wrote."""


@dataclass(frozen=True)
class Keys:
    """From which key to which, and the form to write (None: each its own)."""

    old: Key
    new: Key
    form: Form | None = None


@dataclass(frozen=True)
class Stranger:
    """Something encrypted that neither key opens: its line (0: the whole file), and what the old one met."""

    line: int
    refusal: DecryptError


@dataclass(frozen=True)
class Turned:
    """What became of a file: its new bytes (None: nothing is to be written) and what to say of it.

    `turned` and `already` count what was under the old and under the new key; `strangers` is what neither opens.
    """

    data: bytes | None = field(default=None, repr=False)
    turned: int = 0
    already: int = 0
    strangers: tuple[Stranger, ...] = ()
    forms: tuple[Form, ...] = ()
    """How what was turned is encrypted now, each form once."""
    within: bool = False
    """Whether these are values within a text, and not the whole file."""


def turn(data: bytes, keys: Keys, *, name: str, guessing: bool = False) -> Turned:
    """The file `data` under the new key: a whole encrypted file, or the encrypted values within a text.

    `guessing` says that nobody named the file: what is base64 by chance is left alone. Raises `UndecidedError` where
    jet 1 does not say which key fits, `DecryptError` for a form that nobody knows, `InputError` for a value that
    cannot be replaced.
    """
    if is_encrypted(data):
        return _whole(data, keys, name, guessing)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Turned()
    return _within(text, keys, name)


def _whole(data: bytes, keys: Keys, name: str, guessing: bool) -> Turned:
    form = form_of(data)
    assert form is not None
    by_chance = guessing and form == "jet 1" and plain_name(name) == name
    try:
        fit, plain = _fitting(form, lambda key: decrypt(data, key, name=name, binary=form == "kit:v1"), keys, name)
    except _StrangerError as stranger:
        return Turned() if by_chance else Turned(strangers=(Stranger(0, stranger.refusal),))
    except UndecidedError as error:
        if by_chance:
            return Turned(strangers=(Stranger(0, error),))
        raise
    if by_chance and not plain:
        return Turned()
    if by_chance and len(plain) < _ENOUGH:
        return Turned(strangers=(Stranger(0, DecryptError(f"{name} is too short", why=_BY_CHANCE)),))
    target = keys.form or (form if form in FORMS.values() else "kit:v1")
    if fit == "new" and target == form:
        return Turned(already=1)
    return Turned(encrypt(plain, keys.new, form=target), turned=1, forms=(target,))


def _within(text: str, keys: Keys, name: str) -> Turned:
    changes: dict[Inline, str] = {}
    already, strangers, forms = 0, list[Stranger](), dict[Form, None]()
    for value in values_in(text, name=name):
        try:
            new, form = _value(value, keys, f"{name}:{value.line}")
        except _StrangerError as stranger:
            strangers.append(Stranger(value.line, stranger.refusal))
            continue
        if new is None:
            already += 1
        else:
            changes[value] = new
            forms[form] = None
    data = replaced(text, changes).encode() if changes else None
    return Turned(data, len(changes), already, tuple(strangers), tuple(forms), within=True)


def _value(value: Inline, keys: Keys, name: str) -> tuple[str | None, Form]:
    """The value under the new key, None where it is that already; and its form."""
    header = value.text.rpartition(":")[0]
    form = form_of(value.text.encode()) if value.whole else _headed(header)
    assert form is not None

    def opened(key: Key) -> bytes:
        if value.whole:
            return decrypt(value.text.encode(), key, name=name)
        return decrypt_value(value.text, key, name=name).encode()

    fit, plain = _fitting(form, opened, keys, name)
    target = keys.form or (form if form in FORMS.values() else "kit:v1")
    if fit == "new" and target == form:
        return None, form
    if value.whole and target == "jet 1":
        return encrypt(plain, keys.new, form=target).decode(), target
    return encrypt_value(plain.decode(), keys.new, form=target), target


def _headed(header: str) -> Form | None:
    return "jet 1" if header == "codeship:v1" else form_of(f"{header}\n".encode())


class _StrangerError(Exception):
    """Neither key opens it."""

    def __init__(self, refusal: DecryptError) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def _fitting(form: Form, open_with: Callable[[Key], bytes], keys: Keys, name: str) -> tuple[Fit, bytes]:
    try:
        old = open_with(keys.old)
    except DecryptError as error:
        new = _tried(open_with, keys.new)
        if new is None:
            raise _StrangerError(error) from None
        return "new", new
    new = _tried(open_with, keys.new) if form == "jet 1" else None
    if new is None:
        return "old", old
    if (not old and not new) or (_is_env(old) and not _is_env(new)):
        return "old", old
    if _is_env(new) and not _is_env(old):
        return "new", new
    raise UndecidedError(
        f"{name} cannot be brought to the new key",
        why="it is so short that both keys make text of it, and jet 1 does not say which one is right",
        hint="Decrypt it, and encrypt it under the new key with --format kit:v1.",
    )


def _tried(open_with: Callable[[Key], bytes], key: Key) -> bytes | None:
    try:
        return open_with(key)
    except DecryptError:
        return None


def _is_env(plain: bytes) -> bool:
    try:
        return bool(parse_env(plain.decode(), name=""))
    except (UnicodeDecodeError, InputError):
        return False
