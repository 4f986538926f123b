# SPDX-License-Identifier: MIT
"""The private key for ssh: decrypted, and told apart from what is none."""

import re
from typing import TYPE_CHECKING, Final

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.pem import mended

if TYPE_CHECKING:
    import asyncssh

_PUBLIC: Final = re.compile(r"(ssh-|ecdsa-|sk-)\S+ AAAA")
_KINDS: Final = "OpenSSH's own form and PEM (RSA, EC, Ed25519) can be read."


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
