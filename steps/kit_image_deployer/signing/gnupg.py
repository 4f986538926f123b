# SPDX-License-Identifier: MIT
"""What GnuPG writes into exported keys in its own way, put into OpenPGP's, which is all that Sequoia reads.

Packets are described in RFC 4880: 5.5.3 the secret keys, 3.7.1.3 how a passphrase becomes a key, 3.2 the numbers.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pysequoia.packet import Packet, PacketPile, Tag

from kit_core.secrets import Secret

# In the place of a secret that `gpg --export-secret-subkeys` leaves out: its own extension of the string-to-key
# specifiers (GnuPG's doc/DETAILS, "GNU extensions to the S2K algorithm"). It ends the packet.
_LEFT_OUT: Final = re.compile(rb"[\xfe\xff].e.GNU[\x01\x02]", re.DOTALL)
_LEFT_OUT_BYTES: Final = 8
_PUBLIC_KEY, _PUBLIC_SUBKEY, _SECRET_KEY, _SECRET_SUBKEY = 6, 14, 5, 7
_EDDSA: Final = 22
_HASHES: Final = {2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_KEY_BYTES: Final = {7: 16, 8: 24, 9: 32}  # AES, by OpenPGP's number
_CHECK_BYTES: Final = 20


def without_stubs(key: bytes) -> bytes:
    """The key with public keys in the place of secret ones that were left out.

    A key for a CI is best exported with its subkeys' secrets only. Sequoia would take what stands in the primary
    key's place for a secret, and try that one first.
    """

    def public(packet: Packet) -> bytes | None:
        if _LEFT_OUT.fullmatch(packet.body[-_LEFT_OUT_BYTES:]) is None:
            return None
        tag = _PUBLIC_KEY if packet.tag == Tag.SecretKey else _PUBLIC_SUBKEY
        return _packet(tag, packet.body[:-_LEFT_OUT_BYTES])

    return _rewritten(key, public)


def unlocked(key: bytes, passphrase: Secret) -> bytes:
    """The key with those of its EdDSA secrets in the clear that the passphrase opens.

    GnuPG 2.4 protects the number with the zeros before it, and says it were as long as with them: half of all keys
    begin with a zero, and Sequoia, which goes by the letter, does not read those.
    """

    def open_secret(packet: Packet) -> bytes | None:
        secret = _eddsa_secret(packet.body, passphrase.reveal().encode("utf-8", "surrogateescape"))
        if secret is None:
            return None
        public, number = secret
        value = int.from_bytes(number[2:], "big")
        clear = value.bit_length().to_bytes(2, "big") + value.to_bytes((value.bit_length() + 7) // 8, "big")
        tag = _SECRET_KEY if packet.tag == Tag.SecretKey else _SECRET_SUBKEY
        return _packet(tag, public + b"\0" + clear + (sum(clear) % 65536).to_bytes(2, "big"))

    return _rewritten(key, open_secret)


def _eddsa_secret(body: bytes, passphrase: bytes) -> tuple[bytes, bytes] | None:
    """An EdDSA key's public part and its secret number, where it is protected in the usual way and opens."""
    if body[0] != 4 or body[5] != _EDDSA:
        return None
    point = 7 + body[6]
    end = point + 2 + (int.from_bytes(body[point : point + 2], "big") + 7) // 8
    usage, cipher, specifier, algorithm = body[end : end + 4]
    if usage != 0xFE or specifier != 3 or cipher not in _KEY_BYTES or algorithm not in _HASHES:
        return None
    salt, count, vector = body[end + 4 : end + 12], body[end + 12], body[end + 13 : end + 29]
    derived = _derived(passphrase, salt, (16 + (count & 15)) << ((count >> 4) + 6), algorithm, _KEY_BYTES[cipher])
    decryptor = Cipher(algorithms.AES(derived), modes.CFB(vector)).decryptor()
    plain = decryptor.update(body[end + 29 :]) + decryptor.finalize()
    number, check = plain[:-_CHECK_BYTES], plain[-_CHECK_BYTES:]
    if hashlib.sha1(number, usedforsecurity=False).digest() != check:
        return None
    return body[:end], number


def _derived(passphrase: bytes, salt: bytes, count: int, algorithm: int, length: int) -> bytes:
    """Iterated and salted: the hash of so many bytes of salt and passphrase, over and over."""
    unit = salt + passphrase
    count = max(count, len(unit))
    derived = b""
    for zeros in range(length):
        if len(derived) >= length:
            break
        hashed = hashlib.new(_HASHES[algorithm], bytes(zeros), usedforsecurity=False)
        block = unit * (65_536 // len(unit) + 1)
        for _ in range(count // len(block)):
            hashed.update(block)
        hashed.update(block[: count % len(block)])
        derived += hashed.digest()
    return derived[:length]


def _rewritten(key: bytes, change: Callable[[Packet], bytes | None]) -> bytes:
    """The key with what `change` makes of packets that hold secrets (None: the packet as it is)."""
    packets = []
    for packet in PacketPile.from_bytes(key):
        changed = change(packet) if _is_secret(packet) else None
        packets.append(changed or bytes(packet))
    return b"".join(packets)


def _is_secret(packet: Packet) -> bool:
    return packet.tag == Tag.SecretKey or packet.tag == Tag.SecretSubkey  # noqa: PLR1714 - they have no hash


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body
