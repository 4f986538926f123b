# SPDX-License-Identifier: MIT
"""What is written on objects, as the original wrote it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_deployer.desired.annotate import Writing, job_name, stamp
from kit_deployer.objects import Json
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, JOB, SECRET, SERVICE, WRITING, declared, live, one


def body(text: str, **options: Any) -> Json:
    (item,) = declared(text, **options)
    return item.body


def test_labels_of_every_object() -> None:
    assert body(CONFIG_MAP)["metadata"]["labels"] == {"id": "unspecified", "strategy": "rolling-update"}
    writing = Writing(deploy_id="7", resource="web")
    assert body(CONFIG_MAP, writing=writing)["metadata"]["labels"] == {
        "id": "7", "strategy": "rolling-update", "resource": "web", "app.kubernetes.io/name": "web"}  # fmt: skip


def test_resource_fills_only_what_is_absent() -> None:
    text = CONFIG_MAP.replace("{name: settings}", "{name: settings, labels: {resource: mine}}")
    labels = body(text, writing=Writing(resource="web"))["metadata"]["labels"]
    assert labels["resource"] == "mine"
    assert labels["app.kubernetes.io/name"] == "web"
    pods = body(DEPLOYMENT, writing=Writing(resource="web"))["spec"]["template"]["metadata"]["labels"]
    assert pods == {"name": "web", "strategy": "rolling-update", "app.kubernetes.io/name": "web"}


def test_a_deployment_gets_strategy_on_pods_and_selector() -> None:
    spec = body(DEPLOYMENT)["spec"]
    assert spec["selector"] == {"matchLabels": {"name": "web", "strategy": "rolling-update"}}
    assert spec["template"]["metadata"]["labels"] == {"name": "web", "strategy": "rolling-update"}


def test_an_empty_selector_becomes_the_pods_labels_and_a_written_one_is_kept() -> None:
    pods = DEPLOYMENT.replace("template:\n    metadata: {labels: {name: web}}",
                              "template:\n    metadata: {labels: {name: web, tier: front}}")  # fmt: skip
    assert body(pods)["spec"]["selector"]["matchLabels"] == {
        "name": "web", "tier": "front", "strategy": "rolling-update"}  # fmt: skip
    written = pods.replace("replicas: 2", "selector: {matchLabels: {tier: front}}")
    assert body(written)["spec"]["selector"]["matchLabels"] == {
        "name": "web", "tier": "front", "strategy": "rolling-update"}  # fmt: skip


def test_the_name_may_stand_in_the_selector_only() -> None:
    text = DEPLOYMENT.replace("metadata: {labels: {name: web}}\n    spec", "metadata: {}\n    spec")
    text = text.replace("replicas: 2", "selector: {matchLabels: {name: web}}")
    assert body(text)["spec"]["template"]["metadata"]["labels"] == {"name": "web", "strategy": "rolling-update"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CONFIG_MAP.replace("settings}", "settings, labels: {id: x}}"), "the label id is reserved"),
        (CONFIG_MAP.replace("settings}", "settings, labels: {strategy: x}}"), "the label strategy is reserved"),
        (DEPLOYMENT.replace("labels: {name: web}}\nspec", "labels: {app: web}}\nspec"), "has no label `name`"),
        (DEPLOYMENT.replace("{labels: {name: web}}\n    spec", "{}\n    spec"), "no label `name` on its pod template"),
        (DEPLOYMENT.replace("{labels: {name: web}}\n    spec", "{labels: {name: other}}\n    spec"), "name=other"),
        (
            DEPLOYMENT.replace("{labels: {name: web}}\n    spec", "{labels: {name: web, strategy: x}}\n    spec"),
            "the pod label strategy is reserved",
        ),
        (
            DEPLOYMENT + "---\n" + SERVICE.replace("{name: web}, ports", "{name: web, strategy: x}, ports"),
            "strategy in the selector is reserved",
        ),
    ],
)
def test_reserved_and_missing_labels(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        declared(text)
    assert caught.value.file == "shop/web.yaml"
    assert caught.value.line
    declared(text, Writing(raw=True))


def test_a_missing_name_says_how_to_deploy_ordinary_charts() -> None:
    with pytest.raises(InputError, match="RAW=true"):
        declared(DEPLOYMENT.replace("labels: {name: web}}\nspec", "labels: {app: web}}\nspec"))


def test_services_of_deployments_and_others() -> None:
    def selector(text: str, **options: Any) -> Any:
        item = next(item for item in declared(text, **options) if item.key.kind == "Service")
        return item.body["spec"].get("selector"), item.serves

    both = DEPLOYMENT + "---\n"
    assert selector(both + SERVICE) == ({"name": "web", "strategy": "rolling-update"}, True)
    assert selector(SERVICE) == ({"name": "web"}, False)
    assert selector(both + SERVICE.replace("{name: web}, ports", "{app: db}, ports")) == ({"app": "db"}, False)
    assert selector(both + SERVICE.replace("selector: {name: web}, ", "")) == (None, False)
    external = SERVICE.replace("spec: {", "spec: {type: ExternalName, externalName: x, ")
    assert selector(both + external) == ({"name": "web"}, False)
    elsewhere = SERVICE.replace("{name: web}\n", "{name: web, namespace: other}\n")
    assert selector(both + elsewhere) == ({"name": "web"}, False)


def test_a_service_of_a_deployment_that_only_the_cluster_has() -> None:
    (deployment,) = declared(DEPLOYMENT)
    theirs = live(deployment)
    (service,) = declared(SERVICE, live_deployments=[theirs])
    assert service.serves
    theirs["metadata"]["labels"].pop("strategy")
    (service,) = declared(SERVICE, live_deployments=[theirs])
    assert not service.serves


def test_annotations() -> None:
    (item,) = declared(CONFIG_MAP)
    found = stamp(item, Writing(commit="4f2a91c", uuid="u-1", now="T"))["metadata"]["annotations"]
    written = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"colour":"red"}}'
    assert found == {
        "kit-deployer/original-name": "settings",
        "kit-deployer/last-applied-configuration": written,
        # As sha1sum has it, of that text: the original's and ours must mean the same.
        "kit-deployer/last-applied-configuration-sha1": "b7deba53ace639decf580f9a563a2ce3738b41d0",
        "kit-deployer/commit": '"4f2a91c"',
        "kit-deployer/last-updated": "T",
        "deployment.invision/uuid": "u-1",
    }


def test_a_secret_shows_neither_content_nor_hash() -> None:
    (item,) = declared(SECRET)
    found = stamp(item, WRITING)
    assert not any("last-applied" in name for name in found["metadata"]["annotations"])
    assert found["data"] == {"password": "aHVudGVyMg=="}
    assert "stringData" not in found


def test_a_large_configuration_leaves_its_hash_only() -> None:
    (item,) = declared(CONFIG_MAP.replace("red", "r" * 210_000))
    found = stamp(item, WRITING)["metadata"]["annotations"]
    assert "kit-deployer/last-applied-configuration" not in found
    assert "kit-deployer/last-applied-configuration-sha1" in found


def test_raw_writes_the_uuid_alone() -> None:
    for text in (CONFIG_MAP, DEPLOYMENT, SERVICE, JOB):
        (item,) = declared(text, Writing(raw=True))
        written = json.loads(json.dumps(one(text).body))
        written["metadata"]["namespace"] = "shop"
        assert stamp(item, Writing(raw=True)) == written
        stamped = stamp(item, Writing(raw=True, uuid="u"))
        assert stamped["metadata"]["annotations"] == {"deployment.invision/uuid": "u"}


def test_what_only_servers_write_is_left_out() -> None:
    text = CONFIG_MAP.replace("{name: settings}", "{name: settings, uid: x, resourceVersion: '7', managedFields: []}")
    assert set(body(text)["metadata"]) == {"name", "labels", "namespace"}


def test_a_job_is_named_by_its_content() -> None:
    (item,) = declared(JOB)
    name = item.key.name
    assert name == item.body["metadata"]["name"] == job_name(one(JOB).body)
    assert name.startswith("migrate-")
    assert stamp(item, WRITING)["metadata"]["annotations"]["kit-deployer/original-name"] == "migrate"
    other = Writing(commit="other", deploy_id="9", uuid="u", now="later")
    assert declared(JOB, other)[0].key.name == name
    assert job_name(one(JOB.replace("web:1", "web:2")).body) != name
    always = JOB.replace("{name: migrate}", "{name: migrate, annotations: {kit-deployer/run: always}}")
    assert job_name(one(always).body) == name
    assert job_name(one(always.replace("kit-deployer/run", "deployment.invision/uuid")).body) == name
    assert job_name(one(always.replace("kit-deployer/run", "mine")).body) != name


@given(st.from_regex(r"[a-z]([a-z0-9.-]{0,70}[a-z0-9])?", fullmatch=True))
def test_a_jobs_name_fits_a_label(name: str) -> None:
    found = job_name({"metadata": {"name": name}, "spec": {}})
    assert len(found) <= 63
    head, _, suffix = found.rpartition("-")
    assert name.startswith(head)
    assert not head.endswith(("-", "."))
    assert len(suffix) == 10
