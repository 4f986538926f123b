# SPDX-License-Identifier: MIT
"""The original's settings that decide what is sent: RAW, FORCE, CREATE_ONLY, RESOURCE, SELECTOR, DEPLOY_ID, UUID.

And the namespaces that come first.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, deployment, documents, service

OURS = "kit-deployer/"


def labelled(name: str, **labels: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})


def test_labels_and_annotations_as_the_original_wrote_them(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    own = deployment("own", image, replicas=0).replace("labels: {name: own}", "labels: {name: own, resource: mine}", 1)
    shop.write(
        "manifests/shop/all.yaml",
        documents(deployment("web", image, replicas=0), own, service("web"), config_map("settings", a="1")),
    )
    run = shop.deploy(DEPLOY_ID="d-7", UUID="u-7", RESOURCE="web-resource", CI_COMMIT_ID="4f2a91c")
    assert run.code == 0, run.log

    def get(kind: str, name: str) -> Any:
        return cluster.get(kind, name, "--namespace", namespace)

    settings = get("configmap", "settings")["metadata"]
    assert settings["labels"] == {
        "id": "d-7", "strategy": "rolling-update", "resource": "web-resource", "app.kubernetes.io/name": "web-resource",
    }  # fmt: skip
    found = settings["annotations"]
    assert found["deployment.invision/uuid"] == "u-7"
    assert json.loads(found[f"{OURS}commit"]) == "4f2a91c"
    assert found[f"{OURS}original-name"] == "settings"
    assert json.loads(found[f"{OURS}last-applied-configuration"])["data"] == {"a": "1"}
    web, mine = get("deployment", "web"), get("deployment", "own")
    assert web["spec"]["template"]["metadata"]["labels"] == {
        "name": "web", "strategy": "rolling-update", "app.kubernetes.io/name": "web-resource",
    }  # fmt: skip
    assert mine["metadata"]["labels"]["resource"] == "mine", "what the manifest says stays"
    assert get("service", "web")["spec"]["selector"] == {"name": "web", "strategy": "rolling-update"}

    assert shop.deploy().code == 0
    assert get("configmap", "settings")["metadata"]["labels"]["id"] == "d-7", "an unchanged object is left alone"
    assert shop.deploy(FORCE="true").code == 0
    assert get("configmap", "settings")["metadata"]["labels"]["id"] == "unspecified"


def test_raw_deploys_an_ordinary_chart_as_it_is(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    chart = deployment("web", image, replicas=0, spec="selector: {matchLabels: {app: web}}")
    chart = chart.replace("labels: {name: web}", "labels: {app: web}")
    shop.write("manifests/shop/all.yaml", documents(chart, service("web")))
    refused = shop.deploy()
    assert refused.code == 2
    assert "RAW=true" in refused.log
    run = shop.deploy(RAW="true", UUID="u-7", DEPLOY_ID="d-7", RESOURCE="r")
    assert run.code == 0, run.log
    for kind in ("deployment", "service"):
        found = cluster.get(kind, "web", "--namespace", namespace)
        assert found["metadata"].get("labels", {}) == ({"app": "web"} if kind == "deployment" else {})
        assert [name for name in found["metadata"]["annotations"] if OURS in name] == []
        assert found["metadata"]["annotations"]["deployment.invision/uuid"] == "u-7"
    assert found["spec"]["selector"] == {"name": "web"}


def test_force_sends_what_did_not_change_and_create_only_leaves_alone_what_is_there(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="1"))
    assert shop.deploy().code == 0
    assert shop.deploy().did("shop") == {"ConfigMap/settings": "unchanged"}
    assert shop.deploy(FORCE="true").did("shop") == {"ConfigMap/settings": "changed"}

    shop.write("manifests/shop/a.json", config_map("settings", a="2"))
    shop.write("manifests/shop/b.json", config_map("more", a="2"))
    run = shop.deploy(CREATE_ONLY="true")
    assert run.did("shop") == {"ConfigMap/settings": "unchanged", "ConfigMap/more": "created"}
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "1"}
    assert shop.deploy().did("shop") == {"ConfigMap/settings": "changed", "ConfigMap/more": "unchanged"}


def test_a_selector_picks_and_what_it_leaves_out_is_no_leftover(shop: Desk, cluster: Cluster, namespace: str) -> None:
    shop.write(
        "manifests/shop/a.yaml",
        documents(
            labelled("web", tier="front"), labelled("cache", tier="back"), labelled("db", tier="back", own="yes")
        ),
    )
    run = shop.deploy(SELECTOR="tier in (back),own!=yes")
    assert run.did("shop") == {"ConfigMap/cache": "created"}
    run = shop.deploy(SELECTOR="tier=front", KIT_REPORT_DIR=str(shop.root / "reports"))
    assert run.did("shop") == {"ConfigMap/web": "created"}
    assert run.cluster("shop")["leftovers"] == []
    names = {item["metadata"]["name"] for item in cluster.get("configmaps", "--namespace", namespace)["items"]}
    assert {"web", "cache"} <= names
    assert "db" not in names


def test_namespaces_are_created_first_and_those_that_exist_are_left_alone(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    new = f"{namespace}-new"
    shop.write(
        "namespaces/shop/deep/both.yaml",
        documents(*(json.dumps({"apiVersion": "v1", "kind": "Namespace",
                                "metadata": {"name": name, "labels": {"from": "kit"}}}) for name in (namespace, new))),
    )  # fmt: skip
    shop.write("namespaces/else/other.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: not-ours}\n")
    there = json.loads(config_map("settings"))
    there["metadata"]["namespace"] = new
    shop.write("manifests/shop/a.json", json.dumps(there))
    try:
        run = shop.deploy()
        assert run.code == 0, run.log
        assert run.did("shop") == {f"Namespace/{new}": "created", "ConfigMap/settings": "created"}
        assert cluster.get("namespace", new)["metadata"]["labels"]["from"] == "kit"
        assert "from" not in cluster.get("namespace", namespace)["metadata"]["labels"]
        assert "not-ours" not in cluster.kubectl("get", "namespaces", "--output=name").stdout
    finally:
        cluster.delete_namespace(new)


def test_a_namespace_that_is_being_deleted_is_awaited_and_what_holds_it_is_named(
    shop: Desk, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = f"{namespace}-going"
    cluster.kubectl("create", "namespace", going)
    metadata = {"name": "held", "namespace": going, "finalizers": ["kit.example/hold"]}
    held = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    cluster.apply(held)
    cluster.kubectl("delete", "namespace", going, "--wait=false")
    shop.write("namespaces/shop/a.yaml", f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {going}}}\n")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "namespace": going}}
    shop.write("manifests/shop/a.json", json.dumps(body))

    def let_go() -> None:
        patch = '{"metadata":{"finalizers":null}}'
        cluster.kubectl("--namespace", going, "patch", "configmap", "held", "--type=merge", f"--patch={patch}")

    try:
        cluster.container.await_true(
            f"kubectl --kubeconfig=/run/kit/conf/admin.yaml get namespace {going} -o yaml | grep FinalizersRemaining",
            what="the namespace to say what holds it",
            limit=30,
        )
        checked = shop.deploy(DRY_RUN="true")
        assert checked.code == 0, checked.log
        assert f"namespace {going} is being deleted: a run would wait" in checked.log
        assert checked.did("shop")["ConfigMap/held"] == "created", "what is seen there goes with it"

        monkeypatch.setattr("kit_deployer.rollout.namespaces.DELETION_SECONDS", 2.0)
        late = shop.deploy()
        assert late.code == 70, late.log
        assert f"Namespace {going} is being deleted and is still there" in late.log
        assert "kit.example/hold in 1 resource instances" in late.log

        monkeypatch.setattr("kit_deployer.rollout.namespaces.DELETION_SECONDS", 60.0)
        timer = threading.Timer(0.5, let_go)
        timer.start()
        run = shop.deploy()
        timer.join()
        assert run.code == 0, run.log
        assert f"waiting until namespace {going} is gone" in run.log
        assert run.did("shop") == {f"Namespace/{going}": "created", "ConfigMap/held": "created"}
    finally:
        cluster.kubectl("--namespace", going, "patch", "configmap", "held", "--type=merge",
                        '--patch={"metadata":{"finalizers":null}}', check=False)  # fmt: skip
        cluster.delete_namespace(going)
