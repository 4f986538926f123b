# SPDX-License-Identifier: MIT
"""What a dry run cannot try, since a webhook or the run itself stands in the way: neither passed nor failed."""

from __future__ import annotations

import base64
import json
import time

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, documents, service
from tests.cluster.watched import changed, crd, objects

WEBHOOK = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {name}}}
webhooks:
- name: busy.example.com
  sideEffects: NoneOnDryRun
  admissionReviewVersions: [v1]
  clientConfig: {{url: "https://127.0.0.1:9/"}}
  failurePolicy: Fail
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
  rules: [{{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}}]
"""


def with_side_effects(cluster: Cluster, name: str) -> None:
    """Make a webhook's configuration one as older servers took it and newer ones still obey, but accept no more."""
    body = cluster.get("validatingwebhookconfiguration", name)
    body["webhooks"][0]["sideEffects"] = "Some"
    key, value = (base64.b64encode(text.encode()).decode()
                  for text in (f"/registry/validatingwebhookconfigurations/{name}", json.dumps(body)))  # fmt: skip
    put = json.dumps({"key": key, "value": value})
    cluster.container.execute("curl", "-sSf", "http://127.0.0.1:2379/v3/kv/put", "--data", put)


def test_what_a_webhook_keeps_from_being_tried_is_neither_passed_nor_failed(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    """Drift is told all the same: as far as it can be known without the server."""
    shop.write("manifests/shop/all.yaml", documents(config_map("settings", a="1"), config_map("drifting", a="1")))
    assert shop.deploy().code == 0
    patch = '{"data":{"a":"by hand"}}'
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "drifting", "--type=merge", f"--patch={patch}")
    shop.write("manifests/shop/all.yaml", documents(config_map("settings", a="2"), config_map("drifting", a="1")))
    cluster.apply(WEBHOOK.format(name=namespace))
    try:
        with_side_effects(cluster, namespace)
        end = time.monotonic() + 30
        while (
            "does not support dry run"
            not in cluster.kubectl(
                "--namespace", namespace, "create", "configmap", "probe", "--dry-run=server", check=False
            ).stderr
        ):
            assert time.monotonic() < end, "the webhook is not asked"
            time.sleep(0.1)
        run = shop.deploy(DRY_RUN="true", DIFF="true")
    finally:
        cluster.kubectl("delete", "validatingwebhookconfiguration", namespace)
    assert run.code == 0, run.log
    found = objects(run)
    why = "the admission webhook busy.example.com does not take dry runs"
    assert {name: (item["result"], item["not_checked"]) for name, item in found.items()} == {
        "ConfigMap/settings": ("changed", why),
        "ConfigMap/drifting": ("drifted", why),
    }
    assert changed(found["ConfigMap/settings"]["diff"]) == ["-  a: '1'", "+  a: '2'"]
    assert changed(found["ConfigMap/drifting"]["diff"]) == ["-  a: by hand", "+  a: '1'"]
    assert "not checked by the server" in run.log


def test_what_the_run_itself_makes_room_for_is_no_failure(shop: Desk, cluster: Cluster, namespace: str) -> None:
    """A quota that the run raises, a version that a definition serves only after it."""
    quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: room}}\nspec: {{hard: {{count/services: '{}'}}}}\n"
    group = f"{namespace}.example.com"
    extended = crd(group).replace(
        "  versions:\n",
        "  versions:\n  - name: v2\n    served: true\n    storage: false\n"
        "    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n",
    )
    try:
        shop.write("manifests/shop/all.yaml", documents(quota.format(1), crd(group), service("first")))
        assert shop.deploy().code == 0
        second = f"apiVersion: {group}/v2\nkind: Shop\nmetadata: {{name: first}}\nspec: {{size: 1}}\n"
        shop.write(
            "manifests/shop/all.yaml",
            documents(quota.format(2), extended, service("first"), service("second"), second),
        )
        run = shop.deploy(DRY_RUN="true", DIFF="true")
        assert run.code == 0, run.log
        unchecked = {name: item["not_checked"] for name, item in objects(run).items() if item["not_checked"]}
        assert unchecked == {
            "Service/second": f"ResourceQuota {namespace}/room is changed by the run, and what is there now refuses it",
            "Shop/first": f"its definition Shop.{group} serves its version only after the run",
        }
        shop.write("manifests/shop/all.yaml", documents(quota.format(1), service("first"), service("second")))
        refused = shop.deploy(DRY_RUN="true")
        assert refused.code == 1
        assert "exceeded quota: room" in refused.log
    finally:
        cluster.kubectl("delete", "customresourcedefinition", f"shops.{group}", "--ignore-not-found")
