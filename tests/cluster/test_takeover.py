# SPDX-License-Identifier: MIT
"""Clusters that the original, kubectl or helm deployed to: kit carries on. Nothing is made anew, removed keys really
go, what others rule stays as it is.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, autoscaler, config_map, deployment, documents, job, service

APPLIED = "kit-deployer/last-applied-configuration"


def as_the_original_left_it(manifest: Any, *, commit: str = "0ld") -> str:
    """A manifest with the labels, selectors, names and annotations of the original, as it gave it to kubectl."""
    text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    body = json.loads(text)
    metadata = body["metadata"]
    original = metadata["name"]
    if body["kind"] == "Job":
        metadata["name"] = f"{original}-{digest}"
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        "kit-deployer/original-name": original,
        APPLIED: text,
        f"{APPLIED}-sha1": digest,
        "kit-deployer/commit": json.dumps(commit),
        "kit-deployer/last-updated": "2018-03-01T12:00:00.000Z",
    }
    metadata["labels"] = {**(metadata.get("labels") or {}), "id": "unspecified", "strategy": "rolling-update"}
    if body["kind"] == "Deployment":
        labels = body["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
        labels |= {"strategy": "rolling-update"}
        body["spec"]["selector"] = {"matchLabels": dict(labels)}
    if body["kind"] == "Service":
        body["spec"]["selector"]["strategy"] = "rolling-update"
    return json.dumps(body)


def parsed(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def alive(cluster: Cluster, namespace: str) -> dict[str, tuple[str, str]]:
    """Everything that would be seen if it were made anew: uid and time of creation, pods among them."""
    items = cluster.get("deployments,services,configmaps,jobs,pods,hpa", "--namespace", namespace)["items"]
    found = {
        f"{item['kind']}/{item['metadata']['name']}": (item["metadata"]["uid"], item["metadata"]["creationTimestamp"])
        for item in items
    }
    return {name: value for name, value in found.items() if "kit-deployer-shop" not in name}


def test_what_the_original_deployed_is_carried_on_with(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    """The original ran `kubectl create --save-config` and later `kubectl apply`; its fields are kubectl's."""
    web = deployment("web", image, container="ports: [{containerPort: 8080}, {containerPort: 9090}]", OLD="x", KEPT="y")
    ports = "ports: [{name: a, port: 80, targetPort: 8080}, {name: b, port: 81, targetPort: 8080}]"
    front = service("web").replace("ports: [{port: 80, targetPort: 8080}]", ports)
    stateful = service("db").replace("selector: {name: web}", "selector: {name: db}")
    settings, migrate = config_map("settings", a="1", gone="2"), job("migrate", image)
    originals = [parsed(text) for text in (web, front, stateful, settings, migrate)]
    for manifest in originals:
        cluster.kubectl(
            "--namespace", namespace, "create", "--save-config", "--filename=-", stdin=as_the_original_left_it(manifest)
        )
    for manifest in originals[:-1]:
        manifest["metadata"].setdefault("labels", {})["seen"] = "again"
        cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=as_the_original_left_it(manifest))
    cluster.kubectl("--namespace", namespace, "wait", "--for=condition=Complete", "job", "--all", "--timeout=60s")
    cluster.kubectl("--namespace", namespace, "rollout", "status", "deployment/web", "--timeout=60s")
    before = alive(cluster, namespace)

    # What they say now, but for the ports: the pods stay as they are.
    shop.write(
        "manifests/shop/all.yaml", documents(web, service("web"), stateful, config_map("settings", a="1"), migrate)
    )
    told = shop.deploy(DRY_RUN="true", DIFF="true")
    assert told.code == 0, told.log
    for part in ("spec.ports", "data.gone", "metadata.labels.seen"):
        assert part in told.log, part
    assert "spec.strategy" not in told.log, "what the server has a default for does not change"
    assert alive(cluster, namespace) == before

    run = shop.deploy()
    assert run.code == 0, run.log
    after = alive(cluster, namespace)
    assert after == before, "nothing is made anew, no pod is restarted, and the completed Job does not run again"
    live = cluster.get("service", "web", "--namespace", namespace)
    assert [port["port"] for port in live["spec"]["ports"]] == [80]
    assert live["spec"]["selector"] == {"name": "web", "strategy": "rolling-update"}
    assert "seen" not in live["metadata"]["labels"]
    assert "kubectl.kubernetes.io/last-applied-configuration" not in live["metadata"]["annotations"]
    other = cluster.get("service", "db", "--namespace", namespace)["spec"]["selector"]
    assert other == {"name": "db"}, "a Service of something else than a Deployment is as written again"
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "1"}
    assert set(shop.deploy().did("shop").values()) == {"unchanged"}

    # Removed later, and so removed from the pods as well.
    shop.write(
        "manifests/shop/all.yaml", documents(deployment("web", image, KEPT="y"), service("web"), stateful, migrate)
    )
    assert shop.deploy().code == 0
    (container,) = cluster.get("deployment", "web", "--namespace", namespace)["spec"]["template"]["spec"]["containers"]
    assert [variable["name"] for variable in container["env"]] == ["KEPT"]
    assert "ports" not in container


