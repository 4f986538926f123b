# SPDX-License-Identifier: MIT
"""Over YAML of every kind: where an edit is made, all readers see exactly the wanted change, and bytes were only put in
or taken out where they had to be. Else there is an error that says what to do.
"""

from __future__ import annotations

import re

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit_core.errors import InputError, WorkError
from kit_core.yamlwords import kubernetes_words
from kit_image_deployer.edit.values import Edit, set_values
from tests.unit.image_deployer.yaml_readers import READERS, STRING, expected, seen

NAME = "images/f.yaml"
NEW = "registry.example.com/shop/api:master-42"

# Most of a text is made of what every reader understands, so that most edits are made; one part in ten is odd.
VALUES = [
    "old:1", "old:1", "'old:1'", '"old:1"', '"o\\u006cd"', "'it''s'", "~", "", "1", "no", "1e3", "&j old:1", "!!str 1",
    "&l !!str 'x'", "!!str &m", "&n", ">-\n  old:1", "|\n  old:1\n", "|+\n  old:1\n\n", "|2-\n   old:1",
    ">\n  a\n  b", "old\n  one", "\n  old:1", "'old\n  one'", '"old\\\n  one"', "[a]", "{a: 1}", "\n  a: 1", "\n- a",
    "größe", "😀", "x" * 1500, "a# c", "http://a:b", "-a",
]  # fmt: skip
ODD_VALUES = [
    "! 1", "!x 1", "!!int 1", "*a", "*i", "&i old:1", "a\tb", "a\u2028b", "'a\u2028b'", "a\x85b", "\xa0", "\t'tab'",
    "key: no", "{{ template }}", "% x", "@x", "`x`", "[", "'", "&a &b x", "*a x",
]  # fmt: skip
FIRST_KEYS = ["image", "image", "'image'", '"image"', '"im\\u0061ge"', "? image\n", "&k image", "!!str image"]
KEYS = [
    "commit", "'commit'", "build", "source", "a", "größe", "😀", "'c d'", "on", "1", "'<<'", "? [x, y]\n", "? long\n",
    "k.l", "imagex", "~", "[x]",
]  # fmt: skip
ODD_KEYS = [
    "? |-\n  image\n", "*a ", "*i ", "<<", "{x: y}", " image", "!!merge x", "x" * 1030, "-", "image", "? image\n",
]  # fmt: skip
BETWEEN = ["", "", "", "", "", "\n", "# c\n", "\n\n# image: no\n", "  # c\n"]
ODD_BETWEEN = ["\t\n", "# a\u2028image: no\n", "# a\x85\n", "\t# c\n", "...\n", "---\n", "x\n"]
COMMENTS = ["", "", "", " # c", " # image: no", "\t# c", "   "]
ODD_COMMENTS = ["\t", " #", " # a\u2028b", " #\u2028image: x", " x"]
STARTS = [
    "", "", "", "\ufeff", "---\n", "--- # c\n", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "%TAG ! tag:x,2000:\n---\n",
    "# c\n", "\n\n", "a: 1\n---\n", "b: &i x\n",
]  # fmt: skip
ODD_STARTS = [
    "--- !!map\n", "--- &root\n", "...\n", "---\n---\n", "b: &a image\n", "b: &a {image: x, commit: y}\n",
    "b: &a old:1\n", "image: 1\n---\n", "%YAML 3.0\n---\n", "\ufeff\ufeff", "  ", "--- |\n x\n---\n",
]  # fmt: skip
ENDS = ["", "", "", "", "...\n", "--- x\n", "# c\n", "...\n# c\n", "---\nimagex: 1\n", "\n\n\n"]
ODD_ENDS = [
    "z: *i\n",
    "z: *a\n",
    "---\nimage: x\n",
    "<<: *a\n",
    "... \n---\n{}\n",
    "z: [*root]\n",
    "\x00",
    "\u2028",
    "---\n",
]


def pick(draw: st.DrawFn, usual: list[str], odd: list[str]) -> str:
    return draw(st.sampled_from(odd if draw(st.integers(0, 19)) == 13 else usual))


def names(draw: st.DrawFn) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(KEYS), max_size=4, unique=True))
    if draw(st.integers(0, 9)) < 8:
        chosen.insert(draw(st.integers(0, len(chosen))), draw(st.sampled_from(FIRST_KEYS)))
    if draw(st.integers(0, 9)) == 7:
        chosen.insert(draw(st.integers(0, len(chosen))), draw(st.sampled_from(ODD_KEYS)))
    return chosen


@st.composite
def blocks(draw: st.DrawFn) -> str:
    text = ""
    for key in names(draw):
        value = pick(draw, VALUES, ODD_VALUES)
        gap = "" if value.startswith("\n") or not value else draw(st.sampled_from([" ", " ", " ", "  ", "\n  "]))
        text += f"{key}:{gap}{value}"
        text += "" if value.endswith("\n") else pick(draw, COMMENTS, ODD_COMMENTS) + "\n"
        text += pick(draw, BETWEEN, ODD_BETWEEN)
    indent = draw(st.sampled_from(["", "", "", "  "]))
    return "".join(indent + line if line.strip() else line for line in re.findall(r".*\n", text))


@st.composite
def braces(draw: st.DrawFn) -> str:
    values = [value for value in VALUES if not value.startswith((">", "|", "\n"))]
    space = ["", " ", " ", "\n "]
    pairs = [
        f"{pick(draw, space, [' # c' + chr(10)])}{key.strip()}: {pick(draw, values, ODD_VALUES)}"
        f"{pick(draw, space, [' # c' + chr(10)])}"
        for key in names(draw)
    ]
    return (
        "{"
        + ",".join(pairs)
        + draw(st.sampled_from(["", "", ",", "\n"]))
        + "}"
        + pick(draw, COMMENTS, ODD_COMMENTS)
        + "\n"
    )


