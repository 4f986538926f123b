# SPDX-License-Identifier: MIT
"""Kubeconfigs that end a run with code 2: one sentence that says what, where, why, what next; nothing touched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.deployer.desk import Desk, refused


def test_a_dead_server_is_no_input_error(desk: Desk) -> None:
    """The desk itself is right: what the other tests change is what they are refused for."""
    code, log = desk.run()
    assert code == 1
    assert "The API server cannot be reached" in log
    assert "https://127.0.0.1:1: connection refused" in log
    assert "Check the address in the kubeconfig" in log


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
