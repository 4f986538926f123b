# SPDX-License-Identifier: MIT
"""The byte-exact edit: what changes, what stays, what is refused."""

import tracemalloc

import pytest

from kit_core.errors import InputError, WorkError
from kit_image_deployer.edit.values import set_value

NEW = "registry.example.com/shop/api:master-42"


def edited(before: str, value: str = NEW, key: str = "image") -> str:
    return set_value(before.encode(), key, value, name="images/api.yaml").after.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: old:1\n", f"image: {NEW}\n"),
        ("image: old:1", f"image: {NEW}"),
        ("image:   old:1   # why\r\nother: 1\r\n", f"image:   {NEW}   # why\r\nother: 1\r\n"),
        ("\ufeffimage: 'old:1'\n", f"\ufeffimage: '{NEW}'\n"),
        ('---\n"image": "old:1" # c\n...\n', f'---\n"image": "{NEW}" # c\n...\n'),
        ("{image: old:1, other: [a, b]}\n", f"{{image: {NEW}, other: [a, b]}}\n"),
        ('{"image":"old:1"}', f'{{"image":"{NEW}"}}'),
        ("image: &img old:1\n", f"image: &img {NEW}\n"),
        ("image: !!str old:1\n", f"image: !!str {NEW}\n"),
        ("image: !!str &i 'old:1' # c\n", f"image: !!str &i '{NEW}' # c\n"),
        ("image:\n  old:1\nb: 2\n", f"image:\n  {NEW}\nb: 2\n"),
        ("image: old\n  one\n\n\nb: 2\n", f"image: {NEW}\n\n\nb: 2\n"),
        ("image: >- # folded\n  old:1\n\n# next\nb: 2\n", f"image: {NEW} # folded\n\n# next\nb: 2\n"),
        ("image: |\n  old:1\n", f"image: {NEW}\n"),
        ("image: | # c \t\n  old:1 \t \n \n\nb: 2\n", f"image: {NEW} # c \t\n \n\nb: 2\n"),
        ("# \u2028\nimage: old:1 # \x85\n", f"# \u2028\nimage: {NEW} # \x85\n"),
        ("image:\n# nothing yet\nb: 2\n", f"image: {NEW}\n# nothing yet\nb: 2\n"),
        ("image: # nothing yet\n", f"image: {NEW} # nothing yet\n"),
        ("image: ~\n", f"image: {NEW}\n"),
        ('image: ""\n', f'image: "{NEW}"\n'),
        ("{image: }\n", f"{{image: {NEW}}}\n"),
        ("image: &here\nb: 1\n", f"image: &here {NEW}\nb: 1\n"),
        ("base: &b {tag: 1}\nother: *b\nimage: old:1\n", f"base: &b {{tag: 1}}\nother: *b\nimage: {NEW}\n"),
        ("a: 1\n---\nimage: old:1\n", f"a: 1\n---\nimage: {NEW}\n"),
        ("<<: {a: 1}\nimage: old:1\n", f"<<: {{a: 1}}\nimage: {NEW}\n"),
        ("größe: ü😀 # 😀\nimage: old:1 # é\n", f"größe: ü😀 # 😀\nimage: {NEW} # é\n"),
        ("? image\n: old:1\n", f"? image\n: {NEW}\n"),
    ],
)
def test_only_the_scalar_changes(before: str, after: str) -> None:
    assert edited(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"image: {NEW}\n"),
        ("# images\n", f"# images\nimage: {NEW}\n"),
        ("# images", f"# images\nimage: {NEW}"),
        ("---\n", f"---\nimage: {NEW}\n"),
        ("---\r\n...\r\n# c\r\n", f"---\r\nimage: {NEW}\r\n...\r\n# c\r\n"),
        ("--- # c\r...\r", f"--- # c\rimage: {NEW}\r...\r"),
        ("a: 1\n", f"a: 1\nimage: {NEW}\n"),
        ("a: 1", f"a: 1\nimage: {NEW}"),
        ("a: 1 # one\r\n\r\n# end\r\n", f"a: 1 # one\r\nimage: {NEW}\r\n\r\n# end\r\n"),
        ("a:\n  b:\n    - c\n...\n", f"a:\n  b:\n    - c\nimage: {NEW}\n...\n"),
        ("a: |+\n  x\n\n", f"a: |+\n  x\n\nimage: {NEW}\n"),
        ("a: {b: 1,\n  c: 2}\n", f"a: {{b: 1,\n  c: 2}}\nimage: {NEW}\n"),
        ("  a: 1\n", f"  a: 1\n  image: {NEW}\n"),
        ("{}\n", f'{{"image": "{NEW}"}}\n'),
        ("{a: 1 # one\n}\n", f'{{a: 1, "image": "{NEW}" # one\n}}\n'),
        ("<<: {a: 1}\n", f"<<: {{a: 1}}\nimage: {NEW}\n"),
        ("a:\n", f"a:\nimage: {NEW}\n"),
    ],
)
def test_a_missing_key_is_added_at_the_end(before: str, after: str) -> None:
    assert edited(before) == after


def test_a_missing_file_is_made() -> None:
    edit = set_value(None, "image", NEW, name="images/api.yaml")
    assert (edit.before, edit.after, edit.previous) == (None, f"image: {NEW}\n".encode(), None)


@pytest.mark.parametrize(
    "before", [f"image: {NEW}", f"image: '{NEW}' # c", f"image: >-\n  {NEW}\n", f"{{image: {NEW}}}"]
)
def test_the_same_value_is_no_change(before: str) -> None:
    edit = set_value(before.encode(), "image", NEW, name="f.yaml")
    assert not edit.changes
    assert edit.previous == NEW


