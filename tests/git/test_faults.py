# SPDX-License-Identifier: MIT
"""Connections that break, servers that stumble, processes that are killed: done once, or said."""

from __future__ import annotations

import contextlib
import email.utils
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

from kit_image_deployer.git.wire import packet
from tests.git.conftest import FILE, NEW, Deployments
from tests.git.relay import Exchange, Relay


def pushing(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.service == "git-receive-pack"


@pytest.mark.parametrize("how", ["cut", "502", "half an answer"])
def test_a_push_whose_answer_is_lost_had_arrived(deployments: Deployments, how: str) -> None:
    before = deployments.commits()

    def lose(exchange: Exchange) -> bool:
        if not pushing(exchange) or exchange.number > 1:
            return False
        response = exchange.forward()
        if how == "cut":
            exchange.cut()
        elif how == "502":
            exchange.answer(502)
        else:
            exchange.answer(200, body=response.data[:9], Content_Type="application/x-git-receive-pack-result")
        return True

    with Relay(deployments.repository.url_outside, meddle=lose) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert "had arrived" in run.log
    commits = deployments.commits()
    assert commits[1:] == before
    assert f"commit={commits[0]}" in run.last
    assert relay.count("POST", "git-receive-pack") == 1


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize("without", [frozenset(), frozenset({"git-protocol"})])
def test_what_someone_wrote_after_our_lost_answer_stays(
    deployments: Deployments, filters: str, without: frozenset[str]
) -> None:
    deployments.repository.git("config", "uploadpack.allowFilter", filters)

    def lose_and_overwrite(exchange: Exchange) -> bool:
        if not pushing(exchange):
            return False
        exchange.forward()
        deployments.repository.commit({FILE: "image: newer:3\n"})
        deployments.repository.commit({"other.txt": "more\n"})
        exchange.cut()
        return True

    with Relay(deployments.repository.url_outside, meddle=lose_and_overwrite, without=without) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    commits = deployments.commits()
    assert run.code == 0, run.log
    assert len(commits) == 4
    assert f"commit={commits[2]}" in run.last
    assert deployments.repository.read(FILE) == "image: newer:3\n"


@pytest.mark.parametrize("filters", ["true", "false"])
def test_a_push_that_never_arrived_is_made_again(deployments: Deployments, filters: str) -> None:
    deployments.repository.git("config", "uploadpack.allowFilter", filters)

    def drop(exchange: Exchange) -> bool:
        if pushing(exchange) and exchange.number == 1:
            deployments.repository.commit({"other.txt": "by someone else\n"})
            exchange.cut()
            return True
        return False

    with Relay(deployments.repository.url_outside, meddle=drop) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert len(deployments.commits()) == 3
    assert NEW in deployments.repository.read(FILE)


def test_what_may_have_arrived_is_said_whatever_fails_afterwards(deployments: Deployments) -> None:
    def lose_then_lock_out(exchange: Exchange) -> bool:
        if pushing(exchange):
            exchange.forward()
            exchange.cut()
            return True
        if relay.count("POST", "git-receive-pack"):
            exchange.answer(403)
            return True
        return False

    with Relay(deployments.repository.url_outside, meddle=lose_then_lock_out) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1
    assert f"the push of {deployments.commits()[0]} got no answer and may have arrived" in run.log


@pytest.mark.parametrize("arrives", [True, False])
def test_a_server_that_gives_up_in_the_middle_of_a_push(deployments: Deployments, arrives: bool) -> None:
    before = deployments.commits()

    def give_up(exchange: Exchange) -> bool:
        if not pushing(exchange):
            return False
        if arrives:
            exchange.forward()
            deployments.repository.commit({FILE: "image: newer:3\n"})
        body = packet(b"\x03internal trouble\n") + b"0000"
        exchange.answer(200, body=body, Content_Type="application/x-git-receive-pack-result")
        return True

    with Relay(deployments.repository.url_outside, meddle=give_up) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert relay.count("POST", "git-receive-pack") == 1
    if arrives:
        assert run.code == 0, run.log
        assert deployments.commits()[2:] == before
        assert deployments.repository.read(FILE) == "image: newer:3\n"
    else:
        assert run.code == 1
        assert "the server refused to push: internal trouble" in run.log
        assert deployments.commits() == before


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


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(deployments: Deployments, status: int, form: str) -> None:
    asked: list[float] = []

    def busy(exchange: Exchange) -> bool:
        asked.append(time.monotonic())
        if len(asked) == 1:
            # A date knows whole seconds only.
            wish = "1" if form == "seconds" else email.utils.formatdate(time.time() + 2.5, usegmt=True)
            exchange.answer(status, body=b"deploying\n", Content_Type="text/plain", Retry_After=wish)
            return True
        return False

    with Relay(deployments.repository.url_outside, meddle=busy) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0
    assert f"the server answered {status}" in run.log
    assert "deploying" in run.log
    assert asked[1] - asked[0] >= 1


@pytest.mark.parametrize("wish", ["\u00b2", "soon", "Mon, 99 Foo 0000", "-1"])
def test_a_retry_after_that_says_nothing_is_passed_over(deployments: Deployments, wish: str) -> None:
    def busy(exchange: Exchange) -> bool:
        if len(relay.requests) == 1:
            exchange.answer(503, Retry_After=wish)
            return True
        return False

    with Relay(deployments.repository.url_outside, meddle=busy) as relay:
        assert deployments.run(KIT_GIT_URL=relay.url).code == 0


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_statuses_that_may_pass(deployments: Deployments, status: int) -> None:
    """Whatever is asked meets it once."""
    met: set[tuple[str, str]] = set()

    def stumble(exchange: Exchange) -> bool:
        kind = (exchange.method, exchange.service)
        if kind in met:
            return False
        met.add(kind)
        exchange.answer(status, body=b"in a moment\n", Content_Type="text/plain")
        return True

    with Relay(deployments.repository.url_outside, meddle=stumble) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, RETRY_INCREMENT="0.01")
    assert run.code == 0, run.log
    assert len(met) == 4
    assert run.log.count(f"the server answered {status}") == 4
    assert "in a moment" in run.log
    assert len(deployments.commits()) == 2


