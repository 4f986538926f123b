# SPDX-License-Identifier: MIT
"""Signatures of commits, as `git commit -S` makes them: with an ssh key (`sshsig`) or an OpenPGP key (`openpgp`).

Which of the two a key is, its first line tells. Everything happens in memory: no program is started, no key is
written anywhere. The kinds are loaded when a key of theirs comes.
"""

import re
from typing import Final, Protocol

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.pem import mended

SETTING: Final = "KIT_SIGNING_KEY"
PASSPHRASE_SETTING: Final = "KIT_SIGNING_KEY_PASSPHRASE"  # noqa: S105 - its name

_HEADER: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_OPENPGP: Final = "PGP PRIVATE KEY BLOCK"
_SSH: Final = frozenset(
    {"OPENSSH PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
)


class Signer(Protocol):
    """A key that can be used. `name` is what people call it: its kind and its fingerprint."""

    name: str

    def sign(self, commit: bytes) -> bytes:
        """The armored signature of a commit's content (without its signature), for the header `gpgsig`."""
        ...


def signer_of(key: Secret, passphrase: Secret | None) -> Signer:
    """Open a key: an ssh private key as ssh-keygen writes it, or an armored OpenPGP secret key.

    Raises `InputError` where it is neither, cannot sign, or does not open; the message holds nothing of it.
    """
    text = mended(key.reveal())
    octets = text.encode("utf-8", "surrogateescape")
    header = _HEADER.match(text)
    kind = header[1] if header else ""
    if kind in _SSH:
        from kit_image_deployer.signing.sshsig import SshSigner

        return SshSigner(octets, passphrase)
    if kind == _OPENPGP:
        from kit_image_deployer.signing.openpgp import OpenPgpSigner

        return OpenPgpSigner(octets, passphrase)
    if kind.startswith("PGP PUBLIC") or text.startswith(("ssh-", "ecdsa-", "sk-")):
        why = "it is a public key, and only the private one can sign"
    else:
        why = f"it begins with {kind}" if kind else "it does not begin with a line -----BEGIN …-----"
    raise unusable(why)


def unusable(why: str) -> InputError:
    """The error for a key that cannot be used."""
    return InputError(
        f"{SETTING} cannot be used",
        why=why,
        hint="Give an ssh private key (`ssh-keygen -t ed25519` makes one) or what `gpg --armor --export-secret-keys`"
        f" prints, in {SETTING}_FILE, or as {SETTING}_BASE64 where line breaks get lost.",
    )


def locked(passphrase: Secret | None) -> InputError:
    """The error for a key whose passphrase is missing or wrong."""
    if passphrase is None:
        hint = f"Give the passphrase in {PASSPHRASE_SETTING} (or {PASSPHRASE_SETTING}_FILE)."
        return InputError(f"{SETTING} is protected by a passphrase", hint=hint)
    return InputError(f"{PASSPHRASE_SETTING} does not open {SETTING}", hint="Check it; line breaks count as well.")
