# SPDX-License-Identifier: MIT
"""The ways to a cluster and to log in there: certificates, tokens, plugins, proxies; and what an account may not do."""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map

ROOT = Path(__file__).parents[2]


def token_of(cluster: Cluster, namespace: str) -> str:
    """A service account's token with rights to the namespace, as a CI would have."""
    cluster.kubectl("--namespace", namespace, "create", "serviceaccount", "deployer")
    cluster.kubectl(
        "--namespace", namespace, "create", "rolebinding", "deployer", "--clusterrole=admin",
        f"--serviceaccount={namespace}:deployer",
    )  # fmt: skip
    return cluster.kubectl("--namespace", namespace, "create", "token", "deployer").stdout.strip()


def with_user(kubeconfig: str, user: dict[str, Any]) -> str:
    config = yaml.safe_load(kubeconfig)
    config["users"][0]["user"] = user
    return yaml.safe_dump(config)


def test_tokens_token_files_and_plugins_log_in(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    namespace = make_namespace(cluster)
    token = token_of(cluster, namespace)
    base = cluster.kubeconfig("shop", namespace, inside=False)
    desk.write("plugins/give-token", f"#!/bin/sh\necho '{credential(token)}'\n").chmod(0o755)
    desk.write("configs/shop/the-token", token + "\n")
    desk.write("manifests/shop/a.json", config_map("settings"))
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "give-token", "interactiveMode": "Never"}
    users: list[dict[str, Any]] = [{"token": token}, {"tokenFile": "the-token"}, {"exec": plugin}]
    for number, user in enumerate(users):
        desk.write("configs/shop/kubeconfig", with_user(base, user))
        desk.write("manifests/shop/a.json", config_map("settings", turn=str(number)))
        run = desk.deploy(PATH=f"{desk.root}/plugins:{os.environ['PATH']}")
        assert run.code == 0, run.log
        assert "the account may not read namespace kube-system" in run.log
        assert token not in run.log
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"turn": "2"}


def credential(token: str) -> str:
    return json.dumps(
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    )


def test_certificates_in_files_beside_the_kubeconfig_and_an_unchecked_server(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    holder, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    for entry, name, file in (
        (holder, "certificate-authority", "ca.pem"),
        (user, "client-certificate", "client.pem"),
        (user, "client-key", "client.key"),
    ):
        data = entry.pop(f"{name}-data")
        shop.write(f"configs/shop/pki/{file}", base64.b64decode(data).decode())
        entry[name] = f"pki/{file}"
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    shop.write("manifests/shop/a.json", config_map("settings"))
    assert shop.deploy().code == 0

    del holder["certificate-authority"]
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    untrusted = shop.deploy()
    assert untrusted.code == 1
    assert "its certificate is not trusted" in untrusted.log
    assert "KIT_CA_CERT" in untrusted.log
    assert shop.deploy(KIT_CA_CERT=str(shop.root / "configs/shop/pki/ca.pem")).code == 0

    holder["insecure-skip-tls-verify"] = True
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    unchecked = shop.deploy()
    assert unchecked.code == 0, unchecked.log
    assert "insecure-skip-tls-verify: the server's certificate is not checked" in unchecked.log


def test_an_account_without_rights_is_told_which(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    namespace, other = make_namespace(cluster), make_namespace(cluster)
    token = token_of(cluster, namespace)
    base = cluster.kubeconfig("shop", other, inside=False)
    desk.target("shop", with_user(base, {"token": token}))
    desk.write("manifests/shop/a.json", config_map("settings"))
    run = desk.deploy()
    assert run.code == 1
    assert "configmaps is forbidden" in run.log
    assert "RBAC" in run.log


class Tunnel(socketserver.BaseRequestHandler):
    """An HTTP proxy as companies have them, for one CONNECT."""

    asked: ClassVar[list[str]] = []

    def handle(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += self.request.recv(4096)
        self.asked.append(request.decode())
        _, address, _ = request.decode().split(" ", 2)
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            both = [self.request, server]
            while True:
                for ready in select.select(both, [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (server if ready is self.request else self.request).sendall(data)


@pytest.fixture
def proxy() -> Iterator[str]:
    Tunnel.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_through_the_kubeconfigs_proxy_or_the_environments(
    shop: Desk, cluster: Cluster, namespace: str, proxy: str
) -> None:
    shop.write("manifests/shop/a.json", config_map("settings"))
    assert shop.deploy(HTTPS_PROXY=f"http://{proxy}", NO_PROXY="127.0.0.1").code == 0
    assert Tunnel.asked == []
    assert shop.deploy(HTTPS_PROXY=f"http://{proxy}").code == 0
    assert Tunnel.asked
    Tunnel.asked.clear()
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    config["clusters"][0]["cluster"]["proxy-url"] = f"http://me:hunter2-canary@{proxy}"
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    run = shop.deploy(DEBUG="true")
    assert run.code == 0, run.log
    basic = base64.b64encode(b"me:hunter2-canary").decode()
    assert all(f"Basic {basic}" in request for request in Tunnel.asked)
    assert "hunter2-canary" not in run.log
