# SPDX-License-Identifier: MIT
"""The values of settings: booleans, lists, numbers, choices."""

import json
import math
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_core.settings import CommonSettings, load_settings, setting
from tests.unit.core.every_type import load, problem


@pytest.mark.parametrize("word", ["true", "1", "yes", "on"])
def test_every_spelling_of_yes_and_no(word: str) -> None:
    opposite = {"true": "false", "1": "0", "yes": "no", "on": "off"}[word]
    for spelled in (word, word.upper(), word.title(), f" {word} "):
        assert load({"COMMIT": spelled}).commit is True
    assert load({"KIT_COMMIT": opposite.upper(), "COMMIT": "true"}).commit is False


@given(st.text(min_size=1))
def test_a_boolean_is_a_known_word_or_an_error_that_names_the_variable(text: str) -> None:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.strip().lower() in words:
        assert load({"COMMIT": text}).commit is words[text.strip().lower()]
    else:
        assert "COMMIT=" in problem({"COMMIT": text})


@pytest.mark.parametrize("text", ["maybe", "2", "tru"])
def test_a_wrong_boolean_names_variable_and_value(text: str) -> None:
    message = problem({"COMMIT": text})
    assert f"COMMIT='{text}'" in message
    assert "expected true or false" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ("a", "b")),
        ("a, b\n c ,", ("a", "b", "c")),
        ('["a,b", "c"]', ("a,b", "c")),
        ("[1, 2]", ("1", "2")),
        ("none", ()),
        ("NONE", ()),
    ],
)
def test_lists(text: str, expected: tuple[str, ...]) -> None:
    assert load({"KIT_IMAGES": text}).images == expected


def test_none_empties_a_list_that_has_a_default() -> None:
    assert load({"IGNORED_ERRORS": "none"}).ignored_errors == ()
    assert load({"IGNORED_ERRORS": ""}).ignored_errors == ("Unhealthy",)


@given(st.lists(st.text()))
def test_any_list_can_be_given_as_json(items: list[str]) -> None:
    assert load({"KIT_IMAGES": json.dumps(items)}).images == tuple(items)


@pytest.mark.parametrize("digits", [10, 400, 5000])
def test_a_number_of_any_length_is_read_or_refused(digits: int) -> None:
    assert load({"KIT_BUILD": "9" * 12}).build == 999_999_999_999
    assert "KIT_BUILD=" in problem({"KIT_BUILD": "9" * 10 * digits})
    assert "1000000000 or less" in problem({"KIT_DEADLINE": "9" * min(digits, 400)})


@pytest.mark.parametrize("text", ['["a"', '[{"a": 1}]', "[true]", "[" * 100_000, "[" + "9" * 5000 + "]"])
def test_a_broken_json_array_is_an_error(text: str) -> None:
    assert "KIT_IMAGES" in problem({"KIT_IMAGES": text})


@pytest.mark.parametrize("text", ["ten", "-1", "101", "1.5", "1e1", "٣x"])
def test_a_number_outside_its_bounds_is_an_error(text: str) -> None:
    assert "expected a whole number, 0 or more, 100 or less" in problem({"KIT_RETRIES": text})


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_finite_and_within_bounds(number: float) -> None:
    if math.isfinite(number) and 0 <= number <= 10**9:
        assert load({"KIT_DEADLINE": repr(number)}).deadline == number
    else:
        assert "a number in s, 0 or more" in problem({"KIT_DEADLINE": repr(number)})


def test_a_choice_is_read_in_any_case_and_listed_when_wrong() -> None:
    assert load({"KIT_STRATEGY": "Fast-Rollback"}).strategy == "fast-rollback"
    assert "expected one of rolling-update, fast-rollback" in problem({"KIT_STRATEGY": "blue-green"})


def test_a_boolean_may_know_further_words() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Deploy(CommonSettings):
        """One setting."""

        dry_run: bool | Literal["read"] = setting(True, original=True, group="Deploy", help="Try.")

    def value(text: str) -> object:
        return load_settings(Deploy, {"DRY_RUN": text}, {}).settings.dry_run

    assert [value(text) for text in ("true", "No", "0", "READ", " on ", "")] == [True, False, False, "read", True, True]
    with pytest.raises(InputError, match=r"DRY_RUN.*maybe.*expected true, false or read \(also 1/0, yes/no, on/off"):
        value("maybe")
