# SPDX-License-Identifier: MIT
"""Signatures with ssh keys, in the format of OpenSSH (PROTOCOL.sshsig), which git verifies with `ssh-keygen`.

`cryptography` reads the keys and signs; it has no name for this format, which is a few lines around a signature, and
OpenSSH's own program would want the key in a file and a user that the system knows.
"""

import base64
import hashlib
import struct
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from kit_core.secrets import Secret
from kit_image_deployer.signing import locked, unusable

_MAGIC: Final = b"SSHSIG"
_VERSION: Final = 1
_NAMESPACE: Final = b"git"
_HASH: Final = b"sha512"
_LINE: Final = 70
_LEAST_RSA_BITS: Final = 2048
# RFC 5656, 6.2.1: the hash goes with the size of the curve.
_CURVES: Final[dict[str, tuple[bytes, hashes.HashAlgorithm]]] = {
    "secp256r1": (b"nistp256", hashes.SHA256()),
    "secp384r1": (b"nistp384", hashes.SHA384()),
    "secp521r1": (b"nistp521", hashes.SHA512()),
}

SshKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class SshSigner:
    """An ssh key: ed25519, ecdsa, or rsa of 2048 bits at least."""

    def __init__(self, key: bytes, passphrase: Secret | None) -> None:
        self._key = _opened(key, passphrase)
        line = self._key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        kind, encoded = line.split(b" ")[:2]
        self._public = base64.b64decode(encoded)
        fingerprint = base64.b64encode(hashlib.sha256(self._public).digest()).rstrip(b"=").decode()
        self.name = f"{kind.decode()} key SHA256:{fingerprint}"

    def sign(self, commit: bytes) -> bytes:
        """See `Signer`."""
        head = _string(_NAMESPACE) + _string(b"") + _string(_HASH)
        signed = _MAGIC + head + _string(hashlib.sha512(commit).digest())
        version = struct.pack(">I", _VERSION)
        blob = _MAGIC + version + _string(self._public) + head + _string(_signature(self._key, signed))
        text = base64.b64encode(blob)
        lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
        return b"\n".join([b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----", b""])


def _opened(text: bytes, passphrase: Secret | None) -> SshKey:
    secret = passphrase.reveal().encode("utf-8", "surrogateescape") if passphrase else None
    openssh = text.startswith(b"-----BEGIN OPENSSH ")
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    protected = _is_protected(text)
    try:
        key = load(text, password=secret if protected else None)
    except UnsupportedAlgorithm:
        raise unusable("keys of its kind are not known") from None
    except (ValueError, TypeError):
        # The library's words may quote what it read.
        raise locked(passphrase) if protected else unusable("it is damaged") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _LEAST_RSA_BITS:
        raise unusable(f"its {key.key_size} bits are fewer than OpenSSH accepts")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise unusable("OpenSSH does not know its curve")
    if not isinstance(key, SshKey):
        raise unusable("it is neither ed25519, nor ecdsa, nor rsa")
    return key


def _is_protected(text: bytes) -> bool:
    """Whether a passphrase is needed. OpenSSH's form names the cipher after its magic word, PEM in its head."""
    body = b"".join(line for line in text.splitlines() if line and not line.startswith(b"-"))
    if not text.startswith(b"-----BEGIN OPENSSH "):
        return b"ENCRYPTED" in text
    try:
        return not base64.b64decode(body[:64]).startswith(b"openssh-key-v1\0\0\0\0\4none")
    except ValueError:
        return False


def _signature(key: SshKey, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _string(b"ssh-ed25519") + _string(key.sign(data))
    if isinstance(key, rsa.RSAPrivateKey):
        return _string(b"rsa-sha2-512") + _string(key.sign(data, padding.PKCS1v15(), hashes.SHA512()))
    name, algorithm = _CURVES[key.curve.name]
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
    return _string(b"ecdsa-sha2-" + name) + _string(_string(_number(r)) + _string(_number(s)))


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _number(value: int) -> bytes:
    """RFC 4251, 5: of two's complement, so that a leading bit that is set needs a byte before it."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")
