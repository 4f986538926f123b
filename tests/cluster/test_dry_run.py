# SPDX-License-Identifier: MIT
"""Dry runs and differences: what the server's audit log says was written (nothing), what is shown, what is hidden."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, Outcome, config_map, deployment, documents, job, service

ROOT = Path(__file__).parents[2]
READ = {"get", "list", "watch"}


@dataclass
class Account:
    """A service account that the audit log tells apart from everybody else."""

    cluster: Cluster
    namespace: str
    name: str

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def kubeconfig(self) -> str:
        token = self.cluster.token(self.name, self.namespace)
        return self.cluster.kubeconfig("shop", self.namespace, inside=False, token=token)

    def requests(self) -> list[Any]:
        """What the server noted of this account's requests. The log is written as requests end."""
        mark = f"audit-{time.monotonic_ns()}"
        self.cluster.kubectl("get", "namespace", mark, check=False)
        end = time.monotonic() + 20
        while mark not in (log := self.cluster.logs("audit")):
            assert time.monotonic() < end, "the audit log does not go on"
            time.sleep(0.05)
        events = [json.loads(line) for line in log.splitlines() if self.user in line]
        return [event for event in events if event["user"]["username"] == self.user]


def account(cluster: Cluster, namespace: str, name: str, role: str) -> Iterator[Account]:
    binding = f"{name}-{namespace}"
    cluster.kubectl("--namespace", namespace, "create", "serviceaccount", name)
    cluster.kubectl("create", "clusterrolebinding", binding, f"--clusterrole={role}",
                    f"--serviceaccount={namespace}:{name}")  # fmt: skip
    yield Account(cluster, namespace, name)
    cluster.kubectl("delete", "clusterrolebinding", binding)


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


def dry(desk: Desk, kubeconfig: str, word: str = "true", **env: str) -> Outcome:
    desk.target("shop", kubeconfig)
    files = {"KIT_DIFF_FILE": str(desk.root / "diff.md"), "DEBUG": "true"}
    return desk.deploy(DRY_RUN=word, DIFF="true", **files, **env)


def crd(group: str) -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: shops.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Shop, plural: shops, singular: shop}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""


def locked(name: str, value: str) -> str:
    """A ConfigMap that can only be replaced."""
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, annotations: {{kit-deployer/replace: "true"}}}}
immutable: true
data: {{value: {value}}}
"""


@pytest.fixture
def situations(shop: Desk, cluster: Cluster, namespace: str, image: str) -> Desk:
    """A folder with everything that a dry run may meet: new, changed, drifted, left over, Jobs, an object to replace,
    one of kubectl's, a namespace and a kind that only the run makes, an old version that goes."""
    first = [
        config_map("settings", colour="red"), config_map("drifting", a="1"), config_map("leftover", a="1"),
        config_map("same", a="1"), locked("locked", "one"), job("migrate", image), service("web"),
        deployment("web", image, COLOUR="red", DB_PASSWORD="canary-env-old"),
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
                    "stringData": {"password": "canary-secret-old"}}),
    ]  # fmt: skip
    shop.write("manifests/shop/all.yaml", documents(*first))
    assert shop.deploy().code == 0
    patch = '{"data":{"a":"by hand"}}'
    cluster.kubectl("--namespace", namespace, "patch", "configmap", "drifting", "--type=merge", f"--patch={patch}")
    legacy = config_map("legacy", kept="1", gone="2")
    cluster.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=legacy)
    second = [
        config_map("settings", colour="blue"), config_map("drifting", a="1"), config_map("same", a="1"),
        config_map("fresh", a="1"), locked("locked", "two"), job("migrate", image, SEED="2"),
        service("web").replace("port: 80,", "port: 8080,"), config_map("legacy", kept="1"),
        deployment("web", image, COLOUR="blue", DB_PASSWORD="canary-env-new"),
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
                    "stringData": {"password": "canary-secret-new", "added": "canary-secret-added"}}),
        crd(f"{namespace}.example.com"),
        f"apiVersion: {namespace}.example.com/v1\nkind: Shop\nmetadata: {{name: first}}\nspec: {{size: 1}}\n",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: there, namespace: {namespace}-new}}\n",
    ]  # fmt: skip
    shop.write("manifests/shop/all.yaml", documents(*second))
    made = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}-new}}\n"
    shop.write("namespaces/shop/new.yaml", made)
    return shop


def fingerprint(cluster: Cluster, namespace: str) -> str:
    found = cluster.get("configmaps,secrets,services,deployments,jobs", "--namespace", namespace)
    return json.dumps([[item["kind"], item["metadata"]["name"], item["metadata"]["resourceVersion"]]
                       for item in found["items"] if item["metadata"]["name"] != "kube-root-ca.crt"])  # fmt: skip


