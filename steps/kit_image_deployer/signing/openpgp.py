# SPDX-License-Identifier: MIT
"""Signatures with OpenPGP keys, which git verifies with `gpg`.

Sequoia makes them (pysequoia, 10 MB): in memory, under any user and on a read-only disk. GnuPG's own programs are
hardly smaller with their libraries, and want a folder for the key, an agent that outlives a killed run, and a user.
"""

import re
from collections.abc import Iterable
from typing import Final

from pysequoia import PySigner, SignatureMode, Tsk, sign
from pysequoia.packet import Packet, PacketPile, Tag

from kit_core.secrets import Secret
from kit_image_deployer.signing import locked, unusable

# What `gpg --export-secret-subkeys` writes in the place of a secret that it leaves out: its own extension of the
# string-to-key specifiers (GnuPG's doc/DETAILS, "GNU extensions to the S2K algorithm"). It ends the packet.
_LEFT_OUT: Final = re.compile(rb"[\xfe\xff].e.GNU[\x01\x02]", re.DOTALL)
_LEFT_OUT_BYTES: Final = 8
_PUBLIC_KEY: Final = 6
_PUBLIC_SUBKEY: Final = 14


class OpenPgpSigner:
    """An OpenPGP key: the first of its keys that may sign, is valid now, and has its secret with it."""

    def __init__(self, key: bytes, passphrase: Secret | None) -> None:
        try:
            opened = Tsk.from_bytes(_without_stubs(key))
        except RuntimeError:
            raise unusable("it is damaged, or no secret key") from None
        self.name = f"OpenPGP key {opened.extract_certificate().fingerprint.upper()}"
        self._signer = _signer(opened, passphrase)

    def sign(self, commit: bytes) -> bytes:
        """See `Signer`."""
        return bytes(sign(self._signer, commit, mode=SignatureMode.DETACHED))


def _signer(key: Tsk, passphrase: Secret | None) -> PySigner:
    try:
        return key.signer()
    except RuntimeError as error:
        if "encrypted" not in str(error):
            why = "none of its keys may sign: they are expired, revoked, for other uses, or of an unusual kind"
            raise unusable(why) from None
    if passphrase is None:
        raise locked(None)
    try:
        return key.signer(passphrase.reveal())
    except RuntimeError:
        raise locked(passphrase) from None


def _without_stubs(key: bytes) -> bytes:
    """The key with public keys in the place of secret ones that were left out.

    A key for a CI is best exported with its subkeys' secrets only. Sequoia would take what stands in the primary
    key's place for a secret, and try that one first.
    """
    packets = list(PacketPile.from_bytes(key))
    if not any(_is_stub(packet) for packet in packets):
        return key
    return b"".join(_rewritten(packets))


def _is_stub(packet: Packet) -> bool:
    secret = packet.tag in (Tag.SecretKey, Tag.SecretSubkey)
    return secret and _LEFT_OUT.fullmatch(packet.body[-_LEFT_OUT_BYTES:]) is not None


def _rewritten(packets: Iterable[Packet]) -> Iterable[bytes]:
    for packet in packets:
        if _is_stub(packet):
            tag = _PUBLIC_KEY if packet.tag == Tag.SecretKey else _PUBLIC_SUBKEY
            body = packet.body[:-_LEFT_OUT_BYTES]
            yield bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body
        else:
            yield bytes(packet)
