# SPDX-License-Identifier: MIT
"""Manifests that end a run with code 2: one sentence that says what, where, why, what next; nothing touched."""

from __future__ import annotations

import json

import pytest

from kit_deployer import objects
from kit_deployer.health.asked import FAILED_WHEN, READY_WHEN, TIMEOUT
from kit_deployer.inputs.annotations import READ
from kit_deployer.plan.dependencies import DEPENDENCY
from tests.unit.deployer.desk import CONFIG_MAP, Desk, refused


@pytest.mark.parametrize(
    ("file", "text", "place", "why"),
    [
        ("a.yaml", "kind: [\n", "a.yaml:2:1", "malformed YAML"),
        ("a.yaml", "a: 1\n---\n\tb: 2\n", "a.yaml:3:1", "Indent with spaces"),
        ("a.json", '{"kind": }', "a.json:1:10", "Expecting value"),
        ("a.yaml", "just text\n", "a.yaml:1:1", "expected an object with apiVersion and kind, found text"),
        ("a.yaml", "apiVersion: v1\nmetadata: {name: x}\n", "a.yaml:1:1", "the object has no kind"),
        ("a.yaml", "kind: ConfigMap\nmetadata: {name: x}\n", "a.yaml:1:1", "the object has no apiVersion"),
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\n", "a.yaml:1:1", "the ConfigMap has no metadata.name"),
        ("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n", "a.yaml:1:1", "generateName"),
        ("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: 12}\n", "a.yaml:1:1", "the number 12; quote it"),
        (
            "a.yaml",
            "\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {version: 1.10}}\n",
            "a.yaml:4:39",
            "label version is the number 1.1, not text; quote it",
        ),
        (
            "a.yaml",
            CONFIG_MAP + "---\n" + CONFIG_MAP.replace("name: a", "name: a, namespace: shop"),
            "a.yaml:5:1",
            "ConfigMap shop/a is described twice; the other one is at",
        ),
    ],
)  # fmt: skip
def test_a_manifest_that_cannot_be_read(desk: Desk, file: str, text: str, place: str, why: str) -> None:
    desk.write(f"manifests/shop/{file}", text)
    refused(desk, f"manifests/shop/{place}", why)


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - name: main
    image: x
    env:
    - {name: A, value: "1"}
    - {name: B, value: "2"}
    - {name: A, value: "3"}