@pytest.mark.parametrize("how", ["cut", "reset", "half_close"])
def test_connections_that_end_at_every_step(deployments: Deployments, how: str) -> None:
    met: set[tuple[str, str]] = set()

    def end(exchange: Exchange) -> bool:
        kind = (exchange.method, exchange.service)
        if kind in met:
            return False
        met.add(kind)
        getattr(exchange, how)()
        return True

    with Relay(deployments.repository.url_outside, meddle=end) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, RETRY_INCREMENT="0.01")
    assert run.code == 0, run.log
    assert len(met) == 4
    assert len(deployments.commits()) == 2
    deployments.check_history()


def test_a_server_that_comes_back(deployments: Deployments) -> None:
    with Relay(deployments.repository.url_outside) as relay:
        address = relay.url
    tried = threading.Event()

    def come_back() -> None:
        assert tried.wait(20)
        with Relay(deployments.repository.url_outside, port=urlsplit(address).port or 0):
            assert done.wait(60)

    done = threading.Event()
    thread = threading.Thread(target=come_back)
    thread.start()
    threading.Timer(0.3, tried.set).start()
    run = deployments.run(KIT_GIT_URL=address, RETRIES="1000", RETRY_INCREMENT="0.01", KIT_DEADLINE="60")
    done.set()
    thread.join()
    assert run.code == 0, run.log
    assert "Connection refused" in run.log
    assert len(deployments.commits()) == 2


def test_a_server_that_stays_broken_ends_with_1(deployments: Deployments) -> None:
    def broken(exchange: Exchange) -> bool:
        exchange.answer(500)
        return True

    with Relay(deployments.repository.url_outside, meddle=broken) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, RETRIES="2", RETRY_INCREMENT="0.01")
    assert run.code == 1
    assert "gave up after 3 failed attempts: the server answered 500" in run.log
    assert len(relay.requests) == 3


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        yield held.getsockname()[1]


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"RETRIES": "1"}, 1, "gave up after 2 failed attempts"),
        ({"KIT_DEADLINE": "1", "RETRIES": "1000", "RETRY_INCREMENT": "0.1"}, 70, "the time limit of 1 s"),
    ],
)
def test_a_dead_network(deployments: Deployments, settings: dict[str, str], code: int, words: str) -> None:
    with dead_port() as port:
        run = deployments.run(KIT_GIT_URL=f"http://127.0.0.1:{port}/x.git", **settings)
    assert run.code == code
    assert words in run.log
    assert "Connection refused" in run.log


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


def test_a_name_that_does_not_resolve(deployments: Deployments) -> None:
    run = deployments.run(KIT_GIT_URL="http://nowhere.invalid/x.git", RETRIES="0")
    assert run.code == 1
    assert "http://nowhere.invalid/x.git: gave up after 1 failed attempt" in run.log


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


def await_true(condition: Callable[[], bool], *, what: str, limit: float = 20) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {limit} s"
        time.sleep(0.02)


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    "moment", ["before anything", "while reading", "before the push", "after the push", "after a lost answer"]
)
def test_killed_and_run_again(deployments: Deployments, kill: signal.Signals, moment: str) -> None:
    reached: list[bool] = []
    killed: list[bool] = []

    def hold(exchange: Exchange) -> bool:
        at = {
            "before anything": exchange.method == "GET" and exchange.service == "git-upload-pack",
            "while reading": exchange.service == "git-upload-pack" and len(relay.requests) == 5,
            "before the push": pushing(exchange),
            "after the push": pushing(exchange),
            "after a lost answer": relay.count("POST", "git-receive-pack") == 1,
        }[moment]
        if killed or not at:
            return False
        if moment == "after a lost answer" and pushing(exchange):
            exchange.forward()
            exchange.cut()
            return True
        if moment == "after the push":
            exchange.forward()
        reached.append(True)
        await_true(lambda: bool(killed), what="the kill")
        exchange.cut()
        return True

    before = deployments.commits()
    with Relay(deployments.repository.url_outside, meddle=hold) as relay:
        arguments, env = deployments.process(KIT_GIT_URL=relay.url)
        with subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as first:
            await_true(lambda: bool(reached), what=moment)
            first.send_signal(kill)
            output, _ = first.communicate(timeout=5)
            killed.append(True)
        assert first.returncode == (143 if kill == signal.SIGTERM else -9)
        if kill == signal.SIGTERM:
            assert "interrupted by SIGTERM" in output
            assert ("may have arrived" in output) == moment.endswith(("the push", "lost answer"))
        again = deployments.run(KIT_GIT_URL=relay.url)
    assert again.code == 0, again.log
    commits = deployments.commits()
    assert commits[1:] == before
    assert NEW in deployments.repository.read(FILE)
    deployments.check_history()
