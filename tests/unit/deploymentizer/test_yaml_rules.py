# SPDX-License-Identifier: MIT
"""The repository's YAML as the original's loader read it (js-yaml 3.5.2 was asked for every document here)."""

from collections.abc import Iterator
from typing import Any

import pytest

from kit_core.yamlio import YamlError, load_document
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import text_of
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop


def read(text: str) -> Any:
    return load_document(text, name="f.yaml", words=original_words, keys=text_of).value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and what JavaScript prints of each value; strings are quoted, to tell them from others."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in below:
        yield from leaves(item, f"{path}.{key}" if path else str(key))
    if value == [] or value == {}:
        yield path, str(value)
    elif not isinstance(value, dict | list):
        yield path, repr(value) if isinstance(value, str) else text_of(value)


@pytest.mark.parametrize(
    ("document", "values"),
    [
        ("a: yes\nb: no\nc: on\nd: Off\ne: y\nf: TRUE\ng: ~\nh: Null\ni:\n",
         {"a": "'yes'", "b": "'no'", "c": "'on'", "d": "'Off'", "e": "'y'", "f": "true", "g": "null", "h": "null",
          "i": "null"}),
        ('a: 0644\nb: -0644\nc: 0o17\nd: 08\ne: 0x1F\nf: 0b101\ng: \'0644\'\nh: "0644"\n',
         {"a": "420", "b": "-420", "c": "'0o17'", "d": "'08'", "e": "31", "f": "5", "g": "'0644'", "h": "'0644'"}),
        ("a: 1:30\nb: 12:30:45\nc: 1:60\nd: 1:30.5\ne: 00:10\nf: '1:30'\n",
         {"a": "90", "b": "45045", "c": "'1:60'", "d": "90.5", "e": "'00:10'", "f": "'1:30'"}),
        ("a: 1_000\nb: 1e3\nc: 1.5e+3\nd: 1.0\ne: 1.\nf: .5\ng: -.5\nh: +1\ni: 1.50\nj: 0.1e-6\n",
         {"a": "1000", "b": "'1e3'", "c": "1500", "d": "1", "e": "1", "f": "0.5", "g": "'-.5'", "h": "1",
          "i": "1.5", "j": "1e-7"}),
        (("a: 2016-01-01\nb: 2016-01-01T10:00:00Z\nc: '2016-01-01'\n"
          "d: 2016-1-1\ne: 2016-01-01 10:00:00 +02:00\nf: 01-01-2016\n"),
         {"a": "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)", "b": "Fri Jan 01 2016 10:00:00 GMT+0000 (UTC)",
          "c": "'2016-01-01'", "d": "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)",
          "e": "Fri Jan 01 2016 08:00:00 GMT+0000 (UTC)", "f": "'01-01-2016'"}),
        ("a: .inf\nb: -.INF\nc: .nan\nd: NaN\n", {"a": "Infinity", "b": "-Infinity", "c": "NaN", "d": "'NaN'"}),
        ("a: 10.0.0.1\nb: 1.2.3\nc: v1.10\nd: 8080/tcp\ne: 80:8080\nf: 127.0.0.1:80\ng: 1-2\n",
         {"a": "'10.0.0.1'", "b": "'1.2.3'", "c": "'v1.10'", "d": "'8080/tcp'", "e": "'80:8080'",
          "f": "'127.0.0.1:80'", "g": "'1-2'"}),
        ("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n", {"base.x": "1", "base.y": "2", "use.x": "1", "use.y": "3"}),
        ("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nuse:\n  <<: [*a, *b]\n",
         {"a.x": "1", "b.x": "2", "b.z": "3", "use.x": "1", "use.z": "3"}),
        ("use:\n  y: 3\n  <<: {y: 1, z: 2}\n", {"use.y": "3", "use.z": "2"}),
        ("a: &a [1, 2]\nb: *a\nc: [*a, *a]\n",
         {"a.0": "1", "a.1": "2", "b.0": "1", "b.1": "2", "c.0.0": "1", "c.0.1": "2", "c.1.0": "1", "c.1.1": "2"}),
        ("a: &x text\nb: *x\n? *x\n: 1\n", {"a": "'text'", "b": "'text'", "text": "1"}),
        ("a: &x {v: 1}\nb: *x\nc: &x {v: 2}\nd: *x\ne: &x 0644\nf: [*x, &x yes, *x]\n",
         {"a.v": "1", "b.v": "1", "c.v": "2", "d.v": "2", "e": "420", "f.0": "420", "f.1": "'yes'", "f.2": "'yes'"}),
        ("'<<': 1\n", {"<<": "1"}),
        ('"<<": {a: 1}\nb: 2\n', {"<<.a": "1", "b": "2"}),
        (('a: "tab\\tnl\\n\\u00e9\\x41\\0"\nb: \'it\'\'s\'\nc: plain # comment\nd: plain#not\n'
          "e: 'a\n  b'\nf: a\n  b\n"),
         {"a": "'tab\\tnl\\néA\\x00'", "b": '"it\'s"', "c": "'plain'", "d": "'plain#not'", "e": "'a b'",
          "f": "'a b'"}),
        ("", {"": "null"}),
        ("---\n", {"": "null"}),
        ("--- a\n", {"": "'a'"}),
        ("# only a comment\n", {"": "null"}),
        ("---\na: 1\n...\n", {"a": "1"}),
        ("%YAML 1.2\n---\na: 1\n", {"a": "1"}),
        ("~\n", {"": "null"}),
        ("null\n", {"": "null"}),
        ("[]\n", {"": "[]"}),
        ("{}\n", {"": "{}"}),
        ("a: \nb: ''\nc: {}\nd: []\n", {"a": "null", "b": "''", "c": "{}", "d": "[]"}),
        ("a: !!set {x, y}\n", {"a.x": "null", "a.y": "null"}),
        ("a: !!omap [x: 1]\n", {"a.0.x": "1"}),
        ("{a, b: c}\n", {"a": "null", "b": "'c'"}),
        ("[a: 1, b]\n", {"0.a": "1", "1": "'b'"}),
        ('key with space: 1\n\'quoted key\': 2\n"k\\n": 3\n', {"key with space": "1", "quoted key": "2", "k\n": "3"}),
        ("- 1\n-\n- ~\n- \n", {"0": "1", "1": "null", "2": "null", "3": "null"}),
        ("é: ü\n", {"é": "'ü'"}),
        ("\ufeffa: 1\n", {"a": "1"}),
        ("a: 1 \nb: ' 1'\n", {"a": "1", "b": "' 1'"}),
        ("a: 9007199254740993\nb: 123456789012345678901234567890\nc: -0\nd: -0.0\ne: 1e400\nf: 1.0e+400\n",
         {"a": "9007199254740992", "b": "1.2345678901234568e+29", "c": "0", "d": "0", "e": "'1e400'",
          "f": "Infinity"}),
        ("a: =\nb: <<\nc: '='\n", {"a": "'='", "b": "'<<'", "c": "'='"}),
        ("a: TrUe\nb: nULL\nc: .Inf\nd: .iNF\n", {"a": "'TrUe'", "b": "'nULL'", "c": "Infinity", "d": "'.iNF'"}),
        ("a: 0b2\nb: 0xG\nc: 0_7\nd: _1\ne: 1__0\nf: 0.\ng: 00\nh: 0\n",
         {"a": "'0b2'", "b": "'0xG'", "c": "7", "d": "1", "e": "10", "f": "0", "g": "0", "h": "0"}),
        ("a: 1 2\nb: 1,2\nc: [1,2]\nd: {a:1}\n", {"a": "'1 2'", "b": "'1,2'", "c.0": "1", "c.1": "2", "d.a:1": "null"}),
        ("a: !!str\nb: !!str ~\n", {"a": "''", "b": "'~'"}),
    ],
)  # fmt: skip
def test_a_document_is_read_as_it_was(document: str, values: dict[str, str]) -> None:
    assert dict(leaves(read(document))) == values