@pytest.mark.parametrize("value", ["1e3", "12e4567", "on", "0123", "y", "null", "123", "0x1f", "0o17", "1_000"])
def test_what_plain_yaml_would_misread_is_quoted(value: str) -> None:
    assert edited("image: old:1\n", value) == f'image: "{value}"\n'
    assert edited(f"image: {value}\n", value) == f'image: "{value}"\n'
    assert set_value(None, "image", value, name="f").after.decode() == f'image: "{value}"\n'


def test_the_previous_value_is_told() -> None:
    assert set_value(b"image: 'old:1'\n", "image", NEW, name="f.yaml").previous == "old:1"
    assert set_value(b"image:\n", "image", NEW, name="f.yaml").previous is None


@pytest.mark.parametrize(
    ("before", "place", "reason"),
    [
        ("a: &x old:1\nimage: *x\n", "f.yaml:2", "the value of `image` is an alias (`*x`)"),
        ("image: &x old:1\nb: *x\n", "f.yaml:1", "other values refer to `image` by its anchor &x"),
        ("b: &b {image: old:1}\n<<: *b\n", "f.yaml:1", "`image` comes from a merge key"),
        ("b: &b {<<: {image: old:1}}\n<<: [*b]\n", "f.yaml:1", "`image` comes from a merge key"),
        ("image: a\nb: 1\nimage: b\n", "f.yaml:3", "`image` stands more than once, in lines 1 and 3"),
        ("*x : *y\n", "f.yaml:1:1", "malformed YAML"),
        ("image: a\n---\nimage: b\n", "f.yaml:3", "`image` stands more than once"),
        ("a: 1\n---\nb: 1\n", "f.yaml:1", "none of the file's 2 documents has `image`"),
        ("image: [a]\n", "f.yaml:1", "the value of `image` is a list"),
        ("image: {a: 1}\n", "f.yaml:1", "the value of `image` is a mapping"),
        ("image: !!int 5\n", "f.yaml:1", "the value of `image` has the tag"),
        ("image: ! 5\n", "f.yaml:1", "the value of `image` has the tag !"),
        ("- image: a\n", "f.yaml:1", "the file holds a list"),
        ("image\n", "f.yaml:1", "the file holds a scalar"),
        ("~\n", "f.yaml:1", "the file holds nothing but a null"),
        ("{image}\n", "f.yaml:1", "`image` has no value"),
        ("a: 1\nimage: 'x\n", "f.yaml:3:1", "malformed YAML"),
        ("a: 1\n\timage: x\n", "f.yaml:2", "malformed YAML"),
        ("é: \x01\n", "f.yaml:1:4", "malformed YAML: the character U+0001 is not allowed"),
        ("image: a\nb: *x\n", "f.yaml:2:4", "malformed YAML: *x refers to an anchor that is not there"),
        ("a: &x image\n*x : b\nimage: c\n", "f.yaml:3", "`image` stands more than once"),
        ("b: &b {image: old:1}\n!!merge x: *b\n", "f.yaml:1", "`image` comes from a merge key"),
        ("image: a\nb: " + 300 * "[" + 300 * "]", "f.yaml:2:203", "it is nested more than 200 levels deep"),
        ("image: a\n" + 1001 * "---\n", "f.yaml:1001", "it has more than 1000 documents"),
        ("".join(f"%TAG !a{place}! x\n" for place in range(200)) + "--- {image: a}\n", "f.yaml:101", "begin with `%`"),
        ("image: a\n" + 5_000_000 * "#", "f.yaml", "the file has 5,000,009 bytes"),
    ],
    ids=lambda text: text[:30],
)
def test_what_cannot_be_changed_alone_is_refused(before: str, place: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        set_value(before.encode(), "image", NEW, name="f.yaml")
    assert str(caught.value).startswith(place)
    assert reason in str(caught.value)
    assert "nothing was changed" in str(caught.value)
    assert caught.value.file == "f.yaml"


@pytest.mark.parametrize(
    "before",
    [
        "# c\u2028image: old:1\nb: 1\n",  # a key to YAML 1.1, a comment to YAML 1.2
        "image: old:1 # c\u2028image: old:2\n",
        "image: old:1 # c\x85  more: 1\n",
        "b: 1 # c\u2029image: old:1\n",
    ],
    ids=ascii,
)
def test_what_two_versions_of_yaml_read_differently_is_refused(before: str) -> None:
    with pytest.raises((WorkError, InputError), match="nothing was changed"):
        edited(before)


def test_other_encodings_are_refused_with_their_line() -> None:
    with pytest.raises(InputError, match=r"f\.yaml:2: the file is not UTF-8 text"):
        set_value(b"a: 1\nimage: \xff\n", "image", NEW, name="f.yaml")


def test_a_large_file_is_edited() -> None:
    lines = "".join(f"key{number}: value {number} # comment\n" for number in range(8_000))
    assert edited(f"{lines}image: old:1\n") == f"{lines}image: {NEW}\n"


def test_memory_grows_with_the_text_and_not_with_its_structure() -> None:
    """As Python objects, the parser's events of a file take forty times its size."""
    before = "".join(f"key{number}: value {number} # c\n" for number in range(15_000)).encode() + b"image: old:1\n"
    set_value(before[-13:], "image", NEW, name="f.yaml")  # what is loaded at first use does not count
    tracemalloc.start()
    try:
        set_value(before, "image", NEW, name="f.yaml")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * len(before)
