# SPDX-License-Identifier: MIT
"""Encrypted files and values."""

import base64
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.dotenv import parse_env
from kit_core.envfile import (
    Form,
    decrypt,
    decrypt_value,
    encrypt,
    encrypt_value,
    form_of,
    is_encrypted,
    is_encrypted_value,
)
from kit_core.keys import DecryptError, Key, read_key

VECTOR = Path(__file__).parent / "jet1-vector"
KEY = Key(bytes(range(32)), "the test's key")
OTHER = Key(bytes(range(1, 33)), "another key")
TEXT = "TOKEN=s3cret-canary\nUMLAUT=zwei ümlaut\n".encode()


def test_the_published_vector_of_jet_1_is_read() -> None:
    key = read_key(path=VECTOR / "demo.aes")
    packed = (VECTOR / "environment.encrypted").read_bytes()
    assert form_of(packed) == "jet 1"
    plain = decrypt(packed, key, name="environment.encrypted")
    assert plain == (VECTOR / "environment").read_bytes()
    assert parse_env(plain.decode(), name="environment") == {"FOO": "bar", "BAZ": "bat"}


def test_jet_1_is_written_with_the_layout_of_the_vector() -> None:
    key = read_key(path=VECTOR / "demo.aes")
    plain = (VECTOR / "environment").read_bytes()
    start = base64.b64decode((VECTOR / "environment.encrypted").read_bytes())[:16]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", lambda count: start[:count])
        assert encrypt(plain, key, form="jet 1") == (VECTOR / "environment.encrypted").read_bytes()


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
@given(plain=st.binary(max_size=200))
def test_whatever_is_encrypted_is_read_again(form: Form, plain: bytes) -> None:
    packed = encrypt(plain, KEY, form=form)
    assert is_encrypted(packed)
    assert form_of(packed) == form
    assert decrypt(packed, KEY, name="file", binary=True) == plain


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_no_two_encryptions_are_the_same(form: Form) -> None:
    assert encrypt(TEXT, KEY, form=form) != encrypt(TEXT, KEY, form=form)


def test_a_file_of_ours_is_a_header_and_short_lines() -> None:
    lines = encrypt(TEXT * 5, KEY).decode().splitlines()
    assert lines[0] == "kit:v1"
    assert max(map(len, lines)) <= 76
    assert decrypt("\r\n".join(lines).encode(), KEY, name="file") == TEXT * 5


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_a_wrong_key_is_told_and_shows_nothing(form: Form) -> None:
    packed = encrypt(TEXT * 5, KEY, form=form)
    with pytest.raises(DecryptError) as caught:
        decrypt(packed, OTHER, name="web.env")
    assert "web.env cannot be decrypted: wrong key or damaged file" in str(caught.value)
    assert "Check that another key is the key it was encrypted with" in str(caught.value)
    assert caught.value.exit_code == 2
    assert packed.decode()[-20:] not in str(caught.value)


@pytest.mark.parametrize("place", range(7, 60, 7))
def test_one_changed_character_is_noticed(place: int) -> None:
    packed = bytearray(encrypt(TEXT, KEY))
    packed[place] = ord("A") if packed[place] != ord("A") else ord("B")
    with pytest.raises(DecryptError):
        decrypt(bytes(packed), KEY, name="file")


def test_the_header_is_part_of_what_is_authenticated() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = bytes(12) + AESGCM(KEY.raw).encrypt(bytes(12), TEXT, b"kit:v0")
    with pytest.raises(DecryptError, match="checksum"):
        decrypt(b"kit:v1\n" + base64.b64encode(raw), KEY, name="file")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"kit:v1\nAAAA", "it holds 3 bytes, and kit:v1 has 28 at least"),
        (b"kit:v1\n!!", "it is no base64"),
        (b"kit:v1", "it holds 0 bytes"),
        (b"AAAA", "it holds 3 bytes, and jet 1 begins with 16"),
        (b"TOKEN=canary", "it is no base64"),
        (b"kit:v2\nAAAA", "its header is kit:v2"),
        (b"codeship:v3\nAAAA", "its header is codeship:v3"),
    ],
)
def test_what_is_not_encrypted_as_it_should_be_says_so(data: bytes, why: str) -> None:
    with pytest.raises(DecryptError) as caught:
        decrypt(data, KEY, name="web.env")
    assert why in str(caught.value)
    assert "web.env" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["FOO=bar\n", "# comment\n", "", "FOO", "apiVersion: v1\nkind: Config\n", '{"env": []}', "QUJD", "A=" * 30,
     "kit:v1 is a header\n"],
)  # fmt: skip
def test_plain_files_are_not_taken_for_encrypted_ones(text: str) -> None:
    assert not is_encrypted(text.encode())


