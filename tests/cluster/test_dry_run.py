# SPDX-License-Identifier: MIT
"""Dry runs: what the server's audit log says was written (nothing), what is shown of every situation."""

from __future__ import annotations

import base64
import json
from xml.etree import ElementTree as ET

import pytest

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, deployment, documents, job, service
from tests.cluster.watched import READ, Account, changed, crd, dry, everything_written, fingerprint, objects


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
