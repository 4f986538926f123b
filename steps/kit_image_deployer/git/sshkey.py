# SPDX-License-Identifier: MIT
"""A private key as it comes out of a CI's variable: mended, decrypted, and told apart from what is none."""

import re
from typing import TYPE_CHECKING, Final

from kit_core.errors import InputError
from kit_core.secrets import Secret

if TYPE_CHECKING:
    import asyncssh

_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_PUBLIC: Final = re.compile(r"(ssh-|ecdsa-|sk-)\S+ AAAA")
_HEADER: Final = re.compile(r"(?:Proc-Type|DEK-Info): ?\S+")
_KINDS: Final = "OpenSSH's own form and PEM (RSA, EC, Ed25519) can be read."


def mended(text: str) -> str:
    """The key with the line breaks that it should have: CRLF, `\\n` written out, blanks in their place and a missing
    last one are what variables and web forms make of them.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\n", "\n").strip()
    found = _PEM.search(text)
    if found is None:
        return text + "\n"
    body = found[2].strip()
    if "\n" not in body and " " in body:
        headers = _HEADER.findall(body)
        data = _HEADER.sub("", body).split()
        body = "\n".join([*headers, "", *data] if headers else data)
    return f"-----BEGIN {found[1]}-----\n{body}\n-----END {found[1]}-----\n"


def read_key(key: Secret, passphrase: Secret | None) -> "asyncssh.SSHKey":
    """The private key. Raises `InputError` that says what is wrong and shows nothing of it."""
    from kit_image_deployer.git.sshlib import asyncssh

    text = mended(key.reveal())
    given = passphrase.reveal() if passphrase else None
    try:
        return asyncssh.import_private_key(text, given)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError, TypeError) as error:
        if given is None and "passphrase" in str(error).lower():
            hint = "Set KIT_GIT_SSH_KEY_PASSPHRASE, or give a key without one."
            raise InputError("KIT_GIT_SSH_KEY has a passphrase, which is not given", hint=hint) from None
        if isinstance(error, asyncssh.KeyEncryptionError) or (given is not None and "decrypt" in str(error)):
            hint = "Check KIT_GIT_SSH_KEY_PASSPHRASE."
            raise InputError("the passphrase does not open KIT_GIT_SSH_KEY", hint=hint) from None
        raise InputError("KIT_GIT_SSH_KEY is no private key", why=_what_it_is(text), hint=_KINDS) from None


def _what_it_is(text: str) -> str:
    if _PUBLIC.match(text) or "BEGIN SSH2 PUBLIC KEY" in text or "BEGIN PUBLIC KEY" in text:
        return "it is a public one; the other file of the two, without .pub, is wanted"
    if text.startswith("PuTTY-User-Key-File"):
        return "it is in PuTTY's form; PuTTYgen exports it in OpenSSH's"
    if "-----BEGIN" not in text:
        return "it has no line `-----BEGIN … PRIVATE KEY-----`; a file's name goes into KIT_GIT_SSH_KEY_FILE"
    return "something in it is missing or broken"
