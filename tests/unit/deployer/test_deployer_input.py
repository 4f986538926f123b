# SPDX-License-Identifier: MIT
"""Everything that exit code 2 stands for: one sentence that says what, where, why, what next; nothing touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deployer.desk import Desk, refused


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_dead_server_is_no_input_error(desk: Desk) -> None:
    """The desk itself is right: what the other tests change is what they are refused for."""
    code, log = desk.run()
    assert code == 1
    assert "The API server cannot be reached" in log
    assert "https://127.0.0.1:1: connection refused" in log
    assert "Check the address in the kubeconfig" in log


def test_no_kubeconfig_matches(desk: Desk) -> None:
    refused(desk, "No kubeconfig was found", "CONFIGS=/nowhere/*", "Mount the kubeconfigs", CONFIGS="/nowhere/*")


def test_the_original_variable_of_the_dockerfile(desk: Desk) -> None:
    refused(desk, "CONFIGS=/there/*", CONFIGS="", CONFIGS_PATTERN="/there/*")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("apiVersion: v1\nkind: Secret\n", "its kind is Secret, not Config"),
        ("- a\n- b\n", "no mapping with kind: Config"),
        ("", "the file is empty"),
        ("kind: Config\n", "no current-context"),
        ("kind: Config\ncurrent-context: x\n", "current-context names context 'x', which contexts does not hold"),
        ("a: b: c\n", "malformed YAML"),
    ],
)
def test_a_file_that_is_no_kubeconfig(desk: Desk, text: str, why: str) -> None:
    file = desk.write("configs/shop/kubeconfig", text)
    refused(desk, str(file), why)


@pytest.mark.parametrize("name", ["certificate-authority", "client-certificate", "client-key", "tokenFile"])
def test_a_kubeconfig_that_names_a_missing_file(desk: Desk, name: str) -> None:
    if name == "certificate-authority":
        cluster = {"server": "https://127.0.0.1:1", name: "pki/missing"}
        desk.kubeconfig("shop", clusters=[{"name": "east", "cluster": cluster}])
    else:
        desk.kubeconfig("shop", users=[{"name": "me", "user": {name: "pki/missing"}}])
    refused(desk, f"{name} names {desk.root}/configs/shop/pki/missing, which does not exist", "Mount it")


def test_a_plugin_that_is_not_installed(desk: Desk) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login"}}
    desk.kubeconfig("shop", users=[{"name": "me", "user": user}])
    refused(desk, "'no-such-login' is neither on PATH nor in /plugins", "derive an image")
    user["exec"] |= {"command": "./bin/login", "installHint": "Get it from the platform team."}
    desk.kubeconfig("shop", users=[{"name": "me", "user": user}])
    refused(desk, "configs/shop/bin/login is no program", "says: Get it from the platform team.")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "apiVersion is client.authentication.k8s.io/v1a"),
        ({"apiVersion": None}, "apiVersion is missing"),
        ({"interactiveMode": "Always"}, "wants a terminal (interactiveMode: Always)"),
        ({"interactiveMode": ["Never"]}, "user.exec.interactiveMode is a list"),
    ],
)  # fmt: skip
def test_a_plugin_that_cannot_log_in_without_people(desk: Desk, changes: dict[str, Any], why: str) -> None:
    config = {"apiVersion": "client.authentication.k8s.io/v1", "command": "true", **changes}
    desk.kubeconfig("shop", users=[{"name": "me", "user": {"exec": config}}])
    refused(desk, why, "Nothing was touched.")


def test_a_proxy_of_another_kind(desk: Desk) -> None:
    cluster = {"server": "https://127.0.0.1:1", "proxy-url": "ftp://proxy"}
    desk.kubeconfig("shop", clusters=[{"name": "east", "cluster": cluster}])
    code, log = desk.run()
    assert code == 1 or code == 2
    assert "none of http, https and socks5" in log


def test_two_of_the_same_name(desk: Desk) -> None:
    desk.kubeconfig("b", clusters=[{"name": "east", "cluster": {"server": "https://127.0.0.1:2"}}])
    refused(desk, "are both named shop", "Give each its own metadata.name")


def test_two_that_lead_to_the_same_server_and_namespace(desk: Desk) -> None:
    cluster = {"server": "https://127.0.0.1:1/"}
    desk.kubeconfig("b", metadata={"name": "b"}, clusters=[{"name": "east", "cluster": cluster}])
    refused(desk, "both lead to namespace shop of https://127.0.0.1:1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://East.example.com", "https://east.example.com:443/", True),
        ("http://east.example.com:80", "http://east.example.com", True),
        ("https://east.example.com:6443", "https://east.example.com", False),
        ("https://east.example.com/a", "https://east.example.com/b", False),
    ],
)
def test_spellings_of_the_same_server(desk: Desk, one: str, other: str, same: bool) -> None:
    """The namespaces are the same as well; those that differ get no further than to the folders that are not there."""
    (desk.root / "manifests/shop/a.yaml").unlink()
    (desk.root / "manifests/shop").rmdir()
    for name, server in (("shop", one), ("b", other)):
        desk.kubeconfig(name, metadata={"name": name}, clusters=[{"name": "east", "cluster": {"server": server}}])
    code, log = desk.run()
    assert code == 2
    assert ("both lead to namespace shop" if same else "Nothing would be deployed") in log


def test_a_name_that_leads_out_of_the_manifests(desk: Desk) -> None:
    desk.kubeconfig("shop", metadata={"name": "../secrets"})
    refused(desk, "leads out of the manifests")


def test_no_manifests_folder(desk: Desk) -> None:
    refused(desk, "MANIFESTS_DIR=/nowhere is no folder", MANIFESTS_DIR="/nowhere")


def test_manifests_without_a_kubeconfig_and_the_other_way_round(desk: Desk) -> None:
    desk.write("manifests/west/a.yaml", "")
    desk.kubeconfig("north", metadata={"name": "north"}, contexts=[
        {"name": "it", "context": {"cluster": "east", "user": "me", "namespace": "north"}}])  # fmt: skip
    code, log = desk.run()
    assert code == 1, "deploying some clusters by hand is normal"
    assert f"warning: folder {desk.root}/manifests/west has no kubeconfig" in log
    assert f"(north) has no manifests: there is no folder {desk.root}/manifests/north" in log
    refused(desk, "west has no kubeconfig", "(north) has no manifests", "KIT_REQUIRE_ALL=true", KIT_REQUIRE_ALL="true")


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


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


def test_a_run_that_would_deploy_nothing_is_no_success(desk: Desk) -> None:
    desk.write("manifests/west/a.yaml", CONFIG_MAP)
    desk.kubeconfig("shop", metadata={"name": "shopp"})
    shutil.rmtree(desk.root / "manifests/shop")
    refused(desk, "Nothing would be deployed", "(shopp) has no manifests", "west has no kubeconfig", "mounts")


def test_namespaces_hold_namespaces(desk: Desk) -> None:
    desk.write("namespaces/shop/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    refused(desk, "ConfigMap a is no Namespace")


@pytest.mark.parametrize(
    ("index", "why"),
    [
        ({"version": 1, "complete": False}, "the render was not completed"),
        ({"version": 1}, "the render was not completed"),
        ({"version": 1, "complete": False, "limited_to": None, "left_out": []}, "the render was not completed"),
        (
            {"version": 1, "complete": False, "limited_to": "web"},
            "only the resource web was rendered (set RESOURCE=web",
        ),
        ({"version": 1, "complete": True, "placeholders": True}, "rendered with placeholders"),
        ({"version": 2, "complete": True}, "of a version that this deployer does not know"),
        ([], "of a version"),
    ],
)
def test_an_incomplete_render(desk: Desk, index: Any, why: str) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps(index))
    refused(desk, "The rendered manifests cannot be deployed", why, "Render them again")


def test_a_render_of_one_resource_serves_a_deploy_of_it(desk: Desk) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": False, "limited_to": "web"}))
    assert desk.run(RESOURCE="web")[0] == 1
    refused(desk, "only the resource web", RESOURCE="api")


def test_what_may_fail_to_render_does_not_stop_the_rest(desk: Desk) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": False, "left_out": ["mailer"]}))
    code, log = desk.run()[:2]
    assert code == 1, "the cluster of this test is dead: the run got as far as asking it"
    assert "rendered without mailer, which failed and may (allowFailure)" in log


def test_a_complete_render_is_taken(desk: Desk) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": True, "placeholders": False}))
    assert desk.run()[0] == 1


def test_reserved_labels_are_found_before_any_cluster_is_touched(desk: Desk) -> None:
    desk.write("manifests/shop/z.yaml", CONFIG_MAP.replace("name: a", "name: z, labels: {strategy: x}"))
    refused(desk, "z.yaml:3:40: The manifest is wrong: ConfigMap z: the label strategy is reserved", "RAW=true")
    assert desk.run(RAW="true")[0] == 1


def test_wrong_input_is_reported_as_well(desk: Desk) -> None:
    desk.write("manifests/shop/z.yaml", "a: b: c\n")
    refused(desk, KIT_REPORT_DIR=f"{desk.root}/reports")
    report = json.loads((desk.root / "reports/report.json").read_text())
    assert report["exit_code"] == 2
    assert report["error"]["place"] == {"file": f"{desk.root}/manifests/shop/z.yaml", "line": 1}
    assert "malformed YAML" in (desk.root / "reports/junit.xml").read_text()


def test_kubeconfigs_in_hidden_folders_are_left_out_and_links_followed(desk: Desk) -> None:
    """As Kubernetes mounts a secret: the file is a link into a hidden folder."""
    file = desk.root / "configs/shop/kubeconfig"
    hidden = desk.root / "configs/shop/..data"
    hidden.mkdir()
    file.rename(hidden / "kubeconfig")
    file.symlink_to("..data/kubeconfig")
    assert desk.run()[0] == 1


def test_the_folder_names_the_cluster_where_metadata_does_not(desk: Desk) -> None:
    desk.kubeconfig("shop", metadata=None)
    assert "[shop] reading the cluster" in desk.run()[1]
    (desk.root / "manifests/shop").rename(desk.root / "manifests/east")
    assert "[east] reading the cluster" in desk.run()[1]


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


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"metadata": {"name": 7}}, "metadata.name is a number, not text"),
        ({"metadata": ["shop"]}, "metadata is a list, not a mapping"),
        ({"users": [{"name": "me", "user": {"token": 987654}}]}, "user.token is a number, not text; quote it"),
        ({"users": [{"name": "me", "user": {"exec": {"command": ["aws"]}}}]}, "user.exec.command is a list"),
        ({"users": [{"name": "me", "user": {"exec": {"args": ["x"]}}}]}, "its exec plugin has no command"),
        ({"users": [{"name": "me", "user": {"exec": {"command": "sh", "env": [{}]}}}]}, "a variable without name"),
        ({"clusters": [{"name": "east", "cluster": {"server": "https://[::1"}}]}, "no server with an http(s) address"),
        ({"clusters": [{"name": "east", "cluster": {"server": "https://h:99999"}}]}, "no server with an http(s)"),
        ({"clusters": [{"name": "east", "cluster": {"server": "https://"}}]}, "no server with an http(s) address"),
    ],
)  # fmt: skip
def test_a_kubeconfig_with_values_of_the_wrong_kind(desk: Desk, changes: Any, why: str) -> None:
    desk.kubeconfig("shop", **changes)
    assert "987654" not in refused(desk, "configs/shop/kubeconfig", why)
