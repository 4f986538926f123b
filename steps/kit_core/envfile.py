# SPDX-License-Identifier: MIT
"""Encrypted files and values: what CodeShip's jet wrote, and a form of our own that notices a wrong key.

| header | form | |
|---|---|---|
| none | jet 1: base64 of an IV of 16 bytes and AES-256-CFB (segments of 128 bits) | read and written |
| `kit:v1` | base64 of a nonce of 12 bytes, AES-256-GCM and its tag; the header is authenticated | read and written |
| `codeship:v2`, `cloudbees:v1` | of later versions of jet; not public | handed to a `jet` on PATH |

A header is a line of its own. A value within another file is the same on one line, `kit:v1:BASE64`; jet 1 has no
header, so there a value says `codeship:v1:BASE64`. Everything happens in memory.
"""

import base64
import binascii
import io
import os
import re
from importlib import import_module
from typing import Any, Final, Literal

from kit_core.keys import DecryptError, Key

__all__ = ["DecryptError", "Form", "Key", "decrypt", "decrypt_value", "encrypt", "encrypt_value", "form_of",
           "is_encrypted", "is_encrypted_value"]  # fmt: skip

Form = Literal["jet 1", "kit:v1", "codeship:v2", "cloudbees:v1"]

_KIT: Final = b"kit:v1"
_HEADERS: Final[dict[bytes, Form]] = {_KIT: "kit:v1", b"codeship:v2": "codeship:v2", b"cloudbees:v1": "cloudbees:v1"}
_VALUE_HEADERS: Final[dict[str, Form]] = {"codeship:v1": "jet 1", **{h.decode(): form for h, form in _HEADERS.items()}}
_VALUE: Final = re.compile(r"\s*(kit:v\d+|codeship:v\d+|cloudbees:v\d+):([A-Za-z0-9+/=\s]*)")
_HEADER_LINE: Final = re.compile(rb"\s*((?:kit|codeship|cloudbees):v\d+)[ \t]*(?:\r?\n|$)")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_IV: Final = 16
_NONCE: Final = 12
_TAG: Final = 16
_LINE: Final = 57
"""Bytes on a line of a file, 76 characters of base64."""
_LINES: Final = 1000
_MOST: Final = 2**31 - 1 - _TAG
"""What the cipher takes at once."""
_BLANKS: Final = b" \t\r\n\v\f"
_NOT_TEXT: Final = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that no file of text holds; a wrong key makes them."""

_WRONG: Final = "wrong key or damaged file"


def form_of(data: bytes) -> Form | None:
    """How `data` (a whole file) is encrypted, None where it is not. Raises `DecryptError` for an unknown header.

    jet 1 has no header: what is base64 and nothing else, of 16 bytes or more, is taken for it.
    """
    header = _HEADER_LINE.match(data)
    if header:
        return _form(header[1], "the file")
    packed = data.translate(None, _BLANKS)  # no list of a large file's lines
    return "jet 1" if _BASE64.fullmatch(packed) and len(packed) % 4 == 0 and len(packed) * 3 // 4 >= _IV else None


def is_encrypted(data: bytes) -> bool:
    """Whether `data` (a whole file) is encrypted in any form, also in one that cannot be read here."""
    return bool(_HEADER_LINE.match(data)) or form_of(data) is not None


def decrypt(data: bytes, key: Key, *, name: str, binary: bool = False) -> bytes:
    """The plaintext of `data`, a whole file; `name` stands in errors.

    What is not UTF-8 text afterwards is refused, because jet 1 has no other sign of a wrong key; `binary` lets it pass.
    Raises `DecryptError`.
    """
    header = _HEADER_LINE.match(data)
    form = _form(header[1], name) if header else "jet 1"
    if form in {"codeship:v2", "cloudbees:v1"}:
        from kit_core.jet import decrypt_with_jet

        plain = decrypt_with_jet(data, key, name=name, form=form)
    else:
        plain = _open(form, data[header.end() :] if header else data, key, name)
    if not binary:
        _text(plain, key, name)
    return plain


def encrypt(plain: bytes, key: Key, *, form: Form = "kit:v1") -> bytes:
    """`plain` as a whole file in `form` (`kit:v1` or `jet 1`). Raises `DecryptError` for a form that is only read, and
    for more than two gigabytes.
    """
    sealed = _seal(form, plain, key)
    if form == "jet 1":
        return base64.b64encode(sealed)  # one line without an end, as jet wrote it
    file = io.BytesIO()
    file.write(_KIT + b"\n")
    for start in range(0, len(sealed), _LINE * _LINES):
        file.write(base64.encodebytes(sealed[start : start + _LINE * _LINES]))
    return file.getvalue()


def is_encrypted_value(text: str) -> bool:
    """Whether `text` is an encrypted value: a header and base64, and nothing else."""
    return _VALUE.fullmatch(text) is not None


def decrypt_value(text: str, key: Key, *, name: str) -> str:
    """The plaintext of an encrypted value; `name` stands in errors. Raises `DecryptError`."""
    found = _VALUE.fullmatch(text)
    if found is None:
        raise DecryptError(f"{name} is no encrypted value", hint="It begins with `kit:v1:`; base64 follows.")
    form = _VALUE_HEADERS.get(found[1])
    if form is None:
        raise _unknown(found[1], name)
    if form in {"jet 1", "kit:v1"}:
        return _text(_open(form, found[2].encode(), key, name), key, name)
    return decrypt(f"{found[1]}\n{found[2]}".encode(), key, name=name).decode()


def encrypt_value(plain: str, key: Key, *, form: Form = "kit:v1") -> str:
    """`plain` as a value on one line, in `form` (`kit:v1` or `jet 1`)."""
    header = "codeship:v1" if form == "jet 1" else form
    return f"{header}:{base64.b64encode(_seal(form, plain.encode(), key)).decode()}"


def _form(header: bytes, name: str) -> Form:
    form = _HEADERS.get(header)
    if form is None:
        raise _unknown(header.decode(), name)
    return form


def _open(form: Form, packed: bytes, key: Key, name: str) -> bytes:
    raw = _unpacked(packed, name)
    if form == "jet 1":
        if len(raw) < _IV:
            raise _broken(name, key, f"it holds {len(raw)} bytes, and jet 1 begins with {_IV} of its own")
        decryptor = _cfb(key, raw[:_IV]).decryptor()
        return bytes(decryptor.update(raw[_IV:]) + decryptor.finalize())
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(raw) < _NONCE + _TAG:
        raise _broken(name, key, f"it holds {len(raw)} bytes, and kit:v1 has {_NONCE + _TAG} at least")
    try:
        return AESGCM(key.raw).decrypt(raw[:_NONCE], raw[_NONCE:], _KIT)
    except InvalidTag:
        raise _broken(name, key, "its checksum does not fit") from None


def _seal(form: Form, plain: bytes, key: Key) -> bytes:
    if len(plain) > _MOST:
        raise DecryptError("That is too much to encrypt", why="it is more than 2 GB", hint="Encrypt it in parts.")
    if form == "jet 1":
        start = os.urandom(_IV)
        encryptor = _cfb(key, start).encryptor()
        sealed: bytes = start + encryptor.update(plain) + encryptor.finalize()
        return sealed
    if form != "kit:v1":
        raise DecryptError(f"{form} cannot be written", why="its layout is not public", hint="Write kit:v1 instead.")
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key.raw).encrypt(nonce, plain, _KIT)


def _cfb(key: Key, start: bytes) -> Any:
    """AES-256-CFB; cryptography moved the mode in version 47 and warns where it was."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

    try:
        modes = import_module("cryptography.hazmat.decrepit.ciphers.modes")
    except ImportError:
        modes = import_module("cryptography.hazmat.primitives.ciphers.modes")
    return Cipher(AES(key.raw), modes.CFB(start))


def _unpacked(packed: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(packed.translate(None, _BLANKS), validate=True)
    except binascii.Error:
        raise DecryptError(
            f"{name} is not encrypted as it should be",
            why="it is no base64",
            hint="Encrypt it again; a file that is not encrypted needs no key.",
        ) from None


def _text(plain: bytes, key: Key, name: str) -> str:
    try:
        text = plain.decode("utf-8")
    except UnicodeDecodeError:
        raise _broken(name, key, "what comes out is not UTF-8 text") from None
    if _NOT_TEXT.search(text):
        raise _broken(name, key, "what comes out is no text")
    return text


def _broken(name: str, key: Key, why: str) -> DecryptError:
    return DecryptError(
        f"{name} cannot be decrypted",
        why=f"{_WRONG}: {why}",
        hint=f"Check that {key.origin} is the key it was encrypted with.",
    )


def _unknown(header: str, name: str) -> DecryptError:
    return DecryptError(
        f"{name} is encrypted in a form that kit does not know",
        why=f"its header is {header}",
        hint=f"Known are {', '.join(_VALUE_HEADERS)}; a newer kit may know it.",
    )
