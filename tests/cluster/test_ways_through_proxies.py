# SPDX-License-Identifier: MIT
"""The way to a cluster through a proxy, or a bastion."""

from __future__ import annotations

import base64
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
import yaml

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map


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
            hand_on(self.request, server)


class Socks(socketserver.StreamRequestHandler):
    """A SOCKS5 proxy without a password, as `ssh -D` opens one."""

    asked: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        host = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self.rfile.read(4))
        port = int.from_bytes(self.rfile.read(2))
        self.asked.append(f"{host}:{port}")
        with socket.create_connection((host, port)) as server:
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            hand_on(self.connection, server)


def hand_on(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)


@pytest.fixture
def proxy() -> Iterator[str]:
    yield from serving(Tunnel)


@pytest.fixture
def socks() -> Iterator[str]:
    yield from serving(Socks)


def serving(handler: type[Tunnel | Socks]) -> Iterator[str]:
    handler.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
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


def test_through_a_bastion(shop: Desk, cluster: Cluster, namespace: str, socks: str) -> None:
    """`ssh -D` opens such a proxy, which also looks names up where it is."""
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    entry = config["clusters"][0]["cluster"]
    entry |= {"proxy-url": f"socks5://{socks}", "server": f"https://localhost:{cluster.port}"}
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    shop.write("manifests/shop/a.json", config_map("settings"))
    run = shop.deploy()
    assert run.code == 0, run.log
    assert set(Socks.asked) == {f"localhost:{cluster.port}"}
