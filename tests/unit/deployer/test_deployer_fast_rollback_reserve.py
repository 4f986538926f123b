# SPDX-License-Identifier: MIT
"""fast-rollback's decisions: what goes, what is kept in reserve, who may still switch."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_deployer.objects import Json
from kit_deployer.plan.plan import Wishes
from kit_deployer.strategies.fast_rollback import RESERVE, refusal
from tests.unit.deployer.versions import (
    AUTOSCALER,
    BUDGET,
    FROZEN,
    NOW,
    WEB,
    gone,
    old_service,
    planned,
    services,
    version,
    wanted,
    writing,
)
from tests.unit.deployer.words import DEPLOYMENT, SERVICE, declared, live


def test_one_that_is_new_keeps_the_newest_three_of_the_others() -> None:
    bodies = [version(str(number), created=number) for number in range(1, 6)]
    plan = planned(wanted(), *bodies)
    assert gone(plan) == ["web-1", "web-2"]
    assert {item.why for item in plan.outdated} == {"older than the 3 that are kept in reserve"}
    assert [key.name for key in plan.reserves] == ["web-3", "web-4", "web-5"]


def test_going_back_deletes_what_came_later() -> None:
    bodies = [version(str(number), created=number) for number in range(1, 8)]
    plan = planned(wanted(number="5"), *bodies, number="5")
    assert gone(plan) == ["web-1", "web-6", "web-7"]
    assert {item.key.name: item.why for item in plan.outdated}["web-7"] == "deployed later than web-5"
    same = [version("4", created=9), version("5", created=9)]
    assert gone(planned(wanted(number="5"), *same, number="5")) == [], "of the same second is not later"


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 30) | st.none())
def test_what_goes_and_what_stays(ages: list[int], chosen: int | None) -> None:
    bodies = [version(f"v{index}", created=age) for index, age in enumerate(ages)]
    own = [] if chosen is None else [version("8", created=chosen)]
    plan = planned(wanted(), *own, *bodies)
    assert gone(plan) == gone(planned(wanted(), *reversed(bodies), *own)), "whatever order the server lists them in"
    assert "web-8" not in gone(plan)
    created = {body["metadata"]["name"]: age for body, age in zip(bodies, ages, strict=True)}
    older = {name for name, age in created.items() if chosen is None or age <= chosen}
    kept = set(created) - set(gone(plan))
    assert kept <= older
    assert len(kept) == min(RESERVE, len(older))
    assert all(created[name] >= created[other] for name in kept for other in older - kept)
    assert {key.name for key in plan.reserves} == kept


def test_what_is_not_ours_never_goes() -> None:
    others: list[Json] = []
    for field, change in (
        ("labels", {"name": "other"}),
        ("labels", {"strategy": None}),
        ("annotations", {"kit-deployer/original-name": "other"}),
        ("annotations", {"kit-deployer/freeze": "audit"}),
    ):
        body = version(f"x{len(others)}", created=100)
        body["metadata"][field] |= change
        others.append(body)
    elsewhere = version("x9", created=100)
    elsewhere["metadata"]["namespace"] = "elsewhere"
    assert gone(planned(wanted(), version("8"), *others, elsewhere)) == []
    assert gone(planned(wanted(), version("8"), version("9", created=9), wishes=Wishes(create_only=True))) == []


def test_what_rolling_update_left_goes() -> None:
    (item,) = declared(DEPLOYMENT)
    plan = planned(wanted(), live(item))
    assert [(gone.key.name, gone.why) for gone in plan.outdated] == [("web", "deployed with another strategy")]
    assert plan.reserves == ()


def test_what_a_service_of_another_run_needs_is_kept() -> None:
    other = old_service("7")
    other["metadata"]["name"] = "beside"
    plan = planned(wanted(), version("8"), version("7", created=50), other)
    assert gone(plan) == []
    assert "Service shop/beside" in plan.notes[0]
    assert [key.name for key in plan.reserves] == ["web-7"]


def test_nothing_moves_to_what_is_frozen() -> None:
    text = f"{FROZEN}---\n{SERVICE}---\n{AUTOSCALER}---\n{BUDGET}"
    before = [live(item, writing("7")) for item in wanted(f"{WEB}---\n{AUTOSCALER}---\n{BUDGET}", "7")]
    plan = planned(wanted(text), *before)
    assert not plan.sends
    assert {action.state for action in plan.actions} == {"frozen"}
    assert "Service shop/web is left out of this run (Deployment shop/web-8 is frozen)" in plan.notes


BEFORE, AFTER = "2026-11-23T11:59:00.000Z", "2026-11-23T12:00:00.001Z"


@pytest.mark.parametrize(
    ("seen", "now", "why"),
    [
        (services("7", BEFORE), services("7", BEFORE), ""),
        (services("7", BEFORE), None, ""),
        (services("7", None), services("7", None), ""),
        (services("7", BEFORE), services("9", AFTER), "a newer run changed it at 2026-11-23T12:00:00.001Z"),
        (services("7", BEFORE), services("8", AFTER), "a newer run"),
        (services("7", AFTER), services("7", AFTER), "a newer run"),
        (services("7", "2026-11-23T11:00:00Z"), services("6", BEFORE), ""),
        (services("7", BEFORE), services("6", BEFORE), "somebody changed its selector"),
        (services("7", BEFORE), services("8", BEFORE), ""),
        (services("7", "long ago"), services("7", "long ago"), ""),
        (services("7", BEFORE), services("7", "2026-11-23T13:00:00+02:00"), ""),
    ],
)
def test_who_may_still_switch(seen: Json, now: Json | None, why: str) -> None:
    found = refusal(seen, now, wanted=services("8", None), now=NOW)
    assert found.startswith(why) if why else found == ""


def test_force_disregards_a_clock_that_was_ahead_and_no_newer_run() -> None:
    ahead = services("7", AFTER)
    assert refusal(ahead, copy.deepcopy(ahead), wanted=services("8", None), now=NOW, force=True) == ""
    assert "a newer run" in refusal(services("7", BEFORE), ahead, wanted=services("8", None), now=NOW, force=True)
