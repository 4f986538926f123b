# SPDX-License-Identifier: MIT
"""Keys of peculiar shapes: what real programs write, and what signatures of them hold."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import Cert, Sig, Tsk, verify

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.signing import signer_of

# Made by GnuPG 2.4.7, passphrase `pw`: the number begins with a zero, and is said to be 256 bits long.
LEADING_ZERO = """\
-----BEGIN PGP PRIVATE KEY BLOCK-----

lIYEawRzQRYJKwYBBAHaRw8BAQdAMUlcKvU4hSWk4VWCxWK36d5ouKyZgdw1zCUC
WxGhmX7+BwMCUBAegSpiPKz/J7Xifz8ra0AGARZI9C6qjJW5p44zEMJ63Q0eBrjy
99w6qyvYRdEG/5+e8qvkg+KYcGg6Z84Jw/xIMdJMdX3z1RTtmtQWVbQLQTEgPGEx
QGIuYz6IkAQTFgoAOBYhBKAqHTvuJpOsytRMs5BCtZT24NWDBQJrBHNBAhsDBQsJ
CAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEJBCtZT24NWDgJEA/04PL565NGOq6eae
kSZ1qDtGsqoGPY52oFeGQezCeQC6AP4zP2KICYADDoirRtbRujzhkg+0MQAtj4Yn
+JlXmWk8Ag==
=H4wk
-----END PGP PRIVATE KEY BLOCK-----
"""
CERTIFICATE = Tsk.from_bytes(LEADING_ZERO.encode()).extract_certificate()


def test_a_number_that_gnupg_wrote_with_its_zeros_opens() -> None:
    signer = signer_of(Secret(LEADING_ZERO), Secret("pw"))
    made = signer.sign(b"commit")
    assert made.startswith(b"-----BEGIN PGP SIGNATURE-----\n")

    def certificates(_ids: list[str]) -> list[Cert]:
        return [CERTIFICATE]

    good = verify(bytes=b"commit", store=certificates, signature=Sig.from_bytes(made))
    assert good.valid_sigs[0].certificate.upper() in signer.name
    with pytest.raises(InputError, match="does not open"):
        signer_of(Secret(LEADING_ZERO), Secret("pw "))


def strings(blob: bytes) -> list[bytes]:
    """The strings in an ssh structure."""
    found = []
    while blob:
        length = struct.unpack(">I", blob[:4])[0]
        found.append(blob[4 : 4 + length])
        assert len(found[-1]) == length
        blob = blob[4 + length :]
    return found


@given(st.binary(max_size=300))
def test_an_ssh_signature_holds_what_openssh_says(commit: bytes) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    made = signer_of(Secret(openssh(key)), None).sign(commit).decode().splitlines()
    assert (made[0], made[-1]) == ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----")
    blob = base64.b64decode("".join(made[1:-1]))
    assert blob[:10] == b"SSHSIG\0\0\0\1"
    public, namespace, reserved, algorithm, signature = strings(blob[10:])
    assert (namespace, reserved, algorithm) == (b"git", b"", b"sha512")
    kind, raw = strings(signature)
    assert kind == strings(public)[0] == b"ssh-ed25519"
    parts = (b"git", b"", b"sha512", hashlib.sha512(commit).digest())
    key.public_key().verify(raw, b"SSHSIG" + b"".join(struct.pack(">I", len(part)) + part for part in parts))


def openssh(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_an_ecdsa_signature_is_two_numbers_of_ssh(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    signer = signer_of(Secret(openssh(key)), None)
    for _ in range(20):  # numbers with and without a leading bit
        blob = base64.b64decode(b"".join(signer.sign(b"x").splitlines()[1:-1]))
        _, numbers = strings(strings(blob[10:])[4])
        for number in strings(numbers):
            assert number[0] < 0x80
            assert number[0] or number[1] >= 0x80, "no needless zero"


def test_keys_that_ssh_would_not_take() -> None:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    refused: list[tuple[rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey, str]] = [
        (rsa.generate_private_key(65537, 1024), "its 1024 bits are fewer than OpenSSH accepts"),
        (ec.generate_private_key(ec.SECP256K1()), "OpenSSH does not know its curve"),
        (dsa.generate_private_key(1024), "it is neither ed25519, nor ecdsa, nor rsa"),
    ]
    for key, words in refused:
        text = key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode()
        with pytest.raises(InputError, match=words):
            signer_of(Secret(text), None)


def test_a_key_in_pem_with_a_passphrase() -> None:
    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
    ).decode()
    assert signer_of(Secret(text), Secret("pw")).name.startswith("ssh-rsa key SHA256:")
    with pytest.raises(InputError, match="is protected by a passphrase"):
        signer_of(Secret(text), None)
    with pytest.raises(InputError, match="does not open"):
        signer_of(Secret(text), Secret("no"))


@pytest.mark.parametrize("mangled", ["\\n", "\r\n", "\n  "], ids=["written out", "CRLF", "indented"])
def test_a_key_is_mended_as_the_one_for_ssh_is(mangled: str) -> None:
    """A line break that a variable made two letters of is no passphrase."""
    key = openssh(ed25519.Ed25519PrivateKey.generate())
    assert signer_of(Secret(key.replace("\n", mangled)), None).name == signer_of(Secret(key), None).name
    pgp = LEADING_ZERO.replace("\n", mangled)
    assert signer_of(Secret(pgp), Secret("pw")).name == signer_of(Secret(LEADING_ZERO), Secret("pw")).name


def test_bytes_that_are_no_text() -> None:
    """So the environment holds what is not UTF-8."""
    for kind in ("OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
        with pytest.raises(InputError, match="KIT_SIGNING_KEY"):
            signer_of(Secret(f"-----BEGIN {kind}-----\n\n\udcff\n-----END {kind}-----\n"), None)


@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    for key in (text, f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}", f"-----BEGIN PRIVATE KEY-----\n{text}",
                f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{text}"):  # fmt: skip
        with pytest.raises(InputError) as raised:
            signer_of(Secret(key), Secret("x"))
        assert len(text) < 8 or text not in str(raised.value)
