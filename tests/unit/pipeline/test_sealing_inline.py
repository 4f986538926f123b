# SPDX-License-Identifier: MIT
"""Encrypted values within files: each way to write one is found, and everything around it stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.envfile import Form, decrypt_value, encrypt, encrypt_value
from kit_core.errors import InputError
from kit_core.yamlio import load_document
from kit_pipeline.sealing.turning import Keys, turn
from tests.unit.pipeline.sealing_program import KEY, NEW

KEYS = Keys(KEY, NEW)


def turned(text: str, name: str = "x.yaml") -> str:
    done = turn(text.encode(), KEYS, name=name)
    assert done.strangers == ()
    assert done.data is not None
    return done.data.decode()


def folded(value: str, before: str = "\n  ", every: int = 20) -> str:
    return before.join(value[start : start + every] for start in range(0, len(value), every))


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a: ", "\nb: other\n", None),
        ("a: '", "'\nb: other\n", None),
        ('a: "', '"  # comment\nb: other\n', None),
        ("a: {x: ", ", y: 1}\nb: other\n", None),
        ("a:\n- ", "\n- word\nb: other\n", None),
        ("a: ", "\nb: other\n", "\n  "),
        ('a: "', '"\nb: other\n', "\n  "),
        ("a: |\n  ", "\nb: other\n", "\n  "),
        ("a: |-\n  ", "\n\n\n# comment\nb: other\n", "\n  "),
        ("a: >-\n  ", "\nb: other\n", "\n  "),
        ("\ufeffa: ", "\r\nb: other\r\n", None),
        ("ü: ü\n---\na: &x ", "\nb: *x\n", None),
        ("{{#each}}\na: ", "\n{{/each}}\n", None),
        ("# a: ", "\nb: other\n", None),
    ],
)
@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_a_value_is_replaced_and_nothing_else(form: Form, before: str, after: str, lines: str | None) -> None:
    value = encrypt_value("zwei ümlaut", KEY, form=form)
    text = turned(before + (folded(value, lines) if lines else value) + after)
    assert text.startswith(before)
    assert text.endswith(after)
    new = text[len(before) : -len(after)]
    assert new.split(":")[:2] == value.split(":")[:2]
    assert decrypt_value(new, NEW, name="x") == "zwei ümlaut"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=5))
def test_any_values_in_yaml_are_read_again_under_the_new_key(plains: list[str]) -> None:
    text = json.dumps({str(number): encrypt_value(plain, KEY) for number, plain in enumerate(plains)}, indent=1)
    value = load_document(turned(text), name="x").value
    assert [decrypt_value(item, NEW, name="x") for item in value.values()] == plains


def test_items_of_encrypted_environment_need_no_header() -> None:
    bare = encrypt(b"X=1\nY=2\n", KEY, form="jet 1").decode()
    text = turned(f"app:\n  encrypted_environment: |\n    {folded(bare, chr(10) + '    ')}\n  other: {bare}\n")
    value = load_document(text, name="x").value["app"]
    assert value["other"] == bare  # nobody reads it as encrypted
    assert turn(value["encrypted_environment"].encode(), KEYS, name="x").already == 1


def test_a_value_in_another_form_of_jet_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = turn(b"a: 1\nb: codeship:v2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", KEYS, name="x.yaml")
    (stranger,) = done.strangers
    assert stranger.line == 2
    assert "Put a `jet` that knows it on PATH" in str(stranger.refusal)


def test_a_value_that_is_written_with_escapes_is_refused_with_its_line() -> None:
    value = encrypt_value("one", KEY)
    with pytest.raises(InputError, match=r"x\.yaml:2: an encrypted value cannot be replaced") as caught:
        turn(f'a: 1\nb: "{value[:20]}\\x{ord(value[20]):02x}{value[21:]}"\n'.encode(), KEYS, name="x.yaml")
    assert value[21:] not in str(caught.value)


@pytest.mark.parametrize("text", ["see kit:v1:AAAA and kit:v1:…\n", "a: kit:v9\n", "x" * 50, "", "words only\n"])
def test_text_without_values_stays(text: str) -> None:
    done = turn(text.encode(), KEYS, name="README.md", guessing=True)
    assert (done.data, done.turned, done.strangers) == (None, 0, ())