@st.composite
def texts(draw: st.DrawFn) -> str:
    in_braces = draw(st.integers(0, 3)) == 3
    body = draw(braces()) if in_braces else draw(blocks())
    start = pick(draw, [start for start in STARTS if not (in_braces and start[:2] == "b:")], ODD_STARTS)
    text = start + body + pick(draw, ENDS, ODD_ENDS)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])))


wishes = st.sampled_from(
    [
        ({"image": NEW}, ()),
        ({"image": NEW}, ("commit", "build")),
        ({"image": NEW, "commit": "0123e4", "build": "42"}, ("source",)),
        ({"image": "1e3", "commit": "on"}, ("build",)),
    ]
)
Wish = tuple[dict[str, str], tuple[str, ...]]


def attempt(text: str, wish: Wish) -> Edit | None:
    values, remove = wish
    try:
        return set_values(text.encode(), values, name=NAME, remove=remove)
    except (InputError, WorkError) as error:
        said = str(error)
    assert said.startswith(NAME)
    assert "nothing was changed" in said
    return None


@given(texts(), wishes)
@settings(max_examples=250)
@example("image: old:1 # \u2028b: 1\n", ({"image": NEW, "commit": "c"}, ()))
@example("image: ! 1\n", ({"image": "1e3"}, ()))
@example("image: >\n  a\n  b\t\n# c\n", ({"image": NEW}, ()))
@example("b: &a image\n*a : old:1\n", ({"image": NEW}, ()))
def test_every_reader_sees_exactly_the_wanted_change(text: str, wish: Wish) -> None:
    edit = attempt(text, wish)
    if edit is None:
        return
    values, remove = wish
    after = edit.after.decode()
    for name, read in READERS.items():
        before = read(text)
        if before is None:
            continue  # what one reader does not understand, it need not understand afterwards
        wanted = expected(before, values, frozenset(remove), first="image")
        now = read(after)
        assert now is not None, (name, after)
        assert seen(now, wanted) == wanted, (name, after)
    assert set_values(edit.after, values, name=NAME, remove=remove).after == edit.after


@given(texts())
@settings(max_examples=150)
def test_bytes_change_in_the_scalar_and_nowhere_else(text: str) -> None:
    edit = attempt(text, ({"image": NEW}, ()))
    if edit is None or not edit.changes:
        return
    before, after = text, edit.after.decode()
    head = shared(before, after)
    tail = shared(before[head:][::-1], after[head:][::-1])
    gone = before[head : len(before) - tail]
    spans = value_spans(text)
    if spans is None:
        return
    if not spans:
        assert gone == ""
        assert after[head : len(after) - tail].count("image") <= 1 + NEW.count("image")
    else:
        start, end = spans[0]
        assert start <= head
        assert head + len(gone) <= end or (gone == "" and before[end:head].isspace())
    for ending in ("\r\n", "\r", "\n"):
        others = set("\r\n") - set(ending)
        if not others & set(before.replace(ending, "")) and ending in before:
            assert not set("\r\n") & set(after.replace(ending, "")), "the line ends stay of one kind"
            break


def shared(one: str, other: str) -> int:
    """How many characters two texts begin with together."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def value_spans(text: str) -> list[tuple[int, int]] | None:
    """Where PyYAML's own parser (not the C one) finds the values of the top-level keys `image`."""
    offset = len(text) - len(text.removeprefix("\ufeff"))
    found = []
    try:
        roots = list(yaml.compose_all(text.removeprefix("\ufeff"), Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return None  # it knows no tab behind a colon, for one
    for root in roots:
        for key, value in root.value if isinstance(root, yaml.MappingNode) else []:
            if key.value == "image":
                found.append((value.start_mark.index + offset, value.end_mark.index + offset))
    return found


MISREAD = [
    "1e3", "12e4567", "on", "Off", "YES", "n", "0123", "1_000", "1:30", "0x1f", "0b1", "0o17", "2016-01-01", ".inf",
    ".NaN", "~", "=", "<<", "null", "-", "--", "? x", "a: b", "a #b", "#a", "-1", "+1", ".5", "5.", "", " ", " a", "a ",
    "%a", "@a", "`a", "&a", "*a", "!a", "|", ">", "'", '"', "[a]", "{a", "a]", ",", "a,b", "12345678", "1234567e1234",
    "2001-12-14 21:59:43", "...", "---", "a:", ":a", "\\", "\t",
]  # fmt: skip
strings = st.one_of(
    st.sampled_from(MISREAD),
    st.from_regex(r"[0-9_:.eExobnyYNf+-]{1,12}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,20}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)


@given(strings, st.sampled_from(["k: old\n", "k: 'old'\n", 'k: "old"\n', "{k: old}\n", "k: >-\n  old\n", "k:\n", ""]))
@settings(max_examples=250)
def test_whatever_is_written_reads_as_that_string_in_every_dialect(value: str, before: str) -> None:
    after = set_values(before.encode(), {"k": value}, name=NAME).after.decode()
    for name, read in READERS.items():
        assert read(after) == [[((STRING, "k"), (STRING, value))]], (name, after)
    assert yaml.safe_load(after) == {"k": value}
    assert kubernetes_words(value) == value or after != f"k: {value}\n"
