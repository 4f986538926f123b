# SPDX-License-Identifier: MIT
"""Rule 10: how scalars are read and how values print."""

import datetime as dt
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import length_of, number_text, text_of, truthy

_DAY = dt.datetime(2016, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("", None), ("~", None), ("null", None), ("NULL", None), ("nULL", "nULL"),
        ("0", 0), ("-0", 0), ("+12", 12), ("-7", -7), ("1_000", 1000), ("_1", 1),
        ("0644", 420), ("-0644", -420), ("_0644", 420), ("08", "08"), ("0o17", "0o17"), ("01", 1),
        ("0x1F", 31), ("0xZ", "0xZ"), ("0b101", 5), ("0b2", "0b2"),
        ("1:30", 90), ("1:60", "1:60"), ("12:30:45", 45045), ("0:30", "0:30"), ("1:30.5", 90.5),
        ("1.0", 1.0), ("1.", 1.0), ("-1.5", -1.5), (".5", 0.5), ("-.5", "-.5"), ("1_0.5", 10.5),
        ("1e3", "1e3"), ("1.0e+3", 1000.0), ("1.0e3", "1.0e3"),
        (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf),
        ("2016-01-01", _DAY), ("2016-1-1", _DAY), ("2016-13-01", dt.datetime(2017, 1, 1, tzinfo=dt.UTC)),
        ("2016-02-31", dt.datetime(2016, 3, 2, tzinfo=dt.UTC)),
        ("2016-01-01T10:20:30.25Z", _DAY.replace(hour=10, minute=20, second=30, microsecond=250000)),
        ("2016-01-01 02:00:00 +02:00", _DAY), ("2015-12-31t22:00:00 -2", _DAY),
        ("10.0.0.1", "10.0.0.1"), ("1.2.3", "1.2.3"), ("-", "-"), ("8080/tcp", "8080/tcp"),
    ],
)  # fmt: skip
def test_a_plain_scalar_is_read_as_the_original_read_it(word: str, value: Any) -> None:
    found = original_words(word)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read() -> None:
    assert math.isnan(original_words(".nan"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), (1.5, "1.5"), (-0.0, "0"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (1.5e22, "1.5e+22"),
        (1e-6, "0.000001"), (1e-7, "1e-7"), (1.25e-9, "1.25e-9"), (5e-324, "5e-324"), (0.1, "0.1"), (12.375, "12.375"),
        (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"),
    ],
)  # fmt: skip
def test_numbers_print_as_javascript_prints_them(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"), (True, "true"), (False, "false"), (7, "7"), (-7, "-7"), (2**53, "9007199254740992"),
        (123456789012345678901234567890, "1.2345678901234568e+29"), (10**400, "Infinity"),
        ([1, "a", None, True, 1.0], "1,a,,true,1"), ([[1, 2], {}], "1,2,[object Object]"), ([], ""),
        ({}, "[object Object]"), (_DAY, "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)"),
        ([_DAY], "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)"),
    ],
)  # fmt: skip
def test_values_print_as_javascript_prints_them(value: Any, text: str) -> None:
    assert text_of(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_number_reads_back_as_itself_in_javascripts_notation(number: float) -> None:
    text = number_text(number)
    assert float(text) == number
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?(e[+-][1-9][0-9]*)?", text)
    # Only what is very large or very small has an exponent.
    assert ("e" in text) == (number != 0 and not 1e-6 <= abs(number) < 1e21)


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_print_the_same_as_floats(number: int) -> None:
    assert number_text(float(number)) == text_of(number)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, -0.0, math.nan, ""])
def test_what_javascript_takes_for_false(value: Any) -> None:
    assert not truthy(value)


@pytest.mark.parametrize("value", [True, 1, -1, "0", "false", [], {}, _DAY])
def test_what_javascript_takes_for_true(value: Any) -> None:
    assert truthy(value)


def test_length_counts_utf16_units() -> None:
    assert length_of("a😀") == 3
