# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST over time: older and newer builds, requests that are merged or closed meanwhile."""

from __future__ import annotations

import re

import pytest

from tests.git.deployments import NEW, OLD, Run
from tests.git.forges import Call
from tests.git.proposals import THIRD, Once, Proposing, with_one
from tests.git.relay import Exchange, Relay


@with_one
def test_an_older_build_replaces_nothing_newer_in_the_request(proposing: Proposing) -> None:
    source = {"KIT_BUILD_SOURCE": "ci shop/cart"}
    assert "result=proposed" in proposing.run(KIT_BUILD_NUMBER="9", IMAGE=THIRD, **source).last
    head = proposing.repository.head(proposing.branch)
    run = proposing.run(KIT_BUILD_NUMBER="8", **source)
    assert run.code == 0, run.log
    assert "result=superseded" in run.last
    assert "url=https://" in run.last
    assert proposing.repository.head(proposing.branch) == head
    proposing.merge()
    run = proposing.run(KIT_BUILD_NUMBER="8", **source)
    assert "result=superseded" in run.last, run.log


@with_one
def test_an_older_build_replaces_nothing_newer_that_has_no_request_yet(proposing: Proposing) -> None:
    """The newer build's run is between its push and its request, and the older one comes to a branch of nobody's."""
    source = {"KIT_BUILD_SOURCE": "ci shop/cart"}
    older: list[Run] = []

    def meddle(call: Call) -> bool:
        if call.method == "POST":
            proposing.forge.meddle = lambda _call: False
            older.append(proposing.run(KIT_BUILD_NUMBER="8", **source))
        return False

    proposing.forge.meddle = meddle
    run = proposing.run(KIT_BUILD_NUMBER="9", IMAGE=THIRD, **source)
    assert run.code == 0, run.log
    assert "result=superseded" in older[0].last, older[0].log
    assert "a newer build's commit that no request holds" in older[0].log
    assert THIRD in proposing.value()
    assert proposing.forge.only()["title"] == f"Deploy {THIRD}"
    assert commits_of(proposing) == 1


@with_one
def test_what_a_closed_request_held_holds_up_no_older_build(proposing: Proposing) -> None:
    """Who closed it without a merge did not want the newer build."""
    source = {"KIT_BUILD_SOURCE": "ci shop/cart"}
    proposing.run(KIT_BUILD_NUMBER="9", IMAGE=THIRD, **source)
    proposing.forge.close(1)
    assert "result=proposed" in proposing.run(KIT_BUILD_NUMBER="8", **source).last
    assert NEW in proposing.value()
    assert commits_of(proposing) == 1


@with_one
def test_a_newer_build_of_one_file_stays_when_the_target_moves(proposing: Proposing) -> None:
    """Of two files in one request, the older build has the newer image of one only."""
    source = {"KIT_BUILD_SOURCE": "ci shop", "KIT_IMAGES": "shop/web=registry.example.com/shop/web:master-1"}
    assert "result=proposed" in proposing.run(KIT_BUILD_NUMBER="9", IMAGE=THIRD, **source).last
    proposing.repository.commit({"other.txt": "the target moved\n"})
    source["KIT_IMAGES"] = "shop/web=registry.example.com/shop/web:8"
    run = proposing.run(KIT_BUILD_NUMBER="8", **source)
    assert run.code == 0, run.log
    assert "has a newer build's commit and is not moved" in run.log
    assert THIRD in proposing.value()
    assert "shop/web:8" in proposing.repository.read("images/shop/web/master.yaml", proposing.branch)
    assert f"→ `{THIRD}`" in proposing.forge.only()["body"]
    assert "→ `registry.example.com/shop/web:8`" in proposing.forge.only()["body"]


def test_a_request_that_is_merged_before_it_is_brought_up_to_date(proposing: Proposing) -> None:
    proposing.run()
    merged: list[str] = []

    def meddle(exchange: Exchange) -> bool:
        if (exchange.method, exchange.service) == ("POST", "git-receive-pack") and not merged:
            proposing.merge()
            proposing.forge.close(1)
            merged.append(proposing.repository.head())
        return False

    with Relay(proposing.repository.url_outside, meddle) as relay:
        run = proposing.run(KIT_GIT_URL=relay.url, IMAGE=THIRD)
    assert run.code == 0, run.log
    assert "was merged or closed meanwhile" in run.log
    assert proposing.forge.only()["number"] == 2
    assert THIRD in proposing.value()
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == merged[0]
    assert re.search(r"url=https://\S+/2(\s|$)", run.last)


@with_one
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_the_last_word_is_about_the_last_commit(proposing: Proposing, method: str) -> None:
    """Another run goes all its way while ours writes title and description."""
    if method == "PATCH":
        proposing.run()
    others: list[Run] = []

    def meddle(call: Call) -> bool:
        if call.method == method:
            proposing.forge.meddle = lambda _call: False
            others.append(proposing.run(IMAGE=THIRD))
        return False

    proposing.forge.meddle = meddle
    run = proposing.run(IMAGE=f"{OLD}1")
    assert (run.code, others[0].code) == (0, 0), run.log
    assert THIRD in proposing.value()
    request = proposing.forge.only()
    assert request["title"] == f"Deploy {THIRD}"
    assert f"→ `{THIRD}`" in request["body"]
    assert f"Kit-Image: {THIRD}" in request["body"]


@with_one
def test_what_an_earlier_run_could_not_write_is_written_later(proposing: Proposing) -> None:
    proposing.run()
    proposing.forge.meddle = Once("PATCH", lambda call: call.answer(403, {"message": "no"}))
    assert "running it again does the rest" in proposing.run(IMAGE=THIRD).log
    head = proposing.repository.head(proposing.branch)
    run = proposing.run(IMAGE=THIRD)
    assert "result=unchanged" in run.last, run.log
    assert proposing.forge.only()["title"] == f"Deploy {THIRD}"
    assert proposing.repository.head(proposing.branch) == head


def commits_of(proposing: Proposing) -> int:
    """How many commits the request would bring."""
    return len(proposing.repository.git("rev-list", f"master..{proposing.branch}").splitlines())


@with_one
def test_a_branch_that_is_merged_before_its_request_is_opened(proposing: Proposing) -> None:
    custom = {"resource": "PullRequest", "code": "custom", "message": "No commits between master and kit/…"}

    def merge(call: Call) -> None:
        proposing.merge()
        call.answer(422, {"message": "Validation Failed", "errors": [custom]})

    proposing.forge.meddle = Once("POST", merge)
    run = proposing.run()
    assert run.code == 0, run.log
    assert NEW in proposing.value("master")
    assert "result=unchanged" in run.last
    assert proposing.forge.requests == []
