# SPDX-License-Identifier: MIT
"""The key of encrypted files, and env files: where they are looked for, what they hold, what is no such file."""

from pathlib import Path

import pytest

from kit_core.dotenv import parse_env
from kit_core.errors import InputError
from kit_core.keys import DecryptError, Key, read_key
from kit_core.secrets import Secret

KEY = Key(bytes(range(32)), "the test's key")
OTHER = Key(bytes(range(1, 33)), "another key")


# The key


def test_a_key_shows_itself_nowhere() -> None:
    assert KEY.text not in repr(KEY)
    assert repr(KEY.raw) not in repr(KEY)


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "holds 0 bytes"), ("QUJD", "holds 3 bytes, and AES-256 needs 32"), ("canary key!", "it is no base64")],
)
def test_a_key_of_another_length_or_kind_is_refused_without_being_shown(text: str, why: str) -> None:
    with pytest.raises(DecryptError) as caught:
        Key.from_text(text, "CODESHIP_AES_KEY")
    assert why in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_order_of_the_keys_sources(tmp_path: Path) -> None:
    learnt: list[str] = []
    for name, key in {"path": KEY, "one/codeship.aes": OTHER, "two/codeship.aes": KEY}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(key.text + "\n")
    folders = [tmp_path / "none", tmp_path / "one", tmp_path / "two"]
    assert read_key(Secret(OTHER.text), path=tmp_path / "path", folders=folders).raw == KEY.raw
    assert read_key(Secret(KEY.text), folders=folders).raw == KEY.raw
    found = read_key(None, folders=folders, learn_secret=learnt.append)
    assert (found.raw, found.origin) == (OTHER.raw, str(tmp_path / "one/codeship.aes"))
    assert learnt == [OTHER.text]


def test_without_a_key_every_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(DecryptError) as caught:
        read_key(None, folders=[tmp_path])
    assert f"CODESHIP_AES_KEY is not set, and there is no {tmp_path}/codeship.aes" in str(caught.value)
    assert "CODESHIP_AES_KEY_FILE" in str(caught.value)


# Env files


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# only a comment\n\n", {}),
        ("A=1\nB=two words \n", {"A": "1", "B": "two words "}),
        ("A=1", {"A": "1"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=\"quoted\"\nB='single'\nC=a#b # c\n", {"A": '"quoted"', "B": "'single'", "C": "a#b # c"}),
        ("A=$B ${C} \\n\n", {"A": "$B ${C} \\n"}),
        ("A=\nB==\nC=x=y\n", {"A": "", "B": "=", "C": "x=y"}),
        ("  # comment\n  A=1\n", {"A": "1"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("a.b-c/d=1\n", {"a.b-c/d": "1"}),
        ("URL=http://x?a=b:c\n", {"URL": "http://x?a=b:c"}),
        ("A: 0123\nB: yes\nC: 'x: y'\nD:\n", {"A": "0123", "B": "yes", "C": "x: y", "D": ""}),
    ],
)
def test_env_files_are_read_verbatim(text: str, values: dict[str, str]) -> None:
    found = parse_env(text, name="web.env")
    assert found == values
    assert list(found) == list(values)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A=1\ncanary\n", "web.env:2: this is no line of an env file: it has no `=`"),
        ("export A=canary\n", "web.env:1: this is no line of an env file: it begins with `export`"),
        ("A = canary\n", "what stands before its `=` is no variable's name"),
        ("A=1\n=canary\n", "web.env:2"),
        ('{"auths": {"canary": 1}}', "it begins like JSON, as a registry's login does"),
        ("A: {b: canary}\n", "it is YAML, and A is no text"),
    ],
)
def test_what_is_no_env_file_names_the_line_and_shows_no_value(text: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_env(text, name="web.env")
    assert why in str(caught.value)
    assert "canary" not in str(caught.value)
