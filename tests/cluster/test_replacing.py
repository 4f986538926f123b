# SPDX-License-Identifier: MIT
"""What the server does not change in place, who else owns a field, and what is on its way out."""

from __future__ import annotations

import json
import time
from threading import Thread
from typing import Any

import pytest

from kit_deployer.rollout import applying
from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, documents, service

LOCKED = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: locked, annotations: {{{annotations}}}}}
immutable: true
data: {{a: "{value}"}}
"""
REPLACE = 'kit-deployer/replace: "true"'


def stateful(image: str, *, service: str = "db", annotations: str = "", message: str = "1") -> str:
    return f"""\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db, annotations: {{{annotations}}}}}
spec:
  serviceName: {service}
  selector: {{matchLabels: {{name: db}}}}
  template:
    metadata: {{labels: {{name: db}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: '{image}', env: [{{name: MESSAGE, value: '{message}'}}]}}]
"""


def uid(cluster: Cluster, namespace: str, *what: str) -> str:
    found: str = cluster.get(*what, "--namespace", namespace)["metadata"]["uid"]
    return found


def test_an_immutable_field_is_named_and_replaced_only_where_the_manifest_says_so(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    shop.write("manifests/shop/a.yaml", LOCKED.format(annotations="", value=1))
    assert shop.deploy().code == 0
    before = uid(cluster, namespace, "configmap", "locked")
    shop.write("manifests/shop/a.yaml", LOCKED.format(annotations="", value=2))
    for word in ("true", "false"):
        refused = shop.deploy(DRY_RUN=word)
        assert refused.code == 1
        assert "data cannot be changed in place" in refused.log
        assert 'the annotation kit-deployer/replace: "true"' in refused.log
    assert uid(cluster, namespace, "configmap", "locked") == before

    shop.write("manifests/shop/a.yaml", LOCKED.format(annotations=REPLACE, value=2))
    told = shop.deploy(DRY_RUN="true")
    assert told.code == 0, told.log
    assert "deleted and created anew: data cannot be changed in place" in told.log
    assert uid(cluster, namespace, "configmap", "locked") == before
    run = shop.deploy()
    assert run.code == 0, run.log
    assert run.did("shop") == {"ConfigMap/locked": "changed"}
    assert uid(cluster, namespace, "configmap", "locked") != before
    assert cluster.get("configmap", "locked", "--namespace", namespace)["data"] == {"a": "2"}
    assert shop.deploy().did("shop") == {"ConfigMap/locked": "unchanged"}

    # What no server would take is no reason to delete what runs.
    wrong = LOCKED.format(annotations=REPLACE, value=3).replace('{a: "3"}', '{"no key!": "3"}')
    shop.write("manifests/shop/a.yaml", wrong)
    assert shop.deploy().code == 1
    assert cluster.get("configmap", "locked", "--namespace", namespace)["data"] == {"a": "2"}


def test_a_stateful_set_is_replaced_under_its_pods(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    shop.write("manifests/shop/db.yaml", stateful(image))
    assert shop.deploy().code == 0
    pod, old = uid(cluster, namespace, "pod", "db-0"), uid(cluster, namespace, "statefulset", "db")
    shop.write("manifests/shop/db.yaml", stateful(image, service="other"))
    refused = shop.deploy()
    assert refused.code == 1
    assert "spec.serviceName cannot be changed in place" in refused.log
    shop.write("manifests/shop/db.yaml", stateful(image, service="other", annotations=REPLACE))
    run = shop.deploy()
    assert run.code == 0, run.log
    assert uid(cluster, namespace, "statefulset", "db") != old
    assert uid(cluster, namespace, "pod", "db-0") == pod, "its pods go on under the new one"


def test_what_holds_data_or_an_address_is_not_replaced_for_a_mere_true(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    claim = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, annotations: {kit-deployer/replace: "true"}}
spec: {accessModes: [MODE], storageClassName: none, resources: {requests: {storage: 1Mi}}}
"""
    front = service("front").replace("name: front}", f"name: front, annotations: {{{REPLACE}}}}}", 1)
    front = front.replace("spec: {", "spec: {type: LoadBalancer, loadBalancerClass: example.com/ONE, ")
    shop.write(
        "manifests/shop/all.yaml", documents(claim.replace("MODE", "ReadWriteOnce"), front.replace("ONE", "one"))
    )
    assert shop.deploy(AVAILABLE_ENABLED="false").code == 0
    before = [uid(cluster, namespace, *what) for what in (("pvc", "data"), ("service", "front"))]
    shop.write("manifests/shop/all.yaml", claim.replace("MODE", "ReadWriteMany"))
    never = shop.deploy(AVAILABLE_ENABLED="false")
    assert never.code == 1
    assert "A PersistentVolumeClaim is never replaced, since its data would be deleted" in never.log
    shop.write("manifests/shop/all.yaml", front.replace("ONE", "two"))
    address = shop.deploy(AVAILABLE_ENABLED="false")
    assert address.code == 1
    assert 'the annotation kit-deployer/replace: "load-balancer": it gets another address then' in address.log
    assert [uid(cluster, namespace, *what) for what in (("pvc", "data"), ("service", "front"))] == before

    shop.write("manifests/shop/all.yaml", front.replace("ONE", "two").replace('"true"', '"load-balancer"'))
    assert shop.deploy(AVAILABLE_ENABLED="false").code == 0
    assert uid(cluster, namespace, "service", "front") != before[1]


