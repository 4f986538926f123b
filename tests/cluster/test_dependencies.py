# SPDX-License-Identifier: MIT
"""`kit-deployer/dependency-selector` on a real node: what is named by labels is there and healthy first."""

from __future__ import annotations

import json
import time
from threading import Thread

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, deployment, documents, job

PROBE = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"


def waiting(name: str, needs: str) -> str:
    """A ConfigMap that waits for others."""
    body = json.loads(config_map(name))
    body["metadata"]["annotations"] = {"kit-deployer/dependency-selector": needs}
    return json.dumps(body)


def test_an_object_is_applied_when_what_it_names_is_available(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    web = deployment("web", image).replace(
        "metadata: {name: web,",
        "metadata: {name: web, annotations: {kit-deployer/dependency-selector: 'tier=back'},",
        1,
    )
    database = deployment("db", image, container=PROBE, SLOW_START="2").replace(
        "labels: {name: db}}", "labels: {name: db, tier: back}}", 1
    )
    migration = job("migrate", image, RUN_FOR="2").replace("{name: migrate,", "{name: migrate, labels: {tier: back},")
    shop.write("manifests/shop/all.yaml", documents(web, database, migration, waiting("last", "name in (web)")))
    assert "waits for what matches tier=back" in shop.deploy(DRY_RUN="true").log
    run = shop.deploy(AVAILABLE_ENABLED="false")
    assert run.code == 0, run.log
    assert set(run.did("shop").values()) == {"created"}
    lines = [line.split("] ")[-1] for line in run.log.splitlines()]
    order = [
        next(index for index, line in enumerate(lines) if line.startswith(begin))
        for begin in (
            f"created Deployment {namespace}/db",
            f"Deployment {namespace}/web waits for what matches tier=back",
            f"Deployment {namespace}/db: ",
            f"created Deployment {namespace}/web",
            f"created ConfigMap {namespace}/last",
        )
    ]
    assert order == sorted(order)
    (done,) = cluster.get("jobs", "--namespace", namespace)["items"]
    web_created = cluster.get("deployment", "web", "--namespace", namespace)["metadata"]["creationTimestamp"]
    assert web_created >= done["status"]["completionTime"]

    again = shop.deploy(AVAILABLE_ENABLED="false")
    assert set(again.did("shop").values()) == {"unchanged"}
    assert "waits for" not in again.log


def test_what_the_run_does_not_hold_is_awaited_on_the_cluster(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write("manifests/shop/a.yaml", documents(waiting("a", "name=other"), config_map("first")))
    missing = shop.deploy(DEPENDENCY_TIMEOUT="1")
    assert missing.code == 70, missing.log
    assert f"ConfigMap {namespace}/a waits for something that is not there" in missing.log
    assert missing.did("shop") == {"ConfigMap/first": "created", "ConfigMap/a": "failed"}

    def somebody() -> None:
        time.sleep(1)
        other = deployment("other", image, container=PROBE, spec="selector: {matchLabels: {name: other}}")
        cluster.apply(other, namespace)

    thread = Thread(target=somebody)
    thread.start()
    run = shop.deploy(DEPENDENCY_TIMEOUT="60", DEPENDENCY_WAIT="0.5")
    thread.join()
    assert run.code == 0, run.log
    assert run.did("shop")["ConfigMap/a"] == "created"


def test_nothing_follows_what_does_not_become_available(shop: Desk, image: str) -> None:
    broken = deployment("db", image, container=PROBE, NOT_READY="true")
    shop.write("manifests/shop/a.yaml", documents(broken, waiting("a", "name=db")))
    run = shop.deploy(AVAILABLE_ENABLED="false", DEPENDENCY_TIMEOUT="3")
    assert run.code == 70, run.log
    assert run.did("shop") == {"Deployment/db": "created", "ConfigMap/a": "not done"}
