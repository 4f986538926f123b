# SPDX-License-Identifier: MIT
"""Jobs run once per content; the inventory remembers what was put where, and which cluster it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kit_deployer.plan.inventory import Inventory, to_configmaps
from kit_deployer.rollout import rollout
from kit_deployer.server.cluster import Cluster as Api
from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, deployment, documents, job


def jobs(cluster: Cluster, namespace: str) -> dict[str, str]:
    items = cluster.get("jobs", "--namespace", namespace)["items"]
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in items}


def test_a_completed_job_is_not_run_again_until_its_content_changes(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write("manifests/shop/job.yaml", job("migrate", image))
    assert shop.deploy(CI_COMMIT_ID="a1").code == 0
    first = jobs(cluster, namespace)
    (name,) = first
    assert name.startswith("migrate-")

    again = shop.deploy(CI_COMMIT_ID="b2")
    assert again.did("shop") == {f"Job/{name}": "unchanged"}
    assert jobs(cluster, namespace) == first

    # A TTL has removed it: the inventory remembers.
    cluster.kubectl("--namespace", namespace, "delete", "job", name)
    remembered = shop.deploy()
    assert remembered.code == 0, remembered.log
    assert remembered.did("shop") == {f"Job/{name}": "unchanged"}
    assert jobs(cluster, namespace) == {}

    assert shop.deploy(FORCE="true").did("shop") == {f"Job/{name}": "created"}
    forced = jobs(cluster, namespace)
    shop.write("manifests/shop/job.yaml", job("migrate", image, STEP="2"))
    other = shop.deploy()
    assert other.code == 0, other.log
    assert len(jobs(cluster, namespace)) == 2
    assert other.cluster("shop")["leftovers"] == []
    assert forced.items() < jobs(cluster, namespace).items()


def test_a_failed_job_is_run_anew_and_always_means_always(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write("manifests/shop/job.yaml", job("migrate", image, code=3))
    failed = shop.deploy()
    assert failed.code == 1
    assert "exit code 3" in failed.log
    before = jobs(cluster, namespace)
    assert shop.deploy().code == 1
    after = jobs(cluster, namespace)
    assert set(before) == set(after)
    assert list(before.values()) != list(after.values())

    shop.write("manifests/shop/job.yaml", job("smoke", image, annotations="{kit-deployer/run: always}"))
    assert shop.deploy().code == 0
    first = {name: uid for name, uid in jobs(cluster, namespace).items() if name.startswith("smoke")}
    assert shop.deploy().code == 0
    second = {name: uid for name, uid in jobs(cluster, namespace).items() if name.startswith("smoke")}
    assert set(first) == set(second)
    assert list(first.values()) != list(second.values())


def test_what_the_folder_no_longer_holds_is_a_leftover_after_every_run(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    shop.write("manifests/shop/a.json", config_map("stays"))
    shop.write("manifests/shop/b.json", config_map("goes"))
    shop.write("manifests/shop/c.json", config_map("picked").replace('"name"', '"labels": {"pick": "me"}, "name"'))
    assert shop.deploy().cluster("shop")["leftovers"] == []
    shop.remove("manifests/shop/b.json")
    for settings in ({}, {}, {"SELECTOR": "pick=me"}, {"DRY_RUN": "true"}):
        run = shop.deploy(**settings)
        assert run.code == 0
        assert [key["name"] for key in run.cluster("shop")["leftovers"]] == ["goes"]
        assert f"leftovers, no longer in the folder: ConfigMap {namespace}/goes" in run.log
    cluster.kubectl("--namespace", namespace, "delete", "configmap", "goes")
    assert shop.deploy().cluster("shop")["leftovers"] == []
    assert shop.deploy().did("shop") == {"ConfigMap/picked": "unchanged", "ConfigMap/stays": "unchanged"}


def test_a_render_of_a_part_takes_nothing_for_a_leftover_and_forgets_nothing(shop: Desk) -> None:
    shop.write("manifests/shop/a.json", config_map("stays"))
    shop.write("manifests/shop/b.json", config_map("left-out"))
    assert shop.deploy().code == 0
    shop.remove("manifests/shop/b.json")
    shop.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": False, "left_out": ["b"]}))
    run = shop.deploy()
    assert run.code == 0
    assert run.cluster("shop")["leftovers"] == []
    shop.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": True}))
    assert [key["name"] for key in shop.deploy().cluster("shop")["leftovers"]] == ["left-out"]


def test_a_kubeconfig_that_leads_elsewhere_is_refused_until_adopted(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="1"))
    assert shop.deploy().code == 0
    stored = cluster.get("configmap", "kit-deployer-shop", "--namespace", namespace)
    content = json.loads(stored["data"]["inventory.json"])
    content["identity"] = "another"
    patch = json.dumps({"data": {"inventory.json": json.dumps(content)}})
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "kit-deployer-shop", "--patch", patch)
    shop.write("manifests/shop/a.json", config_map("settings", a="2"))
    refused = shop.deploy()
    assert refused.code == 1
    assert "leads to another cluster than before" in refused.log
    assert "KIT_ADOPT=true" in refused.log
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "1"}
    assert shop.deploy(KIT_ADOPT="true").code == 0
    assert shop.deploy().code == 0


def test_another_folder_on_the_same_namespace_is_refused(shop: Desk, cluster: Cluster, namespace: str) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="1"))
    assert shop.deploy().code == 0
    (shop.root / "configs/shop/kubeconfig").unlink()
    shop.target("other", cluster.kubeconfig("other", namespace, inside=False))
    shop.write("manifests/other/a.json", config_map("settings", a="2"))
    refused = shop.deploy()
    assert refused.code == 1
    assert "belongs to the folder shop" in refused.log
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "1"}


def test_running_a_failed_deploy_again_never_turns_it_green(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image, CRASH="no database")))
    assert shop.deploy(AVAILABLE_TIMEOUT="4").code in {1, 70}
    again = shop.deploy(AVAILABLE_TIMEOUT="4")
    assert again.did("shop") == {"Deployment/web": "unchanged"}
    assert again.code in {1, 70}


def inventories(cluster: Cluster, namespace: str) -> dict[str, int]:
    """The ConfigMaps of the inventory, and how large each is."""
    items = cluster.get("configmaps", "--namespace", namespace, "--selector=kit-deployer/inventory")["items"]
    return {item["metadata"]["name"]: sum(map(len, item["data"].values())) for item in items}


def test_an_inventory_larger_than_a_config_map_may_be(shop: Desk, cluster: Cluster, namespace: str) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="1"))
    assert shop.deploy().code == 0
    assert len(inventories(cluster, namespace)) == 1
    stored = json.loads(
        cluster.get("configmap", "kit-deployer-shop", "--namespace", namespace)["data"]["inventory.json"]
    )
    completed = {f"{namespace}/a-job-that-completed-long-ago-{number}": "T" for number in range(30_000)}
    large = Inventory("shop", stored["identity"], jobs=completed)
    for body in to_configmaps(large, namespace):
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(body))
    shop.write("manifests/shop/a.json", config_map("settings", a="2"))
    run = shop.deploy(CI_COMMIT_ID="4f2a91c")
    assert run.code == 0, run.log
    found = inventories(cluster, namespace)
    assert len(found) > 2
    assert sum(found.values()) > 1024 * 1024
    head = cluster.get("configmap", "kit-deployer-shop", "--namespace", namespace)["data"]["inventory.json"]
    assert json.loads(head)["commit"] == "4f2a91c"
    assert sorted([*json.loads(head)["parts"], "kit-deployer-shop"]) == sorted(found), "parts of before are gone"
    assert shop.deploy(CI_COMMIT_ID="4f2a91c").did("shop") == {"ConfigMap/settings": "unchanged"}
    assert inventories(cluster, namespace) == found


def test_a_run_killed_at_any_write_and_run_again_ends_as_one_that_was_not(
    shop: Desk, cluster: Cluster, namespace: str, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("manifests/shop/a.yaml", documents(config_map("settings", a="1"), config_map("more", a="1")))
    shop.write("manifests/shop/b.yaml", documents(job("migrate", image), deployment("web", image)))
    apply = Api.apply
    done: list[str] = []

    def killed(api: Api, resource: Any, body: Any, **how: Any) -> Any:
        done.append(body["metadata"]["name"])
        if len(done) >= left:
            raise SystemExit(137)
        return apply(api, resource, body, **how)

    for left in range(1, 5):
        done.clear()
        with monkeypatch.context() as patch:
            patch.setattr(Api, "apply", killed)
            shop.deploy(AVAILABLE_ENABLED="false")
        assert done[0] == "kit-deployer-shop" or left > 2, "the inventory comes first"
    run = shop.deploy()
    assert run.code == 0, run.log
    names = {item["metadata"]["name"] for item in cluster.get("configmaps", "--namespace", namespace)["items"]}
    assert names == {"settings", "more", "kit-deployer-shop", "kube-root-ca.crt"}
    assert len(jobs(cluster, namespace)) == 1
    assert run.cluster("shop")["leftovers"] == []
    stored = cluster.get("configmap", "kit-deployer-shop", "--namespace", namespace)["data"]["inventory.json"]
    assert sorted(key[1] for key in json.loads(stored)["objects"]) == ["ConfigMap", "ConfigMap", "Deployment", "Job"]
    assert set(shop.deploy().did("shop").values()) == {"unchanged"}


def test_a_job_that_its_ttl_removes_at_once_has_completed(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write("manifests/shop/job.yaml", job("migrate", image, spec="ttlSecondsAfterFinished: 0"))
    first = shop.deploy()
    assert first.code == 0, first.log
    again = shop.deploy()
    assert again.code == 0, again.log
    assert set(again.did("shop").values()) == {"unchanged"}, "it ran, and its TTL has removed it"


def test_a_definition_that_is_not_established_ends_the_wait_in_time(
    shop: Desk, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two definitions want the same names; the server accepts the second one and never serves it."""
    group = f"{namespace}.example.com"
    text = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.GROUP}
