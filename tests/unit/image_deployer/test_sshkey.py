# SPDX-License-Identifier: MIT
"""Private keys as they come out of variables."""

from collections.abc import Callable

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.git.sshkey import read_key
from kit_image_deployer.pem import mended

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = asyncssh.generate_private_key("ssh-ed25519")
PLAIN = {
    "OpenSSH Ed25519": ED.export_private_key("openssh").decode(),
    "OpenSSH RSA": asyncssh.import_private_key(
        RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    ).export_private_key("openssh").decode(),
    "PEM RSA": RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
    "PEM EC": EC.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
    "PKCS8 Ed25519": ED.export_private_key("pkcs8-pem").decode(),
}  # fmt: skip
LOCKED = {
    "OpenSSH": ED.export_private_key("openssh", passphrase="pass word").decode(),
    "PEM": RSA.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"pass word")
    ).decode(),
    "PKCS8": EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass word")).decode(),
}
_ED, _RSA, _EC = (
    key.export_public_key("openssh")
    for key in (ED, asyncssh.import_private_key(PLAIN["PEM RSA"]), asyncssh.import_private_key(PLAIN["PEM EC"]))
)
PUBLIC = {
    "OpenSSH Ed25519": _ED, "OpenSSH RSA": _RSA, "PEM RSA": _RSA, "PEM EC": _EC, "PKCS8 Ed25519": _ED,
    "OpenSSH": _ED, "PEM": _RSA, "PKCS8": _EC,
}  # fmt: skip
MANGLED: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "no last line break": lambda text: text.rstrip("\n"),
    "line breaks written out": lambda text: text.replace("\n", "\\n"),
    "blanks for line breaks": lambda text: text.replace("\n", " "),
    "blanks around": lambda text: f"\n  {text}  \n",
    "indented": lambda text: text.replace("\n", "\n    "),
    "words before it": lambda text: f"Bag Attributes: none\n{text}",
    "parameters before it": lambda text: (
        f"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{text}"
    ),
}


@pytest.mark.parametrize("mangle", MANGLED)
@pytest.mark.parametrize("kind", [*PLAIN, *LOCKED])
def test_what_variables_make_of_a_key_is_mended(kind: str, mangle: str) -> None:
    text = {**PLAIN, **LOCKED}[kind]
    assert mended(MANGLED[mangle](text)) == text


@pytest.mark.parametrize("kind", [*PLAIN, *LOCKED])
def test_every_form_is_read(kind: str) -> None:
    text = MANGLED["blanks for line breaks"]({**PLAIN, **LOCKED}[kind])
    key = read_key(Secret(text), Secret("pass word") if kind in LOCKED else None)
    assert key.export_public_key("openssh") == PUBLIC[kind]


@pytest.mark.parametrize("kind", LOCKED)
def test_a_passphrase_that_is_missing_or_wrong(kind: str) -> None:
    with pytest.raises(InputError, match=r"has a passphrase.*KIT_GIT_SSH_KEY_PASSPHRASE"):
        read_key(Secret(LOCKED[kind]), None)
    with pytest.raises(InputError, match="does not open KIT_GIT_SSH_KEY") as caught:
        read_key(Secret(LOCKED[kind]), Secret("canary"))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ED.export_public_key("openssh").decode(), "it is a public one"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nCANARY", "PuTTY"),
        ("/home/ada/.ssh/CANARY", "KIT_GIT_SSH_KEY_FILE"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nCANARY\n-----END OPENSSH PRIVATE KEY-----\n", "missing or broken"),
        (PLAIN["OpenSSH Ed25519"][:200], "missing or broken"),
        (PLAIN["PEM RSA"].replace("RSA PRIVATE", "EC PRIVATE"), "missing or broken"),
    ],
)
def test_what_is_no_private_key_is_told_apart_and_not_shown(text: str, why: str) -> None:
    with pytest.raises(InputError, match=f"is no private key.*{why}") as caught:
        read_key(Secret(text), None)
    assert "CANARY" not in str(caught.value)
    assert (text[60:100] or "CANARY") not in str(caught.value)
