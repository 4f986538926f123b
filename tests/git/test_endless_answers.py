# SPDX-License-Identifier: MIT
"""Servers, proxies and name servers that never come to an end: the time limit is met all the same."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.git.deployments import Deployments
from tests.git.relay import Exchange, Relay


@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_an_answer_that_never_ends_meets_the_time_limit(deployments: Deployments, service: str) -> None:
    ended = threading.Event()

    def drip(exchange: Exchange) -> bool:
        if exchange.method != "POST" or exchange.service != service:
            return False
        exchange.handler.send_response(200)
        exchange.handler.send_header("Content-Type", f"application/x-{service}-result")
        exchange.handler.send_header("Content-Length", "1000000")
        exchange.handler.end_headers()
        with contextlib.suppress(OSError):
            while not ended.wait(0.05):
                exchange.handler.wfile.write(b"f")  # the beginning of a long line
        exchange.cut()
        return True

    begun = time.monotonic()
    with Relay(deployments.repository.url_outside, meddle=drip) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, KIT_DEADLINE="2")
        ended.set()
    assert run.code == 70, run.log
    assert "KIT_DEADLINE" in run.log
    assert time.monotonic() - begun < 25


def test_a_head_that_never_ends_meets_the_time_limit(deployments: Deployments) -> None:
    ended = threading.Event()

    def drip(exchange: Exchange) -> bool:
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        with contextlib.suppress(OSError):
            while not ended.wait(0.05):
                exchange.handler.wfile.write(b"a")
        exchange.cut()
        return True

    begun = time.monotonic()
    with Relay(deployments.repository.url_outside, meddle=drip) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, KIT_DEADLINE="1")
        ended.set()
    assert run.code == 70, run.log
    assert "did not answer in time" in run.log
    assert time.monotonic() - begun < 10


@contextlib.contextmanager
def dripping(beginning: bytes) -> Iterator[int]:
    """A server that says a little at a time and never enough."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(beginning)
            while not ended.wait(0.05):
                connection.sendall(b"a")

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize(
    ("beginning", "settings"),
    [
        (b"\x16\x03\x03\x40\x00", {"KIT_GIT_URL": "https://127.0.0.1:{port}/x.git"}),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", {"HTTPS_PROXY": "http://127.0.0.1:{port}"}),
        (b"", {"KIT_GIT_URL": "http://127.0.0.1:{port}/x.git"}),
    ],
    ids=["TLS", "a proxy's answer to CONNECT", "an answer"],
)
def test_a_beginning_that_never_ends_meets_the_time_limit(
    deployments: Deployments, beginning: bytes, settings: dict[str, str]
) -> None:
    begun = time.monotonic()
    with dripping(beginning) as port:
        given = {name: value.format(port=port) for name, value in settings.items()}
        run = deployments.run(**{"KIT_GIT_URL": "https://git.example.com/x.git", **given}, KIT_DEADLINE="1")
    assert run.code == 70, run.log
    assert "the time limit of 1 s" in run.log
    assert time.monotonic() - begun < 10


def test_a_name_that_nobody_looks_up_meets_the_time_limit(
    deployments: Deployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def look_up(*_arguments: object, **_others: object) -> NoReturn:
        ended.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    begun = time.monotonic()
    run = deployments.run(KIT_GIT_URL="https://git.example.com/x.git", KIT_DEADLINE="1")
    ended.set()
    assert run.code == 70, run.log
    assert "no connection in time" in run.log
    assert time.monotonic() - begun < 10