@pytest.mark.parametrize("header", [b"codeship:v2", b"cloudbees:v1", b"kit:v2"])
def test_a_header_is_enough_to_be_encrypted(header: bytes) -> None:
    assert is_encrypted(header + b"\nAAAA\n")


# The forms that only jet reads


def jet(folder: Path, script: str) -> str:
    """A `jet` of that shell script; the PATH to find it on."""
    program = folder / "jet"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("header", ["codeship:v2", "cloudbees:v1"])
def test_without_a_jet_the_way_out_is_told(header: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DecryptError) as caught:
        decrypt(f"{header}\nAAAA".encode(), KEY, name="web.env")
    assert f"web.env cannot be decrypted: it is in the form {header}, which is not public" in str(caught.value)
    assert "Put a `jet` that knows it on PATH" in str(caught.value)


def test_a_jet_on_path_gets_the_key_and_the_file_and_no_disk_gets_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv(
        "PATH", jet(tmp_path, 'test "$1 $2" = "decrypt --key-path" && { cat "$3"; echo; tail -n +2 "$4"; } > "$5"')
    )
    plain = decrypt(b"codeship:v2\nBODY", KEY, name="web.env")
    assert plain.decode() == f"{KEY.text}\nBODY"
    assert list(folder.iterdir()) == []


def test_a_jet_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", jet(tmp_path, "echo cipher: message authentication failed >&2; exit 4"))
    with pytest.raises(DecryptError, match="exit code 4: cipher: message authentication failed"):
        decrypt(b"codeship:v2\nBODY", KEY, name="web.env")


def test_a_jet_that_gives_noise_has_the_wrong_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", jet(tmp_path, "printf '\\377\\376' > \"$5\""))
    with pytest.raises(DecryptError, match="wrong key or damaged file: what comes out is not UTF-8"):
        decrypt(b"codeship:v2\nBODY", KEY, name="web.env")


def test_a_jet_that_is_kit_itself_is_passed_over_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    (tmp_path / "kit-pipeline").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "kit-pipeline").chmod(0o755)
    (tmp_path / "ours/jet").symlink_to(tmp_path / "kit-pipeline")
    path = jet(tmp_path / "theirs", 'printf A=1 > "$5"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'ours'}:{path}")
    assert decrypt(b"codeship:v2\nBODY", KEY, name="web.env") == b"A=1"
    (tmp_path / "theirs/jet").unlink()
    with pytest.raises(DecryptError, match="which is not public"):
        decrypt(b"codeship:v2\nBODY", KEY, name="web.env")


def test_a_jet_that_calls_kit_does_not_go_round_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = "import sys; from kit_core.envfile import *; decrypt(b'codeship:v2\\nBODY', Key(bytes(32)), name='x')"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3] / "steps"))
    monkeypatch.setenv("PATH", jet(tmp_path, f'exec {sys.executable} -c "{again}"'))
    with pytest.raises(DecryptError, match="is kit itself, which does not know the form"):
        decrypt(b"codeship:v2\nBODY", KEY, name="web.env")


# Values


@pytest.mark.parametrize(("form", "header"), [("kit:v1", "kit:v1:"), ("jet 1", "codeship:v1:")])
def test_a_value_is_a_header_and_base64_on_one_line(form: Form, header: str) -> None:
    value = encrypt_value("zwei ümlaut", KEY, form=form)
    assert value.startswith(header)
    assert "\n" not in value
    assert is_encrypted_value(value)
    assert decrypt_value(value, KEY, name="db.password") == "zwei ümlaut"
    wrapped = "\n".join(value[at : at + 20] for at in range(0, len(value), 20)) + "\n"
    assert decrypt_value(wrapped, KEY, name="db.password") == "zwei ümlaut"


@pytest.mark.parametrize(
    "text", ["kit:v1", "kit:v1:not base64!", "see kit:v1:AAAA", "kit:AAAA", "http://kit:v1:AAAA", ""]
)
def test_other_text_is_no_encrypted_value(text: str) -> None:
    assert not is_encrypted_value(text)


def test_the_vector_may_be_a_value() -> None:
    key = read_key(path=VECTOR / "demo.aes")
    value = "codeship:v1:" + (VECTOR / "environment.encrypted").read_text()
    assert decrypt_value(value, key, name="x") == (VECTOR / "environment").read_text()


@pytest.mark.parametrize("value", ["kit:v9:AAAA", "codeship:v2:AAAA", "kit:v1:AAAA"])
def test_a_value_that_cannot_be_read_is_named(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DecryptError, match=r"db\.password"):
        decrypt_value(value, KEY, name="db.password")
