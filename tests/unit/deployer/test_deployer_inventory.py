# SPDX-License-Identifier: MIT
"""What is remembered on the cluster, and how a swapped cluster is noticed."""

from __future__ import annotations

import pytest

from kit_core.errors import WorkError
from kit_deployer.objects import Key
from kit_deployer.plan.inventory import Inventory, check_identity, from_configmaps, is_part_of, name_of, to_configmaps


def test_the_inventory_comes_back_as_it_was() -> None:
    inventory = Inventory(
        "shop", "uid", "4f2a91c", frozenset({Key("apps", "Deployment", "shop", "web")}), {"shop/migrate-1": "T"}, "T"
    )
    (body,) = to_configmaps(inventory, "shop")
    assert body["metadata"]["name"] == "kit-deployer-shop"
    assert from_configmaps([body]) == [inventory]
    assert inventory.completed(Key("batch", "Job", "shop", "migrate-1"))
    assert not inventory.completed(Key("batch", "Job", "other", "migrate-1"))
    later = inventory.with_jobs([Key("batch", "Job", "shop", "migrate-1"), Key("batch", "Job", "shop", "x")], "U")
    assert later.jobs == {"shop/migrate-1": "T", "shop/x": "U"}


def large(count: int = 20_000) -> Inventory:
    keys = (
        Key("apps", "Deployment", "shop", f"a-deployment-with-some-longer-name-{number}") for number in range(count)
    )
    return Inventory("shop", "uid", "4f2a91c", frozenset(keys), {"shop/migrate-1": "T"}, "T")


def test_a_large_inventory_is_cut_into_what_a_config_map_may_hold() -> None:
    bodies = to_configmaps(large(), "shop")
    assert len(bodies) > 2
    assert bodies[-1]["metadata"]["name"] == "kit-deployer-shop"
    for body in bodies:
        assert sum(map(len, body["data"].values())) < 1024 * 1024
        assert all(key in body["metadata"]["labels"] for key in ("kit-deployer/inventory",)), "one LIST finds them all"
    assert from_configmaps(bodies) == from_configmaps(reversed(bodies)) == [large()]
    assert [is_part_of("shop", body) for body in bodies] == [True] * (len(bodies) - 1) + [False]
    assert not any(is_part_of("other", body) for body in bodies)


def test_a_run_that_is_killed_while_it_writes_leaves_the_inventory_as_it_was() -> None:
    before, after = to_configmaps(large(), "shop"), to_configmaps(large(20_001), "shop")
    assert not {body["metadata"]["name"] for body in before[:-1]} & {body["metadata"]["name"] for body in after[:-1]}
    for written in range(len(after)):
        assert from_configmaps([*before, *after[:written]]) == [large()]
    assert from_configmaps([*before[:-1], *after]) == [large(20_001)]
    with pytest.raises(WorkError, match=r"its part kit-deployer-shop-.* is not there"):
        from_configmaps(before[1:])


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"version": 2}', '{"version": 1}'])
def test_an_inventory_that_cannot_be_read(text: str) -> None:
    (body,) = to_configmaps(Inventory("shop"), "shop")
    body["data"] = {"inventory.json": text}
    with pytest.raises(WorkError, match=r"ConfigMap shop/kit-deployer-shop: The inventory cannot be read"):
        from_configmaps([body])


def test_names_of_inventories_are_names_to_kubernetes_and_differ() -> None:
    names = [name_of(cluster) for cluster in ("a-b", "a_b", "a.b", "A-B", "arn:aws:eks:eu:1:cluster/x", "…")]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and len(name) < 250 and not name.endswith("-") for name in names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


def check(*found: Inventory, identity: str | None = "one", adopt: bool = False) -> Inventory | None:
    return check_identity(found, cluster="shop", identity=identity, namespace="shop", adopt=adopt)


def test_identity() -> None:
    ours, other = Inventory("shop", "one"), Inventory("other", "one")
    assert check() is None
    assert check(ours) == ours
    assert check(other, ours) == ours
    assert check(Inventory("shop", None)) is not None
    assert check(ours, identity=None) == ours
    for found in (Inventory("shop", "two"), other):
        with pytest.raises(WorkError, match="KIT_ADOPT=true"):
            check(found)
        check(found, adopt=True)
