# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST, where the forge or the server stumbles: what passes is waited for, and nothing is done twice."""

from __future__ import annotations

import io

import pytest

from tests.git.forges import Call
from tests.git.proposals import Once, Proposing, with_one
from tests.git.relay import Exchange, Relay


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (429, {"Retry-After": "0"}, "Too many requests"),
        (429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "1"}, "Retry later"),
        (403, {"retry-after": "0"}, "You have exceeded a secondary rate limit"),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "API rate limit exceeded"),
        (502, {}, "Bad gateway"),
    ],
)
def test_what_passes_is_waited_for(proposing: Proposing, status: int, headers: dict[str, str], message: str) -> None:
    proposing.forge.meddle = Once("POST", lambda call: call.answer(status, {"message": message}, headers))
    run = proposing.run()
    assert run.code == 0, run.log
    assert "attempt 2 follows" in run.log
    assert "result=proposed" in run.last
    assert len(proposing.repository.git("rev-list", f"master..{proposing.branch}").splitlines()) == 1


def test_a_forge_that_does_not_know_the_branch_yet_is_asked_again(proposing: Proposing) -> None:
    github = {"resource": "PullRequest", "field": "head", "code": "invalid"}
    said = {
        "github": (422, {"message": "Validation Failed", "errors": [github]}),
        "gitlab": (400, {"message": {"source_branch": ["does not exist"]}}),
    }[proposing.forge.kind]
    proposing.forge.meddle = Once("POST", lambda call: call.answer(*said))
    run = proposing.run()
    assert run.code == 0, run.log
    assert "does not know the branch" in run.log
    assert len(proposing.forge.requests) == 1


@with_one
def test_a_connection_that_is_cut_is_tried_again(proposing: Proposing) -> None:
    proposing.forge.meddle = Once("POST", Call.cut)
    run = proposing.run()
    assert run.code == 0, run.log
    assert len(proposing.forge.requests) == 1


@with_one
def test_a_rate_limit_beyond_the_deadline_is_not_waited_for(proposing: Proposing) -> None:
    said = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    proposing.forge.meddle = Once("POST", lambda call: call.answer(403, said, {"retry-after": "3600"}), times=99)
    run = proposing.run()
    assert run.code == 70, run.log
    assert "secondary rate limit" in run.log
    assert f"the branch {proposing.branch} was pushed" in run.log
    assert proposing.forge.count("POST") == 1


def test_a_request_that_was_opened_before_its_answer_was_lost_is_found(proposing: Proposing) -> None:
    def lose(call: Call) -> bool:
        sent = call.handler.wfile
        call.handler.wfile = io.BytesIO()
        proposing.forge.handle(call)
        call.handler.wfile = sent
        return call.cut()

    proposing.forge.meddle = Once("POST", lose)
    run = proposing.run()
    assert run.code == 0, run.log
    assert len(proposing.forge.requests) == 1
    assert "result=proposed" in run.last


@with_one
def test_a_push_whose_answer_is_lost_is_not_repeated(proposing: Proposing) -> None:
    def meddle(exchange: Exchange) -> bool:
        if (exchange.method, exchange.service, exchange.number) == ("POST", "git-receive-pack", 1):
            exchange.forward()
            exchange.cut()
            return True
        return False

    with Relay(proposing.repository.url_outside, meddle) as relay:
        run = proposing.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert len(proposing.repository.git("rev-list", f"master..{proposing.branch}").splitlines()) == 1
    assert "result=proposed" in run.last
    assert relay.count("POST", "git-receive-pack") == 1


@with_one
def test_a_forge_that_is_down_after_the_push(proposing: Proposing) -> None:
    proposing.forge.meddle = Once("POST", Call.cut, times=99)
    run = proposing.run(RETRIES="1", RETRY_INCREMENT="0")
    assert run.code == 1, run.log
    assert "gave up after 2 failed attempts" in run.log
    assert "running it again does the rest" in run.log
    proposing.forge.meddle = lambda _call: False
    assert "result=proposed" in proposing.run().last
