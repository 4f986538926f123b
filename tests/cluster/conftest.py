# SPDX-License-Identifier: MIT
"""Deploying to real clusters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from testbed.cluster import Cluster
from tests.cluster.desk import Desk
from tests.cluster.town import Town
from tests.cluster.watched import ROOT, Account, account


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def shop(desk: Desk, cluster: Cluster, namespace: str) -> Desk:
    """A desk with one target, `shop`, on a fresh namespace of the first cluster."""
    desk.target("shop", cluster.kubeconfig("shop", namespace, inside=False))
    return desk


@pytest.fixture(scope="session")
def image(workload_image: Callable[..., str]) -> str:
    """The workload program, version 1."""
    return workload_image("1")


@pytest.fixture
def tester(cluster: Cluster, namespace: str) -> Iterator[Account]:
    """May do everything, and is watched."""
    yield from account(cluster, namespace, "tester", "cluster-admin")


@pytest.fixture
def reader(cluster: Cluster, namespace: str) -> Iterator[Account]:
    """May do what docs/rbac/reader.yaml gives, without Secrets."""
    (role,) = [body for body in yaml.safe_load_all((ROOT / "docs/rbac/reader.yaml").read_text())
               if body["kind"] == "ClusterRole"]  # fmt: skip
    role["metadata"]["name"] = f"reader-{namespace}"
    for rule in role["rules"]:
        rule["resources"] = [name for name in rule["resources"] if name != "secrets"]
    cluster.apply(json.dumps(role))
    yield from account(cluster, namespace, "reader", role["metadata"]["name"])
    cluster.kubectl("delete", "clusterrole", role["metadata"]["name"])


@pytest.fixture
def town(shop: Desk, cluster: Cluster, namespace: str, image: str) -> Town:
    return Town(shop, cluster, namespace, image)