def test_a_run_killed_between_deleting_and_creating_is_mended_by_the_next(
    shop: Desk, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("manifests/shop/a.yaml", LOCKED.format(annotations=REPLACE, value=1))
    assert shop.deploy().code == 0
    shop.write("manifests/shop/a.yaml", LOCKED.format(annotations=REPLACE, value=2))

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(applying, "wait_until_gone", killed)
        shop.deploy()
    assert cluster.kubectl("--namespace", namespace, "get", "configmap", "locked", check=False).returncode != 0
    run = shop.deploy()
    assert run.code == 0, run.log
    assert run.did("shop") == {"ConfigMap/locked": "created"}
    assert cluster.get("configmap", "locked", "--namespace", namespace)["data"] == {"a": "2"}


def test_what_is_being_deleted_is_awaited_and_what_holds_it_is_named(
    shop: Desk, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Applied to as it is, it would be gone a moment later."""
    shop.write("manifests/shop/a.yaml", config_map("held", a="1"))
    assert shop.deploy().code == 0
    before = uid(cluster, namespace, "configmap", "held")
    hold = json.dumps({"metadata": {"finalizers": ["example.com/hold"]}})
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "held", "--type=merge", f"--patch={hold}")
    cluster.kubectl("--namespace", namespace, "delete", "configmap", "held", "--wait=false")
    with monkeypatch.context() as patch:
        patch.setattr(applying, "DELETION_SECONDS", 1.0)
        late = shop.deploy()
    assert late.code == 70, late.log
    assert "ConfigMap held was deleted and is still there" in late.log
    assert "its finalizers are: example.com/hold" in late.log

    def release() -> None:
        time.sleep(1)
        free = json.dumps({"metadata": {"finalizers": None}})
        cluster.kubectl("--namespace", namespace, "patch", "configmap", "held", "--type=merge", f"--patch={free}")

    thread = Thread(target=release)
    thread.start()
    run = shop.deploy()
    thread.join()
    assert run.code == 0, run.log
    assert uid(cluster, namespace, "configmap", "held") != before


def test_conflicts_name_manager_and_field_where_that_is_wanted(shop: Desk, cluster: Cluster, namespace: str) -> None:
    theirs = config_map("settings", a="theirs", other="theirs")
    cluster.kubectl(
        "--namespace", namespace, "apply", "--server-side", "--field-manager=flux", "--filename=-", stdin=theirs
    )
    shop.write("manifests/shop/a.json", config_map("settings", a="ours"))
    for word in ("true", "false"):
        refused = shop.deploy(DRY_RUN=word, KIT_CONFLICTS="fail")
        assert refused.code == 1
        assert "KIT_CONFLICTS=fail, and data.a is flux's" in refused.log
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"]["a"] == "theirs"
    run = shop.deploy()
    assert run.code == 0, run.log
    found = cluster.get("configmap", "settings", "--namespace", namespace)["data"]
    assert found == {"a": "ours", "other": "theirs"}, "forced for what is declared, and for nothing else"

    # What is taken over is no conflict, neither in a dry run nor in the run.
    cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=config_map("by-kubectl", a="1", gone="2"))
    shop.write("manifests/shop/b.json", config_map("by-kubectl", a="2"))
    for word in ("true", "false"):
        taken = shop.deploy(DRY_RUN=word, KIT_CONFLICTS="fail")
        assert taken.code == 0, taken.log
    assert cluster.get("configmap", "by-kubectl", "--namespace", namespace)["data"] == {"a": "2"}
