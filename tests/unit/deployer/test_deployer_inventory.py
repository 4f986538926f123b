# SPDX-License-Identifier: MIT
"""What is remembered on the cluster, and how a swapped cluster is noticed."""

from __future__ import annotations

import pytest

from kit_core.errors import WorkError
from kit_deployer.objects import Key
from kit_deployer.plan.inventory import Inventory, check_identity, from_configmap, name_of, to_configmap


def test_the_inventory_comes_back_as_it_was() -> None:
    inventory = Inventory(
        "shop", "uid", "4f2a91c", frozenset({Key("apps", "Deployment", "shop", "web")}), {"shop/migrate-1": "T"}, "T"
    )
    body = to_configmap(inventory, "shop")
    assert body["metadata"]["name"] == "kit-deployer-shop"
    assert from_configmap(body) == inventory
    assert inventory.completed(Key("batch", "Job", "shop", "migrate-1"))
    assert not inventory.completed(Key("batch", "Job", "other", "migrate-1"))
    later = inventory.with_jobs([Key("batch", "Job", "shop", "migrate-1"), Key("batch", "Job", "shop", "x")], "U")
    assert later.jobs == {"shop/migrate-1": "T", "shop/x": "U"}


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"version": 2}', '{"version": 1}'])
def test_an_inventory_that_cannot_be_read(text: str) -> None:
    body = to_configmap(Inventory("shop"), "shop")
    body["data"] = {"inventory.json": text}
    with pytest.raises(WorkError, match=r"ConfigMap shop/kit-deployer-shop: The inventory cannot be read"):
        from_configmap(body)


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