def changed(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def objects(run: Outcome) -> dict[str, Any]:
    return {f"{item['kind']}/{item['name']}": item for item in run.cluster("shop")["objects"]}


def everything_written(run: Outcome, root: Path) -> dict[str, str]:
    files = [*(root / "reports").iterdir(), root / "diff.md"]
    return {"log": run.log} | {path.name: path.read_text() for path in files}


def test_a_dry_run_shows_every_situation_and_writes_nothing(
    situations: Desk, cluster: Cluster, namespace: str, tester: Account
) -> None:
    before = fingerprint(cluster, namespace)
    run = dry(situations, tester.kubeconfig())
    assert run.code == 0, run.log
    assert fingerprint(cluster, namespace) == before
    events = tester.requests()
    writing = [event for event in events if event["verb"] not in READ]
    assert {event["verb"] for event in writing} >= {"patch", "create"}, "the server had its say"
    persisted = [event["requestURI"] for event in writing if "dryRun=All" not in event["requestURI"]]
    assert not persisted
    found = objects(run)
    did = {name: item["result"] for name, item in found.items()}
    shop_kind = "CustomResourceDefinition/shops." + namespace + ".example.com"
    migrated = next(name for name in did if name.startswith("Job/migrate"))
    assert did == {
        "ConfigMap/settings": "changed", "ConfigMap/drifting": "drifted", "ConfigMap/same": "unchanged",
        "ConfigMap/fresh": "created", "ConfigMap/locked": "changed", "ConfigMap/legacy": "changed",
        "ConfigMap/there": "created", "Secret/keys": "changed", "Service/web": "changed", "Deployment/web": "changed",
        f"Namespace/{namespace}-new": "created", shop_kind: "created", "Shop/first": "created", migrated: "created",
    }  # fmt: skip
    unchecked = {name: item["not_checked"] for name, item in found.items() if not item["checked_by_server"]}
    assert unchecked == {
        "ConfigMap/there": f"namespace {namespace}-new is only created by the run",
        "Shop/first": f"its definition Shop.{namespace}.example.com is only created by the run",
    }
    assert changed(found["ConfigMap/settings"]["diff"]) == ["-  colour: red", "+  colour: blue"]
    assert changed(found["ConfigMap/drifting"]["diff"]) == ["-  a: by hand", "+  a: '1'"]
    assert "-  gone: '2'" in changed(found["ConfigMap/legacy"]["diff"])
    assert changed(found["ConfigMap/locked"]["diff"]) == ["-  value: one", "+  value: two"]
    assert changed(found["Service/web"]["diff"]) == ["-  - port: 80", "+  - port: 8080"] or "port: 8080" in str(found)
    lines = changed(found["Deployment/web"]["diff"])
    assert lines == ["-          value: red", "+          value: blue", "-          value: '***'",
                     "+          value: '*** (changed)'"]  # fmt: skip
    assert changed(found["Secret/keys"]["diff"]) == [
        "-  password: '***'", "+  added: '***'", "+  password: '*** (changed)'"
    ] or set(changed(found["Secret/keys"]["diff"])) == {"-  password: '***'", "+  added: '***'",
                                                       "+  password: '*** (changed)'"}  # fmt: skip
    created = found["ConfigMap/fresh"]["diff"]
    assert "uid" not in created
    assert "kit-deployer/" not in created
    cases = {case.get("name"): case for case in ET.parse(situations.root / "reports/junit.xml").iter("testcase")}
    skipped = [name for name, case in cases.items() if case.find("skipped") is not None]
    assert sorted(map(str, skipped)) == [f"ConfigMap {namespace}-new/there", f"Shop {namespace}/first"]
    for name, text in everything_written(run, situations.root).items():
        assert "canary" not in text, name
        assert base64.b64encode(b"canary-secret-new").decode()[:12] not in text, name
        if name not in {"report.html", "junit.xml"}:
            assert "not" in text, name
    assert "not checked by the server" in run.log
    assert f"leftovers, no longer in the folder: ConfigMap {namespace}/leftover" in run.log
    comment = (situations.root / "diff.md").read_text()
    assert "**Not checked by the server** on shop" in comment
    assert "+  colour: blue" in comment
    assert "result=planned" in run.log


def test_a_read_only_account_sees_the_same(situations: Desk, cluster: Cluster, namespace: str, reader: Account) -> None:
    """On a pull request: no right to write anything, none to read Secrets, and yet the difference."""
    run = dry(situations, reader.kubeconfig(), "read")
    assert run.code == 0, run.log
    events = reader.requests()
    assert events
    assert {event["verb"] for event in events} <= READ
    found = objects(run)
    assert changed(found["ConfigMap/settings"]["diff"]) == ["-  colour: red", "+  colour: blue"]
    assert found["ConfigMap/drifting"]["result"] == "drifted"
    assert "-  gone: '2'" in changed(found["ConfigMap/legacy"]["diff"])
    lines = changed(found["Deployment/web"]["diff"])
    assert lines == ["-          value: red", "+          value: blue", "-          value: '***'",
                     "+          value: '*** (changed)'"]  # fmt: skip
    assert found["Secret/keys"]["result"] == "unchanged"
    assert found["Secret/keys"]["not_checked"] == "the account may not read it"
    assert found["ConfigMap/same"]["checked_by_server"]
    assert all(not item["checked_by_server"] for item in found.values() if item["result"] in {"created", "changed"})
    assert run.report["read_only"] is True
    assert "canary" not in "".join(everything_written(run, situations.root).values())
    situations.write("manifests/shop/all.yaml", config_map("settings", colour="green"))
    refused = dry(situations, reader.kubeconfig(), "true")
    assert refused.code == 1
    assert 'cannot patch resource "configmaps"' in refused.log
    assert "DRY_RUN=read looks without any right to write" in refused.log


def test_words_of_the_setting(shop: Desk) -> None:
    shop.write("manifests/shop/a.json", config_map("settings"))
    wrong = shop.deploy(DRY_RUN="maybe")
    assert wrong.code == 2
    assert "expected true, false or read" in wrong.log


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


def test_a_real_run_shows_the_same_and_what_goes(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    """Going back from fast-rollback to rolling updates, dry and then in earnest; the dry run wrote nothing."""
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image, COLOUR="red"), service("web")))
    assert shop.deploy(STRATEGY="fast-rollback", DEPLOY_ID="1").code == 0
    before = fingerprint(cluster, namespace)
    second = shop.deploy(STRATEGY="fast-rollback", DEPLOY_ID="2", DRY_RUN="true", DIFF="true")
    assert second.did("shop") == {"Deployment/web-2": "created", "Service/web": "changed"}
    lines = changed(objects(second)["Service/web"]["diff"])
    assert "-    id: '1'" in lines
    assert "+    id: '2'" in lines
    foreseen = shop.deploy(DRY_RUN="true", DIFF="true")
    assert fingerprint(cluster, namespace) == before
    done = shop.deploy(DIFF="true")
    assert done.code == 0, done.log
    for run in (foreseen, done):
        gone = objects(run)["Deployment/web-1"]
        assert gone["result"] == "deleted"
        assert changed(gone["diff"])[0] == "-apiVersion: apps/v1"
        created = changed(objects(run)["Deployment/web"]["diff"])
        assert "+  replicas: 1" in created
        assert not any("terminationMessagePath" in line for line in created), "a default is no news"
    assert changed(objects(foreseen)["Service/web"]["diff"]) == changed(objects(done)["Service/web"]["diff"])
    assert "deleted Deployment" in done.log
    assert "-  name: web-1" in done.log


