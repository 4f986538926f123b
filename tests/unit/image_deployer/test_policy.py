# SPDX-License-Identifier: MIT
"""May this build replace that one: by the history first, then by numbers of one source, else always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_image_deployer.guard.policy import (
    RECORD,
    Build,
    Guard,
    Order,
    check_number,
    check_source,
    fit_commit,
    judge,
    magnitude,
    recorded,
)

OURS = "a" * 40
THEIRS = "b" * 40
ORDERS: list[Order] = ["older", "same", "newer", "apart", "unknown"]
numbers = st.one_of(st.integers(0, 10**30).map(str), st.text("0123456789", min_size=1, max_size=60))
sources = st.sampled_from(["github shop/cart", "jenkins shop/cart", "x"])


def guard(number: str | None = None, source: str | None = "ci", order: Order | None = None) -> Guard:
    relate = None if order is None else lambda _ours, _theirs: order
    return Guard(build=Build(commit=OURS, number=number, source=source), relate=relate)


@given(ours=numbers, theirs=numbers, source=sources)
def test_numbers_of_one_source_are_compared_as_numbers(ours: str, theirs: str, source: str) -> None:
    verdict = judge(guard(ours, source), Build(number=theirs, source=source))
    assert verdict.superseded == (int(theirs) > int(ours))


def test_no_number_is_too_long_to_compare() -> None:
    digits = "1234567890" * 1000  # more than Python makes an integer of
    assert magnitude(digits) < magnitude(digits + "0")
    assert magnitude(digits + "1") < magnitude(digits + "2")
    assert magnitude("000" + digits) == magnitude(digits)
    assert check_number("0" + digits, setting="X") == digits


@given(ours=numbers, theirs=numbers, mine=sources, other=sources, order=st.sampled_from([None, "unknown", "apart"]))
def test_numbers_of_another_source_never_hold_up_a_build(
    ours: str, theirs: str, mine: str, other: str, order: Order | None
) -> None:
    verdict = judge(guard(ours, mine, order), Build(commit=THEIRS, number=theirs, source=other))
    if mine != other:
        assert not verdict.superseded


@given(ours=numbers, theirs=numbers, order=st.sampled_from(["older", "newer"]))
def test_the_history_wins_over_numbers(ours: str, theirs: str, order: Order) -> None:
    verdict = judge(guard(ours, "ci", order), Build(commit=THEIRS, number=theirs, source="ci"))
    assert verdict.superseded == (order == "newer")


@pytest.mark.parametrize("order", ["same", "apart", "unknown"])
def test_where_the_history_has_no_order_the_numbers_have(order: Order) -> None:
    found = Build(commit=THEIRS, number="8", source="ci")
    assert judge(guard("7", "ci", order), found).superseded
    assert not judge(guard("8", "ci", order), found).superseded
    assert not judge(guard(None, "ci", order), found).superseded


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_recorded_holds_nothing_up(order: Order) -> None:
    assert not judge(guard("1", "ci", order), Build()).superseded


def test_what_is_not_known_is_said() -> None:
    verdict = judge(guard(None, None, "unknown"), Build(commit=THEIRS))
    assert "is not known in KIT_SOURCE_DIR" in verdict.why
    assert THEIRS[:12] in verdict.why


def test_a_wanted_step_back_is_taken_and_said() -> None:
    back = Guard(build=Build(number="7", source="ci"), allow_downgrade=True)
    verdict = judge(back, Build(number="8", source="ci"))
    assert not verdict.superseded
    assert "KIT_ALLOW_DOWNGRADE" in verdict.why
    assert "build 8" in verdict.why
    assert judge(back, Build(number="6", source="ci")).why == ""


@given(
    commit=st.sampled_from([None, OURS, "abc1234"]),
    number=st.one_of(st.none(), numbers),
    source=st.one_of(st.none(), sources),
)
def test_what_is_written_is_read_as_it_was(commit: str | None, number: str | None, source: str | None) -> None:
    build = Build(commit=commit, number=number, source=source)
    values = build.values()
    assert set(values) <= set(RECORD)
    found = recorded(values)
    if (number and source) or (commit == OURS and not number):
        assert found == Build(commit=commit, number=number, source=source if number else None)
    elif not found:
        assert found == Build()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"commit": None, "build": None, "source": None},
        {"source": "https://git.example.com/shop/cart"},
        {"commit": "abc1234"},
        {"commit": "the first one"},
        {"build": "7"},
        {"build": "1.2", "source": "ci"},
        {"build": "latest", "source": "ci"},
        {"build": "٧", "source": "ci"},
    ],
)
def test_keys_of_ones_own_are_no_record(values: dict[str, str | None]) -> None:
    assert not recorded(values)


def test_half_a_record_is_one() -> None:
    assert recorded({"commit": OURS, "build": "x"}) == Build(commit=OURS)
    assert recorded({"commit": "v1", "build": "7", "source": "ci"}) == Build(number="7", source="ci")


@pytest.mark.parametrize("number", ["1.2", "-1", "+1", "1e3", "", "v7", "7-rc1", "0x10", "٧", "1 2"])
def test_what_is_no_number_of_a_build_is_refused(number: str) -> None:
    with pytest.raises(InputError) as refused:
        check_number(number, setting="KIT_BUILD_NUMBER")
    assert f"KIT_BUILD_NUMBER={number!r}" in str(refused.value)


def test_numbers_are_recorded_without_what_says_nothing() -> None:
    assert [check_number(text, setting="X") for text in (" 42\n", "007", "000")] == [
        "42", "7", "0",
    ]  # fmt: skip


def test_sources_are_one_line_of_text() -> None:
    assert check_source(" jenkins\n shop/cart ", setting="X") == "jenkins shop/cart"
    for source in ("", " ", "a\x00b", "a\x1b[31m", "x" * 501, "\ud800"):
        with pytest.raises(InputError):
            check_source(source, setting="X")


def test_what_is_no_commit_is_not_recorded() -> None:
    assert [fit_commit(text) for text in (" ABC1234 ", OURS, "r1234:", "", None, "v1.2", "abc", "a" * 65)] == [
        "abc1234", OURS, None, None, None, None, None, None,
    ]  # fmt: skip
