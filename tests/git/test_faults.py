# SPDX-License-Identifier: MIT
"""Pushes whose answer is lost, processes that are killed: done once, or said."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from kit_image_deployer.git.wire import packet
from tests.git.deployments import FILE, NEW, Deployments
from tests.git.relay import Exchange, Relay, pushing


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