def test_other_names_for_client_side_tools_and_what_is_nobodys_business(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    """Whoever noted what it applied is taken over from, whatever it calls itself; a controller is not."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings"},
        "data": {"a": "1", "gone": "2"},
    }
    for manager in ("node-fetch", "unknown"):
        manifest["metadata"] = {"name": f"by-{manager}"}
        text = as_the_original_left_it(manifest)
        cluster.kubectl("--namespace", namespace, "create", f"--field-manager={manager}", "--filename=-", stdin=text)
        patch = json.dumps({"data": {"theirs": "stays"}})
        cluster.kubectl(
            "--namespace",
            namespace,
            "patch",
            "configmap",
            f"by-{manager}",
            "--field-manager=injector",
            f"--patch={patch}",
        )
    # Written before servers kept account of who owns what.
    manifest["metadata"] = {"name": "of-old"}
    cluster.kubectl("--namespace", namespace, "create", "--filename=-", stdin=as_the_original_left_it(manifest))
    forget = json.dumps([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}])
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "of-old", "--type=json", f"--patch={forget}")
    extra = json.dumps([{"op": "add", "path": "/data/theirs", "value": "stays"}])
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "of-old", "--type=json", f"--patch={extra}")

    names = ["by-node-fetch", "by-unknown", "of-old"]
    shop.write("manifests/shop/all.yaml", documents(*(config_map(name, a="1") for name in names)))
    run = shop.deploy()
    assert run.code == 0, run.log
    for name in names:
        found = cluster.get("configmap", name, "--namespace", namespace)["data"]
        assert found == {"a": "1", "theirs": "stays"}, name


def test_a_live_number_of_replicas_survives_first_contact(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    """Applied with kubectl, scaled by an autoscaler or by hand, restarted with kubectl: all of that stays."""
    selector = "selector: {matchLabels: {name: NAME}}"
    for name in ("web", "byhand", "both"):
        text = deployment(name, image, replicas=1, spec=selector.replace("NAME", name))
        cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=text)
    cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=autoscaler("web", 2))
    cluster.kubectl("--namespace", namespace, "scale", "deployment/web", "--replicas=3")
    # Not by the scale subresource: kubectl owns the number, and the manifest leaves it out.
    for name in ("byhand", "both"):
        cluster.kubectl("--namespace", namespace, "patch", "deployment", name, '--patch={"spec":{"replicas":2}}')
    cluster.kubectl("--namespace", namespace, "rollout", "restart", "deployment/byhand")
    cluster.kubectl("--namespace", namespace, "rollout", "status", "deployment/byhand", "--timeout=60s")
    templates = {
        name: cluster.get("deployment", name, "--namespace", namespace)["spec"]["template"]["metadata"]
        for name in ("byhand",)
    }
    assert "kubectl.kubernetes.io/restartedAt" in templates["byhand"]["annotations"]

    unsaid = deployment("byhand", image, spec=selector.replace("NAME", "byhand")).replace("  replicas: 1\n", "")
    shop.write(
        "manifests/shop/all.yaml",
        documents(
            deployment("web", image, replicas=1), unsaid, deployment("both", image, replicas=1), autoscaler("both")
        ),
    )
    run = shop.deploy(AVAILABLE_ENABLED="false")
    assert run.code == 0, run.log
    assert "keeps its selector, which cannot be changed" in run.log
    live = {name: cluster.get("deployment", name, "--namespace", namespace) for name in ("web", "byhand", "both")}
    assert {name: body["spec"]["replicas"] for name, body in live.items()} == {"web": 3, "byhand": 2, "both": 2}
    kept = live["byhand"]["spec"]["template"]["metadata"]["annotations"]
    assert kept == templates["byhand"]["annotations"], "taking it away would restart every pod once more"
