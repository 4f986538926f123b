# SPDX-License-Identifier: MIT
"""Signatures with OpenPGP keys, which git verifies with `gpg`.

Sequoia makes them (pysequoia, 7 MB): in memory, under any user and on a read-only disk. GnuPG's own programs are
hardly smaller with their libraries, and want a folder for the key, an agent that outlives a killed run, and a user.
"""

from pysequoia import PySigner, SignatureMode, Tsk, sign

from kit_core.secrets import Secret
from kit_image_deployer.signing import locked, unusable
from kit_image_deployer.signing.gnupg import unlocked, without_stubs


class OpenPgpSigner:
    """An OpenPGP key: the first of its keys that may sign, is valid now, and has its secret with it."""

    def __init__(self, key: bytes, passphrase: Secret | None) -> None:
        try:
            packets = without_stubs(key)
            opened = Tsk.from_bytes(packets)
        except RuntimeError:
            raise unusable("it is damaged, or no secret key") from None
        self.name = f"OpenPGP key {opened.extract_certificate().fingerprint.upper()}"
        self._signer = _signer(opened, packets, passphrase)

    def sign(self, commit: bytes) -> bytes:
        """See `Signer`."""
        return bytes(sign(self._signer, commit, mode=SignatureMode.DETACHED))


def _signer(key: Tsk, packets: bytes, passphrase: Secret | None) -> PySigner:
    try:
        return key.signer()
    except RuntimeError as error:
        if "encrypted" not in str(error):
            why = "none of its keys may sign: they are without their secret, expired, revoked, or for other uses"
            raise unusable(why) from None
    if passphrase is None:
        raise locked(None)
    try:
        return key.signer(passphrase.reveal())
    except (RuntimeError, ValueError):
        pass
    try:
        return Tsk.from_bytes(unlocked(packets, passphrase)).signer()
    except (RuntimeError, ValueError, IndexError):
        raise locked(passphrase) from None
