# SPDX-License-Identifier: MIT
"""The diff that a dry run shows: what it says, applied to the old file, gives the new one."""

from __future__ import annotations

import re
from itertools import zip_longest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kit_image_deployer.edit.difference import unified_diff

lines = st.lists(
    st.sampled_from(["a\n", "b\n", "a\n", "größe 😀\n", "\n", "--- x\n", "c\r\n", "@@ -1 +1 @@\n"]), max_size=14
)
texts = st.builds("{}{}".format, lines.map("".join), st.sampled_from(["", "", "x", "a"])).map(str.encode)
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")


def applied(before: bytes, diff: str) -> bytes:
    """As `patch` does it."""
    old = re.findall(r"[^\n]*\n|[^\n]+", before.decode())
    new: list[str] = []
    taken = 0
    shown = re.findall(r"[^\n]*\n", diff)
    for line, following in zip_longest(shown, shown[1:], fillvalue=""):
        text = line[1:].removesuffix("\n") if following.startswith("\\") else line[1:]
        if hunk := HUNK.fullmatch(line):
            start = int(hunk[1]) - (hunk[2] != "0")
            new += old[taken:start]
            taken = start
            assert len(new) == int(hunk[3]) - (hunk[4] != "0")
        elif line.startswith((" ", "-")) and not line.startswith("--- a/"):
            assert old[taken] == text
            taken += 1
        if line.startswith((" ", "+")) and not line.startswith("+++ b/"):
            new.append(text)
    return "".join([*new, *old[taken:]]).encode()


@given(texts, texts)
@example(b"", b"a")
@example(b"a\n" * 9 + b"b", b"a\n" * 9 + b"b\n")
@example(b"a\n" * 9, b"a\n" * 8)
def test_the_diff_leads_from_the_old_file_to_the_new_one(before: bytes, after: bytes) -> None:
    diff = unified_diff(before, after, "f.yaml")
    assert applied(before, diff) == after
    assert (diff == "") == (before == after)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 299_995, 299_998, 299_999])
def test_a_change_in_a_large_file_is_told_with_three_lines_around_it(place: int) -> None:
    old = [f"key{number}: {number}\n" for number in range(300_000)]
    new = [*old]
    new[place] = "image: new\n"
    diff = unified_diff("".join(old).encode(), "".join(new).encode(), "f.yaml")
    first, last = max(0, place - 3), min(len(old), place + 4)
    assert diff.splitlines()[2] == f"@@ -{first + 1},{last - first} +{first + 1},{last - first} @@"
    assert [line[1:] for line in diff.splitlines(keepends=True)[3:] if line[0] != "+"] == old[first:last]


def test_a_new_file() -> None:
    assert unified_diff(None, b"image: a\n", "f") == "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+image: a\n"
