# SPDX-License-Identifier: MIT
"""What a deploy does to a real cluster: order, nothing changed nothing sent, takeover, drift, definitions, refusals."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, autoscaler, config_map, deployment, documents, service


def answers(cluster: Cluster, namespace: str, *, version: str) -> None:
    """Until the Service answers with the version: a node's proxy learns of it a moment after the controllers."""
    end = time.monotonic() + 10
    while (said := json.loads(cluster.fetch("web", namespace=namespace))["version"]) != version:
        assert time.monotonic() < end, said
        time.sleep(0.2)


def versions(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Every object that somebody wrote into the namespace, with its resource version."""
    kinds = "deployments,services,configmaps,secrets,jobs,horizontalpodautoscalers"
    items = cluster.get(kinds, "--namespace", namespace)["items"]
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"] for item in items}


def test_deploys_in_order_and_sends_nothing_when_nothing_changed(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write(
        "manifests/shop/all.yaml",
        documents(
            autoscaler("web"),
            deployment("web", image, container="resources: {requests: {cpu: 1000m, memory: 0.5Gi}}"),
            service("web"),
            config_map("settings", a="b"),
            "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2-canary}",
        ),
    )
    first = shop.deploy(AVAILABLE_ENABLED="false", DIFF="true", DEBUG="true", CI_COMMIT_ID="4f2a91c")
    assert first.code == 0, first.log
    assert set(first.did("shop").values()) == {"created"}
    kinds = [line.split()[2] for line in first.log.splitlines() if line.startswith("[shop] created ")]
    assert kinds.index("Service") > max(kinds.index("ConfigMap"), kinds.index("Secret"))
    assert kinds[-2:] == ["Deployment", "HorizontalPodAutoscaler"]
    for secret in ("hunter2-canary", base64.b64encode(b"hunter2-canary").decode()):
        assert secret not in first.log + json.dumps(first.report)

    before = versions(cluster, namespace)
    second = shop.deploy(AVAILABLE_ENABLED="false", CI_COMMIT_ID="4f2a91c")
    assert second.code == 0
    assert set(second.did("shop").values()) == {"unchanged"}
    assert "result=unchanged" in second.log
    after = versions(cluster, namespace)
    assert after["ConfigMap/kit-deployer-shop"] == before["ConfigMap/kit-deployer-shop"]
    assert {name: after[name] for name in after if not name.startswith(("Deployment", "Horizontal"))} == {
        name: before[name] for name in before if not name.startswith(("Deployment", "Horizontal"))
    }
    # A request that reads is one a kind and namespace, and a few for what holds for the whole cluster.
    assert second.cluster("shop")["requests"] <= 16

    live = cluster.get("deployment", "web", "--namespace", namespace)
    assert live["metadata"]["labels"] == {"id": "unspecified", "name": "web", "strategy": "rolling-update"}
    assert live["metadata"]["annotations"]["kit-deployer/commit"] == '"4f2a91c"'
    assert live["spec"]["selector"]["matchLabels"] == {"name": "web", "strategy": "rolling-update"}
    assert "last-applied" not in json.dumps(cluster.get("secret", "key", "--namespace", namespace)["metadata"])


def test_a_dry_run_checks_and_writes_nothing(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    shop.write("namespaces/shop/new.yaml", f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}-new}}")
    shop.write("manifests/shop/web.yaml", deployment("web", image))
    shop.write(
        "manifests/shop/there.yaml",
        config_map("there").replace('"name"', f'"namespace": "{namespace}-new", "name"'),
    )
    shop.write("manifests/shop/wrong.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: wrong}\nspec: {ports: []}")
    before = versions(cluster, namespace)
    run = shop.deploy(DRY_RUN="true")
    assert run.code == 1
    assert run.did("shop")["Deployment/web"] == "created"
    assert run.did("shop")["Service/wrong"] == "failed"
    assert re.search(
        r"wrong\.yaml:1:1: Service .*/wrong was refused by the server: .*ports.*Correct the manifest", run.log
    )
    unchecked = [item for item in run.cluster("shop")["objects"] if not item["checked_by_server"]]
    assert [item["name"] for item in unchecked] == ["there"]
    assert "not checked by the server" in run.log
    assert versions(cluster, namespace) == before
    assert cluster.kubectl("get", "namespace", f"{namespace}-new", check=False).returncode != 0


def test_namespaces_first_and_definitions_before_what_they_define(shop: Desk, cluster: Cluster, namespace: str) -> None:
    group = f"{namespace}.example.com"
    shop.write("namespaces/shop/new.yaml", f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}-new}}")
    shop.write(
        "manifests/shop/all.yaml",
        f"""\
apiVersion: {group}/v1
kind: Widget
metadata: {{name: one, namespace: {namespace}-new}}
spec: {{size: 3}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets, singular: widget}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
""",
    )
    try:
        dry = shop.deploy(DRY_RUN="true")
        assert dry.code == 0, dry.log
        run = shop.deploy()
        assert run.code == 0, run.log
        found = cluster.get(f"widgets.{group}", "one", "--namespace", f"{namespace}-new")
        assert found["spec"] == {"size": 3}
        again = shop.deploy()
        assert set(again.did("shop").values()) == {"unchanged"}
    finally:
        cluster.kubectl("delete", "crd", f"widgets.{group}", "--ignore-not-found", "--wait=false")
        cluster.delete_namespace(f"{namespace}-new")


def test_takes_over_from_kubectl_so_that_removed_keys_go(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    """As the original left it: applied client-side, with its labels; then scaled by an autoscaler."""
    old = deployment("web", image, replicas=1, container="env: [{name: OLD, value: gone}]").replace(
        "labels: {name: web}", "labels: {name: web, strategy: rolling-update}"
    )
    old = old.replace("        env: []\n", "").replace(
        "  template:", "  selector: {matchLabels: {name: web, strategy: rolling-update}}\n  template:"
    )
    cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=old)
    uid = cluster.get("deployment", "web", "--namespace", namespace)["metadata"]["uid"]
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image, replicas=1), autoscaler("web", 3)))
    cluster.kubectl("--namespace", namespace, "scale", "deployment/web", "--replicas=3")
    run = shop.deploy(AVAILABLE_ENABLED="false")
    assert run.code == 0, run.log
    live = cluster.get("deployment", "web", "--namespace", namespace)
    assert live["metadata"]["uid"] == uid
    assert "env" not in live["spec"]["template"]["spec"]["containers"][0]
    assert live["spec"]["replicas"] == 3
    assert "kubectl.kubernetes.io/last-applied-configuration" not in live["metadata"]["annotations"]


def test_replicas_are_let_go_when_an_autoscaler_comes(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    shop.write("manifests/shop/web.yaml", deployment("web", image, replicas=2))
    assert shop.deploy(AVAILABLE_ENABLED="false").code == 0
    shop.write("manifests/shop/hpa.yaml", autoscaler("web", 2))
    shop.write("manifests/shop/web.yaml", deployment("web", image, NEW="1"))
    run = shop.deploy(AVAILABLE_ENABLED="false")
    assert run.code == 0, run.log
    assert cluster.get("deployment", "web", "--namespace", namespace)["spec"]["replicas"] == 2


def test_drift_is_named_left_alone_and_corrected_where_asked(shop: Desk, cluster: Cluster, namespace: str) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="b"))
    assert shop.deploy().code == 0
    patch = '{"data": {"a": "by hand"}}'
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "settings", "--patch", patch)
    warned = shop.deploy()
    assert warned.code == 0
    assert warned.did("shop")["ConfigMap/settings"] == "drifted"
    assert "differs from what was applied: data.a" in warned.log
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "by hand"}
    assert shop.deploy(KIT_DRIFT="correct").did("shop")["ConfigMap/settings"] == "changed"
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "b"}
    assert shop.deploy().did("shop")["ConfigMap/settings"] == "unchanged"


def test_a_refused_object_stops_what_comes_after_it(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    shop.write("manifests/shop/a.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: 'No Name!'}")
    shop.write("manifests/shop/web.yaml", deployment("web", image))
    run = shop.deploy()
    assert run.code == 1
    assert run.did("shop") == {"ServiceAccount/No Name!": "failed", "Deployment/web": "not done"}
    assert "a.yaml:1" in run.log
    assert "not done: Deployment" in run.log
    assert "Deployment/web" not in versions(cluster, namespace)


def test_a_missing_namespace_says_how_to_make_it(shop: Desk, namespace: str) -> None:
    shop.write("manifests/shop/a.json", config_map("a").replace('"name"', f'"namespace": "{namespace}-no", "name"'))
    run = shop.deploy()
    assert run.code == 1
    assert (
        f'namespaces "{namespace}-no" not found. Put a manifest of the namespace into NAMESPACES_DIR/shop/' in run.log
    )


def test_the_json_log_has_an_object_a_line(shop: Desk, cluster: Cluster, image: str) -> None:
    shop.write("manifests/shop/web.yaml", deployment("web", image.replace(":1", ":no-such-tag")))
    run = shop.deploy(KIT_LOG_FORMAT="json", AVAILABLE_TIMEOUT="4")
    events = [json.loads(line) for line in run.log.splitlines()]
    assert {event.get("cluster") for event in events if event["level"] != "result"} <= {"shop", None}
    (error,) = [event for event in events if event["level"] == "error"]
    assert error["cluster"] == "shop"
    assert error["reason"] == "ErrImagePull"
    assert error["object"].endswith("/web")
    assert error["file"].endswith("web.yaml")
    assert events[-1]["result"] == "timeout"


def test_an_unknown_kind_is_named_and_nothing_is_touched(shop: Desk, cluster: Cluster, namespace: str) -> None:
    shop.write("manifests/shop/a.yaml", "apiVersion: shop.example.com/v1\nkind: Widget\nmetadata: {name: one}")
    shop.write("manifests/shop/b.yaml", "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: one}")
    before = versions(cluster, namespace)
    run = shop.deploy()
    assert run.code == 1
    assert "Widget in shop.example.com/v1" in run.log
    assert "a.yaml:1:1" in run.log
    assert versions(cluster, namespace) == before


def test_raw_writes_nothing_of_its_own(shop: Desk, cluster: Cluster, namespace: str) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="b", c="d"))
    assert shop.deploy(RAW="true", UUID="u-1").code == 0
    metadata = cluster.get("configmap", "settings", "--namespace", namespace)["metadata"]
    assert "labels" not in metadata
    assert metadata["annotations"] == {"deployment.invision/uuid": "u-1"}
    assert shop.deploy(RAW="true").did("shop") == {"ConfigMap/settings": "unchanged"}
    shop.write("manifests/shop/a.json", config_map("settings", a="b"))
    assert shop.deploy(RAW="true").did("shop") == {"ConfigMap/settings": "changed"}
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "b"}


def test_changed_configuration_names_who_still_runs_with_the_old_values(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", COLOUR="red"))
    reads = "envFrom: [{configMapRef: {name: settings}}]"
    shop.write("manifests/shop/web.yaml", deployment("web", image, container=reads))
    assert shop.deploy(AVAILABLE_ENABLED="false").code == 0
    shop.write("manifests/shop/a.json", config_map("settings", COLOUR="blue"))
    run = shop.deploy(AVAILABLE_ENABLED="false")
    assert f"Deployment {namespace}/web still runs with the old values of ConfigMap {namespace}/settings" in run.log
    assert [item["workload"]["name"] for item in run.cluster("shop")["not_restarted"]] == ["web"]


def test_what_another_strategy_deployed_goes_once_the_new_one_is_healthy(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    """The original's fast-rollback left a Deployment beside; its Service still points there until all is well."""
    old = deployment("web", image).replace("name: web, labels: {name: web}", "name: web-7, labels: {name: web}")
    old = old.replace("labels: {name: web}", "labels: {name: web, strategy: fast-rollback, id: '7'}")
    old = old.replace(
        "metadata: {name: web-7,", "metadata: {name: web-7, annotations: {kit-deployer/original-name: web},"
    )
    old = old.replace(
        "  template:", "  selector: {matchLabels: {name: web, strategy: fast-rollback, id: '7'}}\n  template:"
    )
    pointing = service("web").replace("{name: web}, ports", "{name: web, strategy: fast-rollback, id: '7'}, ports")
    cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=f"{old}---\n{pointing}")
    shop.write("manifests/shop/web.yaml", deployment("web", image, CRASH="on purpose") + "---\n" + service("web"))
    broken = shop.deploy(AVAILABLE_ENABLED="false", AVAILABLE_TIMEOUT="3")
    assert broken.code in {1, 70}
    assert broken.did("shop")["Service/web"] == "not done"
    assert cluster.get("service", "web", "--namespace", namespace)["spec"]["selector"]["id"] == "7"

    shop.write("manifests/shop/web.yaml", deployment("web", image) + "---\n" + service("web"))
    run = shop.deploy(AVAILABLE_ENABLED="false")
    assert run.code == 0, run.log
    assert run.did("shop")["Deployment/web-7"] == "deleted"
    selector = cluster.get("service", "web", "--namespace", namespace)["spec"]["selector"]
    assert selector == {"name": "web", "strategy": "rolling-update"}
    assert [item["metadata"]["name"] for item in cluster.get("deployments", "--namespace", namespace)["items"]] == [
        "web"
    ]


def test_a_rolling_update_answers_with_the_new_version_through_its_service(
    shop: Desk, cluster: Cluster, namespace: str, image: str, workload_image: Callable[..., str]
) -> None:
    probe = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"
    shop.write("manifests/shop/web.yaml", deployment("web", image, container=probe) + "---\n" + service("web"))
    first = shop.deploy()
    assert first.code == 0, first.log
    answers(cluster, namespace, version="1")
    shop.write(
        "manifests/shop/web.yaml", deployment("web", workload_image("2"), container=probe) + "---\n" + service("web")
    )
    second = shop.deploy()
    assert second.code == 0, second.log
    assert second.did("shop") == {"Deployment/web": "changed", "Service/web": "unchanged"}
    answers(cluster, namespace, version="2")
    pods = cluster.get("pods", "--namespace", namespace)["items"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert [pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in running] == ["2"]
