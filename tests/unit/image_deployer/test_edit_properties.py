# SPDX-License-Identifier: MIT
"""Over generated YAML: only the scalar's bytes change and the text means exactly the wanted change, or an error."""

import re
from dataclasses import dataclass

import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kit_core.errors import KitError
from kit_core.yamlwords import kubernetes_words
from kit_image_deployer.edit.values import set_value
from kit_image_deployer.image import in_style, is_plain

NAME = "images/f.yaml"
NEW = "registry.example.com/shop/api:master-42"

words = st.text(st.sampled_from("abcz019 äß😀-_/.:,'\"\\#&*!|>%@`{}[]?~="), min_size=1, max_size=12)
comments = st.one_of(st.just(""), words.map(lambda text: f" # {text}"))
keys = st.sampled_from(["a", "b", "größe", "'c d'", '"e\\tf"', "0", "on", "k.l", "? long\n"])
quoted_values = words.map(lambda text: "'" + text.replace("'", "''") + "'")
double_values = words.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
plain_values = st.sampled_from(
    ["1", "yes", "~", "", "old:1", "2020-01-01", "a b  c", "x#y", "http://x/y:z", "-5", "é😀"]
)
flow_values = st.sampled_from(["[]", "{}", "[a, 'b', {c: d}]", "{x: 1, y: [2, 3]}", "[\n  a,\n  b # c\n  ]"])
block_values = st.sampled_from(
    ["|\n  text\n   more\n", ">-\n  folded\n  text\n", "|+ # kept\n  x\n\n", "\n  nested: 1\n  more:\n  - 2\n"]
)
anchored = st.sampled_from(["&x 1", "!!str 1", "&y [1]", "!custom 3"])
values = st.one_of(plain_values, quoted_values, double_values, flow_values, block_values, anchored)
fillers = st.sampled_from(["", "\n", "# comment\n", "\n# two\n\n", "  # indented\n"])


@dataclass(frozen=True)
class Sample:
    """A text, and the same with the place of the image's value left out: before, in its own style, behind."""

    head: str
    value: str
    tail: str
    ending: str

    def text(self, value: str) -> bytes:
        return (self.head + value + self.tail).replace("\n", self.ending).encode()


@st.composite
def entries(draw: st.DrawFn, names: st.SearchStrategy[list[str]]) -> str:
    text = ""
    for key in draw(names):
        value = draw(values)
        ends = value.endswith("\n")
        text += f"{key}: {value}" if ends else f"{key}: {value}{draw(comments)}\n"
        text += draw(fillers)
    return text


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    names = draw(st.lists(keys, unique=True, max_size=6))
    cut = draw(st.integers(0, len(names)))
    above = draw(entries(st.just(names[:cut])))
    below = draw(entries(st.just(names[cut:])))
    start = draw(st.sampled_from(["", "\ufeff", "---\n", "%YAML 1.1\n---\n", "# first\n", "--- # doc\n"]))
    end = draw(st.sampled_from(["", "...\n", "# last\n", "---\nother: 1\n"]))
    anchor = draw(st.sampled_from(["", "", "&img ", "!!str ", "&img !!str "]))
    key = draw(st.sampled_from(["image", "'image'", '"image"']))
    value = draw(st.one_of(st.just("old:1"), quoted_values, double_values))
    below_and_end = draw(comments) + "\n" + below + end
    if draw(st.booleans()):
        below_and_end = below_and_end.rstrip("\n")
    gap = draw(st.sampled_from([" ", "   ", "\n  "]))
    head = f"{start}{above}{key}:{gap}{anchor}"
    return Sample(head, value, below_and_end, draw(st.sampled_from(["\n", "\r\n"])))


def loaded(text: bytes) -> list[object]:
    """The parser's events, which is all that a reader can see."""
    return [
        (
            type(event).__name__,
            getattr(event, "anchor", None),
            getattr(event, "tag", None),
            getattr(event, "value", None),
        )
        for event in yaml.parse(text.decode().removeprefix("\ufeff"), Loader=yaml.CSafeLoader)
    ]


def is_yaml(text: bytes) -> bool:
    try:
        loaded(text)
    except yaml.YAMLError:
        return False
    return True


@given(samples())
def test_only_the_bytes_of_the_scalar_change(sample: Sample) -> None:
    before = sample.text(sample.value)
    assume(is_yaml(before))
    style = sample.value[0] if sample.value[0] in "'\"" else None
    after = set_value(before, "image", NEW, name=NAME).after
    assert after == sample.text(in_style(NEW, style))
    assert set_value(after, "image", NEW, name=NAME).after == after


@given(entries(st.lists(keys, unique=True, min_size=0, max_size=6)), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_missing_key_is_inserted_and_the_rest_stays(text: str, ending: str, final: bool) -> None:
    before = (text if final else text.rstrip("\n")).replace("\n", ending).encode()
    assume(is_yaml(before))
    try:
        after = set_value(before, "image", NEW, name=NAME).after
    except KitError:
        return
    line = f"image: {NEW}".encode()
    at = after.index(line)
    rest = after[:at] + after[at + len(line) :]
    own = ending.encode() if ending.encode() in before else b"\n"
    assert rest in {before[:at] + own + before[at:], before + own}
    seen, now = loaded(before), loaded(after)
    pair = [("ScalarEvent", None, None, "image"), ("ScalarEvent", None, None, NEW)]
    if ("MappingStartEvent", None, None, None) in seen:
        assert [event for event in now if event not in pair] == [event for event in seen if event not in pair]


@given(
    st.text(st.sampled_from("image: old1\n -'\"{}[],#&*x!|>?%~\r\t"), max_size=60), st.sampled_from(["", "image: a"])
)
@example("image: &x a\nb: *x", "")
@example("{image: a, image: b}", "")
def test_whatever_the_text_the_change_is_exact_or_refused(noise: str, prefix: str) -> None:
    before = (prefix + noise).encode()
    try:
        edit = set_value(before, "image", NEW, name=NAME)
    except KitError:
        return
    now = pairs(edit.after)
    assert [value for key, value in now if key == "image"] == [NEW]
    assert [pair for pair in now if pair[0] != "image"] == [pair for pair in pairs(before) if pair[0] != "image"]


def pairs(text: bytes) -> list[tuple[str, str]]:
    """The top-level keys and values of every document, scalars as they are, the rest as the parser's own text."""
    found = []
    for root in yaml.compose_all(text.decode(), Loader=yaml.CBaseLoader):
        for pair in root.value if isinstance(root, yaml.MappingNode) else []:
            shown = [node.value if isinstance(node, yaml.ScalarNode) else yaml.serialize(node) for node in pair]
            found.append((shown[0], shown[1]))
    return found


YAML12 = re.compile(
    r"null|Null|NULL|~|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"
)


def yaml12_core(text: str) -> str | None:
    """What the core schema (YAML 1.2.2, 10.3.2) takes for a string; None for anything else."""
    return None if YAML12.fullmatch(text) else text


references = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,12}", fullmatch=True)


@given(references)
@example("1e3")
@example("12e4567")
@example("on")
@example("0123")
@example("1:30")
@example("2020-01-01")
@example("0x1F")
@example("a:")
@example("NaN")
def test_a_reference_reads_as_itself_in_every_dialect(reference: str) -> None:
    for style in (None, "'", '"'):
        for text in (f"k: {in_style(reference, style)}\n", f"{{k: {in_style(reference, style)}}}\n"):
            assert yaml.safe_load(text) == {"k": reference}
    if is_plain(reference):
        assert kubernetes_words(reference) == reference
        assert yaml12_core(reference) == reference
