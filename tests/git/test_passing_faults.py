# SPDX-License-Identifier: MIT
"""Servers that stumble and connections that end: asked again, as the server wishes, until the attempts are used up."""

from __future__ import annotations

import email.utils
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.git.deployments import Deployments
from tests.git.relay import Exchange, Relay, dead_port


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


def test_a_name_that_does_not_resolve(deployments: Deployments) -> None:
    run = deployments.run(KIT_GIT_URL="http://nowhere.invalid/x.git", RETRIES="0")
    assert run.code == 1
    assert "http://nowhere.invalid/x.git: gave up after 1 failed attempt" in run.log