spec:
  group: GROUP
  names: {kind: Widget, plural: PLURAL, singular: SINGULAR}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
""".replace("GROUP", group)
    first = text.replace("PLURAL", "widgets").replace("SINGULAR", "widget")
    second = text.replace("PLURAL", "gadgets").replace("SINGULAR", "gadget")
    monkeypatch.setattr(rollout, "DEFINITION_SECONDS", 3.0)
    try:
        cluster.apply(first)
        cluster.kubectl("wait", "--for=condition=Established", f"crd/widgets.{group}", "--timeout=30s")
        shop.write("manifests/shop/a.yaml", documents(second, config_map("after")))
        run = shop.deploy(AVAILABLE_ENABLED="false")
        assert run.code in {1, 70}, run.log
        assert f"CustomResourceDefinition gadgets.{group}" in run.log
        assert run.did("shop")["ConfigMap/after"] == "not done"
    finally:
        for plural in ("widgets", "gadgets"):
            cluster.kubectl("delete", "crd", f"{plural}.{group}", "--ignore-not-found", "--wait=false")


def test_a_folder_that_brings_its_own_namespace(shop: Desk, cluster: Cluster, namespace: str) -> None:
    """The inventory lives there, so the namespace has to come even before it."""
    name = f"{namespace}-own"
    shop.target("shop", cluster.kubeconfig("shop", name, inside=False))
    text = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}"
    shop.write("manifests/shop/a.yaml", documents(text, config_map("settings")))
    try:
        run = shop.deploy()
        assert run.code == 0, run.log
        assert set(run.did("shop").values()) == {"created"}
        assert set(shop.deploy().did("shop").values()) == {"unchanged"}
    finally:
        cluster.delete_namespace(name)
