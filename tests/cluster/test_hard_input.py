# SPDX-License-Identifier: MIT
"""What folders can hold and a real server reads in its own way: characters, types, names that are not there."""

from __future__ import annotations

import base64
import json

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, deployment


def test_a_kubeconfig_that_leads_to_a_missing_namespace_says_how_to_make_it(
    desk: Desk, cluster: Cluster, namespace: str
) -> None:
    """The first thing that goes there is the inventory, of which nobody has heard."""
    desk.target("shop", cluster.kubeconfig("shop", f"{namespace}-no", inside=False))
    desk.write("manifests/shop/a.json", config_map("a"))
    run = desk.deploy()
    assert run.code == 1
    assert f"Namespace {namespace}-no, where the kubeconfig leads, does not exist" in run.log
    assert "Put a manifest of it into this cluster's folder below NAMESPACES_DIR" in run.log


def test_every_character_arrives_as_it_is_written(shop: Desk, cluster: Cluster, namespace: str) -> None:
    """Servers read what is applied as YAML, which has other escapes than JSON has."""
    text = "\u00e9 \u2028 \x85 \ufeff \U0001f600 \\ud83d\\ude00 \x7f \t"
    shop.write("manifests/shop/a.json", config_map("a", words=text))
    assert shop.deploy().code == 0
    assert cluster.get("configmap", "a", "--namespace", namespace)["data"] == {"words": text}
    assert shop.deploy().did("shop")["ConfigMap/a"] == "unchanged"


def test_a_secret_that_somebody_changed_is_put_right_and_told_as_what_it_may_be(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    """Nothing of a Secret is kept on it, so that a changed manifest and a changed object look the same."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"key": "written-canary"}}
    shop.write("manifests/shop/a.json", json.dumps(secret))
    assert shop.deploy().did("shop")["Secret/a"] == "created"
    assert shop.deploy().did("shop")["Secret/a"] == "unchanged", "stringData is compared as data"
    patch = '{"stringData": {"key": "by-hand-canary"}}'
    cluster.kubectl("--namespace", namespace, "patch", "secret", "a", "--patch", patch)
    run = shop.deploy()
    assert "changed Secret" in run.log
    assert "(the manifest changed, or somebody changed data.key)" in run.log
    assert "canary" not in run.log
    data = cluster.get("secret", "a", "--namespace", namespace)["data"]
    assert base64.b64decode(data["key"]) == b"written-canary"


def test_a_wrong_type_is_refused_at_once_and_is_the_manifests(shop: Desk) -> None:
    """The server calls it an inner error; who tries that again waits for nothing."""
    shop.write("manifests/shop/a.yaml", deployment("web", "x").replace("replicas: 1", "replicas: many"))
    run = shop.deploy()
    assert run.code == 1
    assert ".spec.replicas: expected numeric" in run.log
    assert "Correct the manifest" in run.log
    assert "trying again" not in run.log
