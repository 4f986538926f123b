# SPDX-License-Identifier: MIT
"""Who waits for whom: read and checked beforehand, sent in waves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_deployer.desired.annotate import Declared
from kit_deployer.objects import Key
from kit_deployer.plan.dependencies import check_dependencies, find_circle, find_dependents, in_waves
from kit_deployer.plan.plan import Action
from tests.unit.deployer.desk import Desk, refused
from tests.unit.deployer.words import declared, live


def thing(name: str, needs: str | None = None, **labels: str) -> str:
    annotations = {} if needs is None else {"kit-deployer/dependency-selector": needs}
    metadata = {"name": name, "labels": {"app": name, **labels}, "annotations": annotations}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def things(*texts: str) -> list[Declared]:
    return declared("\n---\n".join(texts))


def actions(*texts: str) -> list[Action]:
    return [Action("create", item) for item in things(*texts)]


def waves(found: list[Action]) -> list[list[str]]:
    return [[one.action.key.name for one in wave] for wave in in_waves(find_dependents(found))]


def test_who_waits_for_whom() -> None:
    found = find_dependents(actions(thing("web", "app in (db,cache)"), thing("db"), thing("cache"), thing("other")))
    (web,) = found
    assert web.action.key.name == "web"
    assert {key.name for key in web.needs} == {"db", "cache"}
    assert web.matched
    (alone,) = find_dependents(actions(thing("web", "app=db,tier!=x")))
    assert not alone.matched, "then the cluster is looked at"
    (own,) = find_dependents(actions(thing("web", "app=web")))
    assert not own.matched, "nothing waits for itself"


def test_waves_follow_each_other() -> None:
    assert waves(actions(thing("c", "app=b"), thing("b", "app=a"), thing("a"), thing("d", "app=a"))) == [
        ["b", "d"],
        ["c"],
    ]


def test_what_is_as_it_should_be_waits_for_nobody_and_what_switches_last_is_not_waited_for() -> None:
    web, db = things(thing("web", "app=db"), thing("db"))
    assert find_dependents([Action("keep", web, live(web)), Action("create", db)]) == []
    assert find_dependents([Action("change", web, live(web), waits=True), Action("create", db)]) == []
    (one,) = find_dependents([Action("create", web), Action("change", db, live(db), waits=True)])
    assert (one.matched, one.needs) == (True, frozenset())
    (one,) = find_dependents([Action("create", web), Action("keep", db, state="completed")])
    assert (one.matched, one.needs) == (True, frozenset()), "a completed Job that is gone"


@pytest.mark.parametrize(
    ("texts", "circle"),
    [
        ((thing("a", "app=b"), thing("b", "app=a")), "a waits for ConfigMap shop/b waits for ConfigMap shop/a"),
        (
            (thing("a", "app=b"), thing("b", "app=c"), thing("c", "app in (d,b)"), thing("d")),
            "ConfigMap shop/b waits for ConfigMap shop/c waits for ConfigMap shop/b",
        ),
        ((thing("a", "strategy=rolling-update"), thing("b", "app")), "waits for"),
    ],
)
def test_circles_are_found_beforehand(texts: tuple[str, ...], circle: str) -> None:
    with pytest.raises(InputError) as error:
        check_dependencies(things(*texts))
    assert circle in str(error.value)
    assert error.value.file == "shop/web.yaml"


@pytest.mark.parametrize("wrong", ["a in b", "", "  ", "a=b,", "=x"])
def test_selectors_that_say_nothing(tmp_path: Path, wrong: str) -> None:
    desk = Desk(tmp_path)
    desk.write("manifests/shop/a.yaml", thing("web", wrong))
    refused(desk, "a.yaml:1", "kit-deployer/dependency-selector")


def test_a_circle_ends_the_run_before_any_cluster_is_touched(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write("manifests/shop/a.yaml", thing("a", "app=b") + "\n---\n" + thing("b", "app=a"))
    refused(desk, "Objects wait for each other", "ConfigMap shop/a waits for ConfigMap shop/b")


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"), max_size=3)))
def test_either_a_circle_or_an_order(named: dict[str, set[str]]) -> None:
    def key(name: str) -> Key:
        return Key("", "ConfigMap", "shop", name)

    graph = {key(name): {key(other) for other in others if other != name} for name, others in named.items()}
    circle = find_circle(graph)
    for here, following in zip(circle, [*circle[1:], *circle[:1]], strict=True):
        assert following in graph[here]
    texts = [thing(name, f"app in ({','.join(sorted(others))},nobody)") for name, others in named.items()]
    found = find_dependents(actions(*texts)) if texts else []
    if circle:
        with pytest.raises(ValueError, match="wait for each other"):
            in_waves(found)
        return
    sent: set[Key] = set()
    for wave in in_waves(found):
        for one in wave:
            assert not one.needs - sent
        sent |= {one.action.key for one in wave}
    assert sent == set(graph)
