# SPDX-License-Identifier: MIT
"""The way through a proxy to the git server."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from tests.git.deployments import Deployments
from tests.git.relay import Exchange, Relay, dead_port


def test_a_proxy_is_used_and_named(deployments: Deployments) -> None:
    with dead_port() as port:
        proxy = f"http://me:canary-proxy@127.0.0.1:{port}"
        run = deployments.run(HTTP_PROXY=proxy, RETRIES="0")
        assert run.code == 1
        assert "the proxy: " in run.log
        assert "canary" not in run.log
        assert deployments.run(HTTP_PROXY=proxy, NO_PROXY="127.0.0.1").code == 0


@pytest.mark.parametrize(("status", "requests"), [(407, 1), (403, 1), (503, 2)])
def test_a_proxy_that_refuses(deployments: Deployments, status: int, requests: int) -> None:
    asked: list[bytes] = []

    def refuse(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    asked.append(connection.recv(65_536))
                    connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=refuse, args=(listening,), daemon=True)
        thread.start()
        proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
        run = deployments.run(KIT_GIT_URL="https://git.example.com/x.git", HTTPS_PROXY=proxy, RETRIES="1")
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert run.code == 1
    assert f"{status} No" in run.log
    assert "roxy" in run.log
    assert len(asked) == requests


def test_a_proxy_carries_everything(deployments: Deployments) -> None:
    seen: list[str | None] = []

    def spy(exchange: Exchange) -> bool:
        seen.append(exchange.handler.headers.get("Proxy-Authorization"))
        return False

    with Relay(deployments.repository.url_outside, meddle=spy) as relay:
        proxy = relay.url.rpartition("/")[0].replace("://", "://me:secret@")
        run = deployments.run(http_proxy=proxy)
    assert run.code == 0, run.log
    assert set(seen) == {"Basic bWU6c2VjcmV0"}
    assert len(deployments.commits()) == 2
