# SPDX-License-Identifier: MIT
"""Several keys in one edit, and keys taken away: what a guarded deploy writes beside the image."""

import pytest

from kit_core.errors import InputError
from kit_image_deployer.edit.values import set_values

NEW = {"image": "r.example.com/api:2", "commit": "abc", "build": "7"}
OURS = ("commit", "build", "source")


def edited(before: str, values: dict[str, str] = NEW, *remove: str) -> str:
    return set_values(before.encode(), values, name="f.yaml", remove=remove).after.decode()


def test_a_new_file_has_the_keys_in_the_given_order() -> None:
    edit = set_values(None, NEW, name="f.yaml")
    assert edit.after == b'image: r.example.com/api:2\ncommit: abc\nbuild: "7"\n'
    assert edit.previous_values == dict.fromkeys(NEW)
    assert edited("") == edited("# images\n").removeprefix("# images\n") == edit.after.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# a\nimage: old:1 # why\nz: 1\n",
            '# a\nimage: r.example.com/api:2 # why\ncommit: abc\nbuild: "7"\nz: 1\n',
        ),
        ("image: old:1", 'image: r.example.com/api:2\ncommit: abc\nbuild: "7"'),
        ("image: old:1\r\nz: 1\r\n", 'image: r.example.com/api:2\r\ncommit: abc\r\nbuild: "7"\r\nz: 1\r\n'),
        (
            "build: '6'\nz: 1\nimage: old:1\ncommit: abb # c",
            "build: '7'\nz: 1\nimage: r.example.com/api:2\ncommit: abc # c",
        ),
        ("image: old:1\nbuild: 6\n", 'image: r.example.com/api:2\ncommit: abc\nbuild: "7"\n'),
        ("z: 1\nbuild: 7\n", 'z: 1\nbuild: "7"\nimage: r.example.com/api:2\ncommit: abc\n'),
        (
            "{image: old:1, z: [1]}\n",
            '{image: r.example.com/api:2, "commit": "abc", "build": "7", z: [1]}\n',
        ),
        (
            "image: >-\n  old:1\n\n# z\nz: 1\n",
            'image: r.example.com/api:2\ncommit: abc\nbuild: "7"\n\n# z\nz: 1\n',
        ),
        (
            "image: >-\n  r.example.com/api:2\nz: 1\n",
            'image: >-\n  r.example.com/api:2\ncommit: abc\nbuild: "7"\nz: 1\n',
        ),
        ("  ? image\n  : old:1\n", '  ? image\n  : r.example.com/api:2\n  commit: abc\n  build: "7"\n'),
        (
            "z: 1\n---\nimage: old:1\n---\ncommit: another\n",
            'z: 1\n---\nimage: r.example.com/api:2\ncommit: abc\nbuild: "7"\n---\ncommit: another\n',
        ),
    ],
)
def test_keys_are_set_where_they_stand_and_added_below_the_one_before(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: a\ncommit: abc # of a\nbuild: '7'\nz: 1\n", "image: b\nz: 1\n"),
        ("build: 7\r\nimage: a\r\n# kept\r\ncommit: abc", "image: b\r\n# kept\r\n"),
        ("image: a\ncommit:\n  abc\nbuild: >-\n  7\n\nsource: # none\nz: 1\n", "image: b\n\nz: 1\n"),
        ("? commit\n: abc\n? image\n: a\n", "? image\n: b\n"),
        ("{build: 7, commit: abc, image: a}", "{image: b}"),
        ('{"image": "a", "commit": "abc",\n "build": "7"}', '{"image": "b"}'),
        ("{build: 7, image: a, commit: abc, z: 1}", "{image: b, z: 1}"),
        ("image: a\ncommit: {of: someone}\nbuild: [1]\n", "image: b\ncommit: {of: someone}\nbuild: [1]\n"),
        ("image: a\nz: {commit: abc}\n", "image: b\nz: {commit: abc}\n"),
    ],
)
def test_keys_of_ours_are_taken_away_with_their_lines(before: str, after: str) -> None:
    assert edited(before, {"image": "b"}, *OURS) == after
    assert edited(after, {"image": "b"}, *OURS) == after


def test_keys_are_added_and_taken_away_in_one_edit() -> None:
    before = "image: a\nbuild: 6\nsource: s\nz: 1\n"
    assert edited(before, {"image": "b", "commit": "abc"}, "build", "source") == "image: b\ncommit: abc\nz: 1\n"
    assert edited("{image: a, build: 6}", {"image": "b", "commit": "c"}, "build") == '{image: b, "commit": "c"}'


def test_what_the_keys_had_is_told() -> None:
    edit = set_values(b"image: a\nbuild: 6\ncommit: ~\nsource: [x]\n", NEW, name="f.yaml", remove=("source", "other"))
    assert edit.previous == "a"
    assert edit.previous_values == {"image": "a", "build": "6", "commit": None, "source": None, "other": None}


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("image: a\ncommit: {a: 1}\n", "f.yaml:2: the value of `commit` is a mapping"),
        ("image: a\ncommit: a\nz: 1\ncommit: b\n", "f.yaml:4: `commit` stands more than once, in lines 2 and 4"),
        ("image: a\nsource: &s a\nz: *s\n", "f.yaml:2: other values refer to `source` by its anchor &s"),
        ("image: a\n&s source: a\nz: *s\n", "f.yaml:2: other values refer to `source` by its anchor &s"),
        ("<<: {commit: a}\nimage: a\n", "f.yaml:1: `commit` comes from a merge key"),
        ("<<: {source: a}\nimage: a\nsource: b\n", "f.yaml:1: `source` comes from a merge key"),
        ("{image: a, z: 1 # one\n, source: b}\n", "f.yaml:2: `source` cannot be removed"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(before: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        set_values(before.encode(), {"image": "b", "commit": "c"}, name="f.yaml", remove=("source",))
    assert str(caught.value).startswith(reason)
    assert "nothing was changed" in str(caught.value)


@pytest.mark.parametrize(
    "value", ["a\nb", "a\u2028b", "a\x85b", "\x1b[0m", "a'\"\\b\ufeff", " a ", "größe 😀", "- a", "#a"]
)
def test_whatever_a_value_holds_it_stays_on_its_line(value: str) -> None:
    for before in ("build: old\nz: 1\n", "build: 'old'\nz: 1\n", 'build: "old"\nz: 1\n', "{build: old}\n"):
        edit = set_values(before.encode(), {"build": value}, name="f.yaml")
        assert edit.after.count(b"\n") == before.count("\n")
        assert set_values(edit.after, {"build": value}, name="f.yaml").previous == value