"""
BARE_POD = POD.partition("    env:")[0]
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n"


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        (POD, "a.yaml:11:7", "env name A is there twice in container main"),
        (POD.replace("name: A, value: \"3\"", "name: C, value: 8080"), "a.yaml:11:24", "env C is a number, not text"),
        (POD.replace("name: A, value: \"3\"", "name: C, value: yes"), "a.yaml:11:24", "env C is the boolean true"),
        (
            BARE_POD + "    ports: [{containerPort: 80}, {containerPort: 80, protocol: TCP}]\n",
            "a.yaml:8:34",
            "port 80/TCP is there twice",
        ),
        (
            SERVICE + "  - {port: 80, name: a}\n  - {port: 80, name: b}\n",
            "a.yaml:7:5",
            "port 80/TCP is there twice",
        ),
    ],
)  # fmt: skip
def test_what_server_side_apply_would_refuse_is_found_with_its_line(
    desk: Desk, text: str, place: str, why: str
) -> None:
    desk.write("manifests/shop/a.yaml", text)
    refused(desk, place, why)


def test_ports_that_differ_in_protocol_are_fine(desk: Desk) -> None:
    ports = "    ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]\n"
    desk.write("manifests/shop/a.yaml", BARE_POD + ports)
    assert desk.run()[0] == 1


def test_reserved_labels_are_found_before_any_cluster_is_touched(desk: Desk) -> None:
    desk.write("manifests/shop/z.yaml", CONFIG_MAP.replace("name: a", "name: z, labels: {strategy: x}"))
    refused(desk, "z.yaml:3:40: The manifest is wrong: ConfigMap z: the label strategy is reserved", "RAW=true")
    assert desk.run(RAW="true")[0] == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("frezee", "has no effect; kit-deployer/freeze is probably meant"),
        ("dependency_selector", "has no effect; kit-deployer/dependency-selector is probably meant"),
        ("ready-wen", "has no effect; kit-deployer/ready-when is probably meant"),
        ("allow-failure", "has no effect: there is none of this name"),
    ],
)
def test_a_mistyped_annotation_is_told_with_its_line_and_the_nearest_one(desk: Desk, name: str, told: str) -> None:
    annotated = CONFIG_MAP.replace("name: a", f"name: a, annotations: {{kit-deployer/{name}: x}}")
    desk.write("manifests/shop/a.yaml", annotated)
    _, log = desk.run()
    assert "manifests/shop/a.yaml:3:" in log
    assert f"ConfigMap a: the annotation kit-deployer/{name} {told}" in log


def test_annotations_that_are_read_or_copied_from_a_live_object_are_not_told(desk: Desk) -> None:
    names = sorted(READ | objects.WRITTEN_ANNOTATIONS | {objects.RUN, "example.com/kit-deployer"})
    words = {TIMEOUT: "1m", READY_WHEN: "{.a}=b", FAILED_WHEN: "{.a}=c", objects.REPLACE: "true", DEPENDENCY: "app=b"}
    values = {name: words.get(name, "") for name in names}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": values}}
    desk.write("manifests/shop/a.yaml", json.dumps(body))
    code, log = desk.run()
    assert code == 1, log
    assert "the annotation" not in log


def test_annotations_without_effect_are_told_with_their_line(desk: Desk) -> None:
    desk.write("manifests/shop/a.yaml", CONFIG_MAP.replace("name: a", "name: a, annotations: {kit-deployer/keep: x}"))
    _, log = desk.run()
    assert "manifests/shop/a.yaml:3:" in log
    assert "ConfigMap a: the annotation kit-deployer/keep has no effect yet" in log


def test_a_key_that_stands_twice_is_told(desk: Desk) -> None:
    desk.write("manifests/shop/a.yaml", CONFIG_MAP + "data: {a: b}\ndata: {a: c}\n")
    _, log = desk.run()
    assert "manifests/shop/a.yaml:5:1: this key stands twice in its mapping, and the last one counts" in log


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: Secret\nmetadata: {name: s}\nstringData: {a: x, pin: 98765}\n", "stringData.pin is a number, not text"),
        ("kind: Secret\nmetadata: {name: s}\nstringData: {flag: yes}\n", "stringData.flag is the boolean true"),
        ("kind: Secret\nmetadata: {name: s}\ndata: [x]\n", "data is a list, not a mapping"),
        ("kind: ConfigMap\nmetadata: {name: s}\ndata: {port: 80}\n", "data.port is a number, not text; quote it"),
        ("kind: ConfigMap\nmetadata: {name: s, namespace: 7}\n", "metadata.namespace is a number"),
        ("kind: Pod\nmetadata: {name: s}\nspec: {containers: 3}\n", "spec.containers is a number, not a list"),
        ("kind: Pod\nmetadata: {name: s}\nspec: {containers: [null]}\n", "spec.containers.0 is nothing"),
        ("kind: Service\nmetadata: {name: s}\nspec: {ports: [{port: [80]}]}\n", "spec.ports.0.port is a list"),
        (
            "kind: Pod\nmetadata: {name: s}\nspec: {containers: [{name: c, env: [{name: PASSWORD, value: 98765}]}]}\n",
            "the value of env PASSWORD is a number",
        ),
    ],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_named_and_never_shown(desk: Desk, text: str, why: str) -> None:
    desk.write("manifests/shop/a.yaml", f"apiVersion: v1\n{text}")
    assert "98765" not in refused(desk, "a.yaml:", why)


@pytest.mark.parametrize(
    "spec", ["7", "[x]", "{template: 1}", "{template: {metadata: [a]}}", "{selector: {matchLabels: [a]}}"]
)
def test_a_deployment_of_another_shape(desk: Desk, spec: str) -> None:
    desk.write(
        "manifests/shop/a.yaml",
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, labels: {{name: a}}}}\nspec: {spec}\n",
    )
    refused(desk, "a.yaml:4:", "not a mapping")
