# SPDX-License-Identifier: MIT
"""Rule 2: how one side's values are laid over another's."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_deploymentizer.rendering.merge import merge, merge_env

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
keys = st.sampled_from(["a", "b", "c", "env", "name"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
without_nulls = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(keys.filter(lambda key: key != "env"), inner, max_size=4)
    ),
    max_leaves=12,
)
names = st.sampled_from(["A", "B", "C", "D"])
envs = st.lists(names, unique=True).map(lambda found: [{"name": name, "value": name.lower()} for name in found])


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": 1, "b": {"x": 1, "y": 2}}, {"b": {"y": 3, "z": 4}}, {"a": 1, "b": {"x": 1, "y": 3, "z": 4}}),
        ({"a": 1}, {"a": None}, {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"x": None, "y": None}}, {"a": {"x": 1, "y": None}}),
        ({"a": [1, 2, 3]}, {"a": [9]}, {"a": [9, 2, 3]}),
        ({"a": [1]}, {"a": [8, 9]}, {"a": [8, 9]}),
        ({"a": [1, 2]}, {"a": []}, {"a": [1, 2]}),
        ({"a": [1, 2]}, {"a": [None, 3]}, {"a": [1, 3]}),
        ({"a": [{"x": 1}, {"x": 2}]}, {"a": [{"y": 1}]}, {"a": [{"x": 1, "y": 1}, {"x": 2}]}),
        ({"a": [1]}, {"a": "text"}, {"a": "text"}),
        ({"a": {"x": 1}}, {"a": [1]}, {"a": [1]}),
        ({"a": 1}, {"a": {}}, {"a": {}}),
        ({"a": True}, {"a": False}, {"a": False}),
        ({"a": "x"}, {"a": ""}, {"a": ""}),
        ({}, {"a": None}, {"a": None}),
    ],
)
def test_values_are_laid_over_one_another(base: Any, over: Any, merged: Any) -> None:
    assert merge(base, over) == merged


def test_env_merges_by_name_in_the_order_of_the_base_and_key_by_key() -> None:
    base = [{"name": "A", "value": "1"}, {"name": "B", "value": "2", "encoding": "hex"}]
    over = [{"name": "C", "value": "3"}, {"name": "B", "external": True}]
    assert merge({"env": base}, {"env": over}) == {
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "2", "encoding": "hex", "external": True},
            {"name": "C", "value": "3"},
        ]
    }


def test_env_entries_of_one_name_are_used_one_after_the_other() -> None:
    base = [{"name": "A", "value": 1}, {"name": "A", "value": 2}]
    over = [{"name": "A", "value": 3}, {"name": "A", "value": 4}, {"name": "A", "value": 5}]
    assert [entry["value"] for entry in merge_env(base, over)] == [3, 4, 5]


def test_env_entries_without_a_name_are_never_the_same() -> None:
    assert merge_env([{"value": 1}], [{"value": 2}]) == [{"value": 1}, {"value": 2}]


def test_a_list_below_another_key_of_an_env_merges_by_index() -> None:
    base = {"env": {"list": [{"name": "A"}, {"name": "B"}]}}
    assert merge(base, {"env": {"list": [{"name": "B"}]}}) == {"env": {"list": [{"name": "B"}, {"name": "B"}]}}


def test_env_merges_by_name_at_any_depth() -> None:
    base = {"resources": {"app": {"containers": {"con": {"env": [{"name": "A"}, {"name": "B"}]}}}}}
    over = {"resources": {"app": {"containers": {"con": {"env": [{"name": "B", "value": 1}]}}}}}
    merged = merge(base, over)["resources"]["app"]["containers"]["con"]["env"]
    assert merged == [{"name": "A"}, {"name": "B", "value": 1}]


@given(values)
def test_nothing_over_something_is_something(value: Any) -> None:
    assert merge(value, None) == value


@given(values, values)
def test_merging_alters_neither_side(base: Any, over: Any) -> None:
    before = copy.deepcopy((base, over))
    merge(base, over)
    assert (base, over) == before


@given(without_nulls)
def test_something_over_itself_is_itself(value: Any) -> None:
    assert merge(value, value) == value


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_lists_merge_by_index(base: list[int], over: list[int]) -> None:
    merged = merge(base, over)
    assert merged[: len(over)] == over
    assert merged[len(over) :] == base[len(over) :]


@given(envs, envs)
def test_every_env_name_stays_and_the_overriding_value_wins(base: list[Any], over: list[Any]) -> None:
    changed = [{**entry, "value": entry["value"] * 2} for entry in over]
    merged = merge({"env": base}, {"env": changed})["env"]
    order = [entry["name"] for entry in base]
    assert [entry["name"] for entry in merged] == order + [e["name"] for e in over if e["name"] not in order]
    by_name = {entry["name"]: entry["value"] for entry in merged}
    assert by_name == {entry["name"]: entry["value"] for entry in (*base, *changed)}
