# SPDX-License-Identifier: MIT
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.live import cut, frame


def cells(text: str) -> int:
    """How many columns of a terminal a text takes, counted in another way than the code does."""
    plain = [c for c in text if not unicodedata.category(c).startswith("M") and unicodedata.category(c) != "Cf"]
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)


def test_a_block_tells_who_waits_how_long_and_for_what() -> None:
    told = [("eu", 12.4, "web: 1 of 2\napi: 0 of 1"), (None, 3.0, "the head moved")]
    assert frame(told, columns=80, rows=24) == [
        "[eu] web: 1 of 2 (12 s)",
        "[eu] api: 0 of 1",
        "the head moved (3 s)",
    ]


def test_what_does_not_fit_is_counted() -> None:
    lines = frame([(None, 1.0, "\n".join("abcdefgh"))], columns=40, rows=6)
    assert lines == ["a (1 s)", "b", "c", "… and 5 more lines"]


def test_what_just_fits_is_shown_as_it_is() -> None:
    text = "12345 (1 s)\n1234567890a\n1234567890a"
    assert frame([(None, 1.0, "12345\n1234567890a\n1234567890a")], columns=12, rows=5) == text.splitlines()
    assert frame([(None, 1.0, "123456")], columns=12, rows=5) == ["1234… (1 s)"]


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("部署部署", 8, "部署部署"),
        ("部署部署", 7, "部署部…"),
        ("部署部署", 6, "部署…"),
        ("u\u0308ber", 4, "u\u0308ber"),
        ("🚀🚀", 3, "🚀…"),
        ("x", 0, ""),
    ],
)
def test_wide_letters_take_two_columns(text: str, columns: int, expected: str) -> None:
    assert cut(text, columns) == expected


@given(
    st.lists(st.tuples(st.none() | st.text(), st.floats(0, 10**6), st.text()), max_size=6),
    st.integers(1, 60),
    st.integers(1, 12),
)
def test_a_block_fits_any_terminal(told: list[tuple[str | None, float, str]], columns: int, rows: int) -> None:
    lines = frame(told, columns=columns, rows=rows)
    assert len(lines) <= max(1, rows - 2)
    assert all(cells(line) <= columns - 1 for line in lines)
