# SPDX-License-Identifier: MIT
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kit_core.yamlio import YamlError, load_document, load_documents


def value(text: str) -> Any:
    return load_document(text, name="f.yaml").value


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("yes", True), ("Yes", True), ("on", True), ("y", True), ("true", True), ("TRUE", True),
        ("no", False), ("Off", False), ("n", False), ("yEs", "yEs"), ("tRue", "tRue"),
        ("~", None), ("null", None), ("Null", None), ("nUll", "nUll"),
        ("0644", 420), ("0o644", 420), ("0x1F", 31), ("0b11", 3), ("-012", -10), ("089", 89.0), ("+7", 7),
        ("1_000", 1000), ("0", 0), ("-0", 0), ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("1e3", 1000.0), ("12e4567", float("inf")), ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1.2.3", "1.2.3"),
        ("1:30", "1:30"), ("2016-01-01", "2016-01-01"), (".inf", float("inf")), ("-.INF", float("-inf")),
        ("'yes'", "yes"), ('"0644"', "0644"), ("!!str yes", "yes"), ("!!int '7'", 7), ("!!float 1", 1.0),
        ("v1", "v1"), ("10Gi", "10Gi"), ("-", "-"), ("100m", "100m"), ("=", "="),
    ],
)  # fmt: skip
def test_plain_words_mean_what_they_mean_to_kubernetes_tools(scalar: str, expected: Any) -> None:
    found = value(f"a: {scalar}" if scalar != "-" else "a: '-'")["a"]
    assert found == expected
    assert type(found) is type(expected)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
KEYS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


@given(PLAIN)
def test_what_is_written_quoted_is_read_back(anything: Any) -> None:
    text = yaml.safe_dump(anything, default_style='"', allow_unicode=True)
    assert value(text) == anything


def test_several_documents_know_where_they_stand() -> None:
    documents = load_documents("a: 1\n---\n---\n# only words\n---\nb:\n  - c: 2\n", name="f.yaml")
    assert [document.value for document in documents] == [{"a": 1}, {"b": [{"c": 2}]}]
    assert str(documents[1].start) == "f.yaml:6:1"
    assert str(documents[1].position("b", 0, "c")) == "f.yaml:7:8"
    assert str(documents[1].position("b", 5, "nowhere")) == "f.yaml:7:3"


def test_keys_are_text_as_in_json() -> None:
    assert value("1: a\ntrue: b\n0644: c\n~: d\nn: e\n2.0: f") == {
        "1": "a",
        "true": "b",
        "420": "c",
        "null": "d",
        "false": "e",
        "2": "f",
    }


def test_duplicate_keys_are_found_and_the_last_one_counts() -> None:
    document = load_document("a: 1\nb: 2\na: 3\n", name="f.yaml")
    assert document.value == {"a": 3, "b": 2}
    assert [str(place) for place in document.duplicates] == ["f.yaml:3:1"]


def test_merge_keys_yield_to_what_stands_beside_them() -> None:
    assert value("x: &x {a: 1, b: 2}\nw:\n  <<: *x\n  b: 3\n")["w"] == {"a": 1, "b": 3}
    assert value("x: &x {a: 1}\nz: &z {a: 2, c: 3}\nw: {<<: [*x, *z]}\n")["w"] == {"a": 1, "c": 3}


def test_an_anchor_may_be_given_anew_and_an_alias_is_of_the_last_one_before_it() -> None:
    document = load_document("a: &x {v: 1}\nb: *x\nc: &x {v: 2}\nd: *x\n", name="f.yaml")
    assert document.value == {"a": {"v": 1}, "b": {"v": 1}, "c": {"v": 2}, "d": {"v": 2}}
    assert str(document.position("c", "v")) == "f.yaml:3:11"


@pytest.mark.parametrize(
    ("last", "place", "why"),
    [("c: *y", "f.yaml:3:4", "undefined alias"), ("c: " + "[" * 300, "f.yaml:1:1", "nested too deeply")],
)
def test_what_is_wrong_beside_an_anchor_that_is_given_anew_is_told_as_ever(last: str, place: str, why: str) -> None:
    with pytest.raises(YamlError, match=f"{place}: .*{why}"):
        load_document(f"a: &x 1\nb: &x 2\n{last}\n", name="f.yaml")


def test_an_alias_bomb_stays_small() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 30)]
    loaded = value("\n".join(lines))
    assert loaded["l29"][0] is loaded["l29"][9]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\t- b\n", "f.yaml:2:1", "tab"),
        ("a: b: c\n", "f.yaml:1:5", "missing quote"),
        ("a: {{ x }}\n", "f.yaml:1:5", "Quote a value that begins with `{`"),
        ("a:\n  - b\n c: d\n", "f.yaml:3:2", "indentation"),
        ("a: [1\nb: 2\n", "f.yaml:2:2", ""),
        ("a: *b\n", "f.yaml:1:4", "must stand before"),
        ("a: &a [*a]\n", "f.yaml:1:4", "refers to what holds it"),
        ("ok: 1\nbad: \x01\n", "f.yaml:2:6", "not allowed"),
        ("a: !thing b\n", "f.yaml:1:4", "unknown tag"),
        ("a: !!int x\n", "f.yaml:1:4", "does not fit"),
        ("a: 1\n---\nb: 2\n", "f.yaml:3:1", "second document"),
        ("[" * 100_000, "f.yaml:", ""),
        ("x: {<<: 1}\n", "f.yaml:1:9", "merges maps"),
    ],
)
def test_what_is_no_yaml_is_named_by_file_line_and_column(text: str, place: str, words: str) -> None:
    with pytest.raises(YamlError) as raised:
        load_document(text, name="f.yaml")
    assert str(raised.value).startswith(place)
    assert words in str(raised.value)
    assert raised.value.exit_code == 2
    assert raised.value.line


@given(st.text())
def test_any_text_is_read_or_named_as_wrong(text: str) -> None:
    found = ""
    try:
        load_documents(text, name="f.yaml")
    except YamlError as error:
        found = str(error)
    assert found == "" or found.startswith("f.yaml:")
