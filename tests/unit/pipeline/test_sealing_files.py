# SPDX-License-Identifier: MIT
"""`encrypt`, `decrypt` and `generate`: what they write, where, and what they refuse."""

import base64
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit_core.envfile import encrypt, form_of
from kit_core.keys import Key, read_key
from tests.unit.pipeline.sealing_program import CANARY, KEY, NEW, TEXT, holding, kit, process, repository

VECTOR = Path(__file__).parents[1] / "core/jet1-vector"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("form", ["kit:v1", "jet1"])
@settings(max_examples=25)
@given(plain=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_what_is_encrypted_is_decrypted_as_it_was(
    form: str, plain: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = repository(tmp_path_factory.mktemp("repo"))
    (folder / "in").write_bytes(plain.encode())
    assert kit(folder, "encrypt", "in", "out", "--format", form).code == 0
    assert kit(folder, "decrypt", "out").out == plain.encode()


@pytest.mark.parametrize("form", ["kit:v1", "jet1"])
@pytest.mark.parametrize(
    "plain",
    [b"", b"\n", b"A=1", b"A=1\r\nB=2\r\n", b"\xef\xbb\xbfA=1\n", b"x" * 200_000],
    ids=["empty", "blank", "short", "crlf", "bom", "long"],
)
def test_no_byte_is_changed_on_the_way(repo: Path, plain: bytes, form: str) -> None:
    (repo / "in").write_bytes(plain)
    assert kit(repo, "encrypt", "in", "zwei ümlaute.enc", "--format", form).code == 0
    assert kit(repo, "decrypt", "zwei ümlaute.enc", "again").code == 0
    assert (repo / "again").read_bytes() == plain


def test_what_is_no_text_comes_back_from_our_form_and_from_jet_1_only_when_asked(repo: Path) -> None:
    (repo / "key.p12").write_bytes(bytes(range(256)))
    assert "decrypted with --binary only" in kit(repo, "encrypt", "key.p12", "jet", "--format", "jet1").err
    kit(repo, "encrypt", "key.p12", "ours")
    assert kit(repo, "decrypt", "ours").out == bytes(range(256))
    refused = kit(repo, "decrypt", "jet")
    assert (refused.code, refused.out) == (2, b"")
    assert "wrong key or damaged file" in refused.err
    assert "--binary" in refused.err
    assert kit(repo, "decrypt", "jet", "--binary").out == bytes(range(256))


def test_the_published_file_of_jet_is_decrypted_with_jets_own_command_line(repo: Path) -> None:
    (repo / "environment.encrypted").write_bytes((VECTOR / "environment.encrypted").read_bytes())
    said = kit(repo, "decrypt", f"--key-path={VECTOR / 'demo.aes'}", "environment.encrypted", "environment")
    assert said.code == 0
    assert (repo / "environment").read_bytes() == (VECTOR / "environment").read_bytes()
    assert (
        kit(repo, "decrypt", "environment.encrypted", "/dev/stdout", "--key-path", str(VECTOR / "demo.aes")).out
        == (VECTOR / "environment").read_bytes()
    )


def test_the_keys_sources_in_their_order(repo: Path) -> None:
    data = encrypt(TEXT, NEW)
    (repo / "x").write_bytes(data)
    assert kit(repo, "decrypt", "x").code == 2
    assert kit(repo, "decrypt", "x", CODESHIP_AES_KEY=NEW.text).out == TEXT
    assert kit(repo, "decrypt", "x", CODESHIP_AES_KEY_FILE=str(repo / "new.aes")).out == TEXT
    assert kit(repo, "decrypt", "x", "--key-path", "new.aes", CODESHIP_AES_KEY=KEY.text).out == TEXT
    (repo / "sub").mkdir()
    (repo / "codeship.aes").write_text("\ufeff" + NEW.text + "\r\n")
    assert kit(repo / "sub", "decrypt", "../x", "--dir", "..").out == TEXT


def test_without_a_key_every_way_to_give_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encrypt(TEXT, KEY))
    said = kit(tmp_path, "decrypt", "x")
    assert said.code == 2
    for way in ("CODESHIP_AES_KEY", f"{tmp_path}/codeship.aes", "--key-path", "generate"):
        assert way in said.err


@pytest.mark.parametrize("key", ["QUJD", "not base64 canary!", ""])
def test_a_key_that_is_none_is_named_and_not_shown(repo: Path, key: str) -> None:
    (repo / "codeship.aes").write_text(key)
    said = kit(repo, "encrypt", "codeship.aes", "x")
    assert said.code == 2
    assert "codeship.aes holds no key" in said.err
    assert not key or key not in said.err


def test_plaintext_is_for_its_owner_also_where_the_file_was_for_all(repo: Path) -> None:
    (repo / "x").write_bytes(encrypt(TEXT, KEY))
    (repo / "plain").write_text("before")
    (repo / "plain").chmod(0o644)
    assert kit(repo, "decrypt", "x", "plain").code == 0
    assert (mode(repo / "plain"), (repo / "plain").read_bytes()) == (0o600, TEXT)
    assert holding(CANARY, [repo]) == [repo / "plain"]


def test_an_encrypted_file_keeps_its_mode_and_its_form(repo: Path) -> None:
    (repo / "in").write_bytes(TEXT)
    (repo / "out").write_bytes(encrypt(b"OLD=1", KEY, form="jet 1"))
    (repo / "out").chmod(0o664)
    said = kit(repo, "encrypt", "in", "out")
    assert form_of((repo / "out").read_bytes()) == "jet 1"
    assert mode(repo / "out") == 0o664
    assert "stays in the form jet 1" in said.err
    kit(repo, "encrypt", "in", "out", "--format", "kit:v1")
    assert form_of((repo / "out").read_bytes()) == "kit:v1"


def test_in_and_out_may_be_one_file(repo: Path) -> None:
    (repo / "x").write_bytes(TEXT)
    assert kit(repo, "encrypt", "x", "x").code == 0
    assert CANARY.encode() not in (repo / "x").read_bytes()
    assert kit(repo, "decrypt", "x", "x").code == 0
    assert (repo / "x").read_bytes() == TEXT


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_nothing_is_encrypted_twice(repo: Path, form: str) -> None:
    (repo / "x").write_bytes(encrypt(TEXT, KEY, form="jet 1" if form == "jet 1" else "kit:v1"))
    said = kit(repo, "encrypt", "x", "y")
    assert (said.code, (repo / "y").exists()) == (2, False)
    assert "x is encrypted already" in said.err


def test_base64_that_the_key_does_not_open_is_encrypted_with_a_warning(repo: Path) -> None:
    (repo / "token").write_bytes(base64.b64encode(b"\xff" * 30))
    said = kit(repo, "encrypt", "token", "token.enc")
    assert said.code == 0
    assert "base64 and nothing else" in said.err
    assert kit(repo, "decrypt", "token.enc").out == (repo / "token").read_bytes()


def test_a_file_that_is_not_encrypted_is_told_from_a_damaged_one(repo: Path) -> None:
    (repo / "plain.env").write_bytes(TEXT)
    said = kit(repo, "decrypt", "plain.env", "out")
    assert said.code == 2
    assert "plain.env is not encrypted" in said.err
    assert CANARY not in said.err
    data = bytearray(encrypt(TEXT, KEY))
    data[30] = ord("B") if data[30] == ord("A") else ord("A")  # base64 still
    (repo / "x").write_bytes(data)
    assert "wrong key or damaged file" in kit(repo, "decrypt", "x", "out").err
    assert not (repo / "out").exists()


def test_a_key_is_never_written_over(repo: Path) -> None:
    (repo / "x").write_bytes(TEXT)
    for name in ("codeship.aes", "new.aes"):
        said = kit(repo, "encrypt", "x", name)
        assert said.code == 2
        assert "A key's file is not written over" in said.err
    assert read_key(path=repo / "codeship.aes").raw == KEY.raw


def test_folders_and_missing_folders_are_named(repo: Path) -> None:
    (repo / "x").write_bytes(TEXT)
    (repo / "sub").mkdir()
    assert "it is a folder" in kit(repo, "encrypt", "x", "sub").err
    assert f"there is no folder {repo}/none" in kit(repo, "encrypt", "x", "none/x").err
    assert kit(repo, "encrypt", "gone", "y").code == 2
    assert kit(repo, "encrypt", "sub", "y").code == 2
    assert "file name too long" in kit(repo, "encrypt", "x", "y" * 300).err.lower()


def test_plaintext_does_not_go_where_a_link_points(repo: Path) -> None:
    (repo / "x").write_bytes(encrypt(TEXT, KEY))
    (repo / "public").write_text("before")
    (repo / "link").symlink_to("public")
    said = kit(repo, "decrypt", "x", "link")
    assert said.code == 2
    assert "it points at public" in said.err
    assert (repo / "public").read_text() == "before"


def test_a_link_to_an_encrypted_file_stays_a_link(repo: Path) -> None:
    (repo / "x").write_bytes(TEXT)
    (repo / "real").write_bytes(encrypt(b"A=1", KEY))
    (repo / "link").symlink_to("real")
    assert kit(repo, "encrypt", "x", "link").code == 0
    assert (repo / "link").is_symlink()
    assert kit(repo, "decrypt", "real").out == TEXT


def test_a_folder_that_refuses_is_named_with_its_owner(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "x").write_bytes(TEXT)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    said = kit(repo, "encrypt", "x", "y")
    assert said.code == 1
    assert f"{repo}: {repo}/y cannot be written: permission denied" in said.err
    assert "this process runs as uid" in said.err


def test_standard_input_and_output_carry_bytes(repo: Path) -> None:
    sealing = process(repo, "encrypt", "-", "-")
    data, err = sealing.communicate(TEXT, timeout=60)
    assert sealing.returncode == 0, err
    opening = process(repo, "decrypt", "-")
    assert opening.communicate(data, timeout=60)[0] == TEXT
    assert CANARY.encode() not in err


def test_a_pipe_is_written_to_and_not_replaced(repo: Path) -> None:
    (repo / "x").write_bytes(encrypt(TEXT, KEY))
    os.mkfifo(repo / "pipe")
    reader = os.open(repo / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert kit(repo, "decrypt", "x", "pipe").code == 0
        assert os.read(reader, 1000) == TEXT
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((repo / "pipe").stat().st_mode)


# The key


def test_a_new_key_is_for_its_owner_and_opens_what_it_sealed(tmp_path: Path) -> None:
    assert kit(tmp_path, "generate").code == 0
    assert mode(tmp_path / "codeship.aes") == 0o600
    text = (tmp_path / "codeship.aes").read_text()
    assert len(Key.from_text(text, "").raw) == 32
    (tmp_path / "x").write_bytes(TEXT)
    kit(tmp_path, "encrypt", "x", "y")
    assert kit(tmp_path, "decrypt", "y").out == TEXT


def test_no_two_keys_are_the_same_and_none_is_replaced(tmp_path: Path) -> None:
    one, two = kit(tmp_path, "generate", "-").out, kit(tmp_path, "generate", "-").out
    assert one != two
    assert len(Key.from_text(one.decode(), "").raw) == 32
    kit(tmp_path, "generate", "k")
    before = (tmp_path / "k").read_bytes()
    said = kit(tmp_path, "generate", "k")
    assert said.code == 2
    assert "could never be read again" in said.err
    assert (tmp_path / "k").read_bytes() == before
    (tmp_path / "link").symlink_to("elsewhere")
    assert kit(tmp_path, "generate", "link").code == 2
    assert not (tmp_path / "elsewhere").exists()


def test_what_git_would_take_along_is_told(tmp_path: Path) -> None:
    from dulwich import porcelain

    porcelain.init(str(tmp_path)).close()
    assert "git does not ignore codeship.aes" in kit(tmp_path, "generate").err
    (tmp_path / ".gitignore").write_text("*.aes\n*.env\n")
    assert "git does not ignore" not in kit(tmp_path, "generate", "b.aes").err
    (tmp_path / "in").write_bytes(TEXT)
    kit(tmp_path, "encrypt", "in", "x")
    assert "git does not ignore" not in kit(tmp_path, "decrypt", "x", "a.env").err
    assert "git does not ignore a.txt" in kit(tmp_path, "decrypt", "x", "a.txt").err