def test_keys_become_text_as_in_javascript() -> None:
    assert list(read("1: a\ntrue: b\n2.50: d\n0x10: e\n2016-01-01: f\nyes: g\n0644: h\n~: i\n1:30: j\n")) == [
        "1", "true", "2.5", "16", "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)", "yes", "420", "null", "90",
    ]  # fmt: skip


def test_very_long_lines_are_read_whole() -> None:
    assert read(f"a: {'x' * 300_000}\nb: '{'y' * 300_000}'\n") == {"a": "x" * 300_000, "b": "y" * 300_000}


@pytest.mark.parametrize(
    "document",
    ["a: 1\n---\nb: 2\n", "a: @x\n", "a: `x\n", "a: b: c\n", "a: 'x\n", "a: *none\n", "a: !foo 1\n", "a: \"x\" y\n",
     "a: &a\n  b: *a\n", "a: !!int 1.5\n", "b: - c\n"],
)  # fmt: skip
def test_what_it_refused_is_refused_with_its_line(document: str) -> None:
    with pytest.raises(YamlError, match=r"f\.yaml:[0-9]+:[0-9]+: malformed YAML"):
        read(document)


# What it refused and we read, and the other way round: said in docs/migrating.md.


def test_a_key_that_stands_twice_warns_with_its_line_and_the_last_one_counts(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP + "data: {a: '{{a}}', b: '{{m.b}}'}\n")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\na: 1\na: 2\nm:\n  <<: {b: 1}\n  b: 2\n  b: 3\n"})
    result = workshop.run()
    assert result.code == 0, result.log
    assert "data: {a: '2', b: '3'}" in result.files["east/app.yaml"]
    assert "base-var.yaml:3: a key stands twice in one map" in result.log
    assert "base-var.yaml:7: a key stands twice in one map" in result.log


@pytest.mark.parametrize("text", ["{{name}}: 1\n", "a: {{name}}\n", "\ta: 1\n"])
def test_braces_and_tabs_that_became_odd_keys_are_refused(workshop: Workshop, text: str) -> None:
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\n{text}"})
    result = workshop.run()
    assert result.code == 2
    assert "base-var.yaml:2" in result.log


def test_an_empty_file_of_settings_sets_nothing(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"clusters/east/configuration-var.yaml": "# nothing yet\n"})
    assert workshop.run().code == 0