def test_secret_values_are_in_no_output(shop: Desk, namespace: str, image: str) -> None:
    """From a Secret, from a secret source of the render, from what looks like one; when a container prints it, too."""
    canaries = ["canary-in-secret-1", "canary-from-source-2", "canary-in-args-3", "canary-in-url-4", "canary-in-env-5"]
    secret, source, args, url, env = canaries
    container = f"args: ['--token={args}', '--database=postgres://shop:{url}@db/shop']"
    web = deployment("web", image, container=container, API_PASSWORD=env)
    failing = job("migrate", image, 1, CRASH=f"cannot log in with {secret} {source}")
    rest = [
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
                    "data": {"password": base64.b64encode(secret.encode()).decode()}}),
        config_map("settings", colour=source),
    ]  # fmt: skip
    shop.write("manifests/shop/web.yaml", documents(web, failing))
    shop.write("manifests/shop/rest.yaml", documents(*rest))
    index = {"version": 1, "complete": True, "commit": "abc", "secrets": {"rest.yaml": ["/data/colour"]}}
    shop.write("manifests/.kit/shop.json", json.dumps(index))
    files = {"KIT_DIFF_FILE": str(shop.root / "diff.md"), "DEBUG": "true", "DIFF": "true"}
    for word, log_format in (("true", "text"), ("read", "json"), ("false", "json")):
        run = shop.deploy(DRY_RUN=word, KIT_LOG_FORMAT=log_format, **files)
        assert run.code == (1 if word == "false" else 0), run.log
        for name, text in everything_written(run, shop.root).items():
            for canary in canaries:
                encoded = base64.b64encode(canary.encode()).decode()
                assert canary not in text, f"{canary} in {name}"
                assert encoded[:16] not in text, f"{canary}, encoded, in {name}"
    assert "cannot log in with ***" in run.log
    shop.write("manifests/shop/rest.yaml", documents(*rest).replace(source, "another-value-entirely"))
    run = shop.deploy(DRY_RUN="true", **files)
    assert "another-value-entirely" not in "".join(everything_written(run, shop.root).values())
    assert changed(objects(run)["ConfigMap/settings"]["diff"]) == ["-  colour: '***'", "+  colour: '*** (changed)'"]
