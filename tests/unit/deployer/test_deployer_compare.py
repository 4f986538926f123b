# SPDX-License-Identifier: MIT
"""Live against declared: changed, same, or something to ask the server about."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from kit_deployer.desired.annotate import Writing
from kit_deployer.objects import Json
from kit_deployer.plan.compare import compare, differences, quantity, result_differences, show_path
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE, WRITING, declared, disown, live


@pytest.mark.parametrize("text", [CONFIG_MAP, DEPLOYMENT, SERVICE, SECRET])
def test_what_we_applied_is_the_same(text: str) -> None:
    (item,) = declared(text)
    assert compare(item, live(item), WRITING).verdict == "same"


def test_neither_commit_nor_time_nor_id_is_a_change() -> None:
    (item,) = declared(DEPLOYMENT)
    found = live(item)
    later = Writing(commit="other", deploy_id="9", uuid="u", now="later")
    (again,) = declared(DEPLOYMENT, later)
    assert compare(again, found, later).verdict == "same"


def test_annotations_of_a_deploy_that_were_copied_into_a_manifest_are_no_drift() -> None:
    (item,) = declared(
        CONFIG_MAP.replace("settings}", "settings, annotations: {kit-deployer/last-updated: old, a: b}}")
    )
    assert compare(item, live(item), WRITING).verdict == "same"
    found = live(item)
    found["metadata"]["annotations"]["a"] = "c"
    disown(found, "f:metadata", "f:annotations", "f:a")
    assert compare(item, found, WRITING).paths == ("metadata.annotations.a",)


def test_a_changed_manifest_is_a_change_and_its_order_of_keys_is_none() -> None:
    found = live(declared(CONFIG_MAP)[0])
    assert compare(declared(CONFIG_MAP.replace("red", "blue"))[0], found, WRITING).verdict == "changed"
    swapped = "kind: ConfigMap\napiVersion: v1\ndata: {colour: red}\nmetadata: {name: settings}\n"
    assert compare(declared(swapped)[0], found, WRITING).verdict == "same"


def test_a_removed_key_is_a_change() -> None:
    found = live(declared(CONFIG_MAP.replace("red", "red, size: big"))[0])
    assert compare(declared(CONFIG_MAP)[0], found, WRITING).verdict == "changed"


def test_another_resource_label_is_a_change_of_ours() -> None:
    found = live(declared(CONFIG_MAP)[0])
    writing = Writing(resource="web")
    comparison = compare(declared(CONFIG_MAP, writing)[0], found, writing)
    assert comparison.verdict == "changed"
    assert "metadata.labels.resource" in comparison.paths


def test_what_others_applied_is_ours_to_apply() -> None:
    (item,) = declared(CONFIG_MAP)
    found = live(item)
    found["metadata"]["managedFields"][0]["manager"] = "argocd"
    assert compare(item, found, WRITING).verdict == "changed"


def test_a_live_value_that_differs_is_a_suspect() -> None:
    (item,) = declared(CONFIG_MAP)
    found = disown(live(item), "f:data", "f:colour")
    found["data"]["colour"] = "blue"
    comparison = compare(item, found, WRITING)
    assert (comparison.verdict, comparison.paths) == ("suspect", ("data.colour",))


def test_a_live_value_that_is_still_ours_is_what_a_webhook_made_of_it() -> None:
    """The server takes a field from us when anybody else changes it. So nothing needs to be asked, run after run."""
    (item,) = declared(DEPLOYMENT)
    found = live(item)
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "mirror.example.com/shop/web:1"
    container["args"] = ["added"]
    assert compare(item, found, WRITING).verdict == "same"
    key = 'k:{"name": "main"}'
    disown(found, "f:spec", "f:template", "f:spec", "f:containers", key, "f:image")
    assert compare(item, found, WRITING).paths == ("spec.template.spec.containers[0].image",)


def test_only_the_servers_own_schema_makes_a_list_one_without_order() -> None:
    """A custom resource's `ports` may be an order of preference; a Service's are not."""
    widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {ports: [{port: 1}, {port: 2}]}"
    (item,) = declared(widget)
    found = live(item)
    found["spec"]["ports"].reverse()
    merged = found["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:ports"]
    assert list(differences(item.body, found, fields={"f:spec": {"f:ports": merged}})) == []
    whole = differences(item.body, found, fields={"f:spec": {"f:ports": {}}})
    assert [show_path(path) for path in whole] == ["spec.ports[0].port", "spec.ports[1].port"]
    as_set: Json = {"f:finalizers": {'v:"a"': {}, 'v:"b"': {}}}
    assert list(differences({"finalizers": ["a", "b"]}, {"finalizers": ["c", "b", "a"]}, fields=as_set)) == []
    assert list(differences({"finalizers": ["a", "b"]}, {"finalizers": ["b"]}, fields=as_set)) == [("finalizers", 0)]
    assert list(differences({"args": ["a", "b"]}, {"args": ["b", "a"]}, fields={"f:args": {}})) != []


def test_secrets_are_compared_by_content_and_by_what_we_own() -> None:
    (item,) = declared(SECRET)
    found = live(item)
    found["metadata"]["managedFields"][0]["fieldsV1"] = {"f:data": {"f:password": {}}}
    assert compare(item, found, WRITING).verdict == "same"
    changed = compare(declared(SECRET.replace("hunter2", "other"))[0], found, WRITING)
    assert (changed.verdict, changed.paths) == ("suspect", ("data.password",)), "the server settles that"
    found["data"]["old"] = "eA=="
    assert compare(item, found, WRITING).verdict == "same", "somebody else's key"
    found["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]["f:old"] = {}
    assert compare(item, found, WRITING).paths == ("data.old",)


@pytest.mark.parametrize(
    ("wanted", "found", "paths"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": None}, {}, []),
        ({"a": {}, "b": [], "c": "", "d": False, "e": {"f": None}}, {}, []),
        ({"a": {"b": 1}}, {}, ["a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a[0]", "a[1]"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}, []),
        ({"limits": {"memory": "0.5Gi"}}, {"limits": {"memory": "512Mi"}}, []),
        ({"limits": {"cpu": 1}}, {"limits": {"cpu": "1"}}, []),
        ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1"}}, ["limits.cpu"]),
        ({"name": "1000m"}, {"name": "1"}, ["name"]),
        (
            {"containers": [{"name": "a", "image": "x"}]},
            {"containers": [{"name": "sidecar"}, {"name": "a", "image": "x"}]},
            [],
        ),
        ({"containers": [{"name": "a"}]}, {"containers": [{"name": "b"}]}, ["containers[0]"]),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 3}]}, []),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "UDP"}]}, ["ports[0]"]),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "a"}, {"key": "b"}]}, ["tolerations"]),
    ],
)
def test_differences(wanted: Json, found: Json, paths: list[str]) -> None:
    assert [show_path(path) for path in differences(wanted, found)] == paths


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", 1), (2, 2), ("500m", "0.5"), ("1Ki", 1024), ("1k", 1000), ("1e3", 1000), ("1.5Gi", 1536 * 2**20),
     ("abc", None), ("", None), (True, None), ("1x", None), ("1..2", None), ([], None)],
)  # fmt: skip
def test_quantities(text: Any, amount: Any) -> None:
    assert quantity(text) == (None if amount is None else Decimal(amount))


def test_drift_is_told_from_the_servers_own_spelling() -> None:
    (item,) = declared(CONFIG_MAP)
    before = live(item)
    after = copy.deepcopy(before)
    after["metadata"] |= {"resourceVersion": "8", "generation": 3, "managedFields": []}
    after["metadata"]["annotations"]["kit-deployer/last-updated"] = "later"
    after["metadata"]["labels"]["id"] = "9"
    after["status"] = {"x": 1}
    assert result_differences(before, after) == ()
    after["data"]["colour"] = "blue"
    del before["data"]["colour"]
    assert result_differences(before, after) == ("data.colour",)
    before["data"]["size"] = "big"
    assert result_differences(before, after) == ("data.colour", "data.size")
