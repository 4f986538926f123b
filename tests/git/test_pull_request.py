# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST: one open request for the same files, and nothing pushed to the target."""

from __future__ import annotations

import re

import pytest

from tests.git.deployments import FILE, NEW, OLD, Deployments, Run
from tests.git.forges import GitLabDouble
from tests.git.proposals import THIRD, Proposing, with_one


def test_a_branch_and_a_request_instead_of_a_push(proposing: Proposing) -> None:
    before = proposing.repository.head()
    run = proposing.run()
    assert run.code == 0, run.log
    assert proposing.repository.head() == before
    assert NEW in proposing.value()
    assert proposing.repository.head(proposing.branch) != before
    request = proposing.forge.only()
    assert (request["branch"], request["target"]) == (proposing.branch, "master")
    assert request["title"] == f"Deploy {NEW}"
    assert f"- `{FILE}`: `{OLD}` → `{NEW}`" in request["body"]
    assert f"Kit-Image: {NEW}" in request["body"]
    assert "result=proposed" in run.last
    assert re.search(r"url=https://\S+/(pull|merge_requests)/1(\s|$)", run.last)
    assert f"branch={proposing.branch}" in run.last
    assert f"commit={proposing.repository.head(proposing.branch)}" in run.last


def test_the_same_again_changes_nothing(proposing: Proposing) -> None:
    proposing.run()
    head = proposing.repository.head(proposing.branch)
    run = proposing.run()
    assert run.code == 0, run.log
    assert "result=unchanged" in run.last
    assert "url=https://" in run.last
    assert proposing.repository.head(proposing.branch) == head
    assert proposing.forge.count("POST") == 1
    assert proposing.forge.count("PATCH") + proposing.forge.count("PUT") == 0


def test_the_open_one_is_brought_up_to_date(proposing: Proposing) -> None:
    proposing.run()
    first = proposing.repository.head(proposing.branch)
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert "result=proposed" in run.last
    assert proposing.forge.only()["title"] == f"Deploy {THIRD}"
    assert f"`{OLD}` → `{THIRD}`" in proposing.forge.only()["body"]
    assert THIRD in proposing.value()
    # The target has not moved: what was proposed before is history, not lost.
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == first
    assert len(proposing.forge.requests) == 1


@with_one
def test_another_file_has_a_request_of_its_own(proposing: Proposing) -> None:
    proposing.run()
    run = proposing.run(DOCKER_REPO="shop/web", IMAGE="registry.example.com/shop/web:2")
    assert run.code == 0, run.log
    assert len({item["branch"] for item in proposing.forge.requests}) == 2


@with_one
def test_the_target_moved_and_the_request_stays_free_of_conflicts(proposing: Proposing) -> None:
    proposing.run()
    by_hand = "registry.example.com/shop/cart:by-hand"
    moved = proposing.repository.commit({FILE: f"# the cart\nimage: {by_hand}  # written by its pipeline\n"})
    assert not proposing.mergeable()
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.mergeable()
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == moved
    assert f"`{by_hand}` → `{THIRD}`" in proposing.forge.only()["body"]


def test_the_target_has_the_value_already(proposing: Proposing) -> None:
    run = proposing.run(IMAGE=OLD)
    assert (run.code, "result=unchanged" in run.last) == (0, True), run.log
    assert proposing.repository.git("for-each-ref", "refs/heads/kit/") == ""
    assert proposing.forge.calls == []
    proposing.run()
    proposing.repository.commit({FILE: f"# the cart\nimage: {NEW}  # written by its pipeline\n"})
    run = proposing.run()
    assert (run.code, "result=unchanged" in run.last) == (0, True), run.log
    assert "is still open, and not needed any more" in run.log
    assert proposing.forge.only()["state"] == "open"


@with_one
def test_a_dry_run_opens_nothing(proposing: Proposing) -> None:
    run = proposing.run(COMMIT="false")
    assert run.code == 0, run.log
    assert "result=dry-run" in run.last
    assert f"+image: {NEW}" in run.log
    assert proposing.forge.calls == []
    assert proposing.repository.git("for-each-ref", "refs/heads/kit/") == ""


@pytest.mark.parametrize("double", [GitLabDouble], ids=["gitlab"], indirect=True)
def test_a_draft_stays_one(proposing: Proposing) -> None:
    proposing.run()
    proposing.forge.requests[0]["title"] = f"[Draft] Deploy {NEW}"
    assert "result=unchanged" in proposing.run().last
    assert proposing.forge.only()["title"] == f"[Draft] Deploy {NEW}"
    assert "result=proposed" in proposing.run(IMAGE=THIRD).last
    assert proposing.forge.only()["title"] == f"Draft: Deploy {THIRD}"


@with_one
def test_a_promotion_of_several_is_proposed_as_one(proposing: Proposing) -> None:
    def promote() -> Run:
        settings = {"KIT_PULL_REQUEST": "true", **proposing.forge.settings}
        return Deployments(proposing.repository).run("promote", "master", "production", **settings)

    assert "result=proposed" in promote().last
    proposing.repository.commit({"notes.txt": "by hand\n"}, branch=proposing.branch)
    proposing.repository.commit({FILE: f"image: {THIRD}\n"})
    run = promote()
    assert run.code == 0, run.log
    assert proposing.repository.read("images/shop/cart/production.yaml", proposing.branch) == f"image: {THIRD}\n"
    # One that is changed again is a part of the promotion all the same.
    message = proposing.repository.git("log", "-1", "--format=%B", proposing.branch)
    assert message.startswith("Promote master to production\n")
    body = proposing.forge.only()["body"]
    assert f"`images/shop/cart/production.yaml`: nothing yet → `{THIRD}`" in body
    assert "`images/shop/web/production.yaml`: nothing yet" in body
    assert "result=unchanged" in promote().last


@with_one
def test_a_message_that_would_act_does_not_act_in_the_request(proposing: Proposing) -> None:
    said = "Draft: closes #12 @ada [skip ci]\n\n```\n/merge\n````\n"
    run = proposing.run(CI_COMMIT_MESSAGE=said)
    assert run.code == 0, run.log
    body = proposing.forge.only()["body"]
    assert not re.search(r"#\d|@\w|\[skip ci\]|^/merge", body, re.MULTILINE)
    fence = re.findall(r"^`+$", body, re.MULTILINE)
    assert len(fence[0]) > 4
    assert fence[0] == fence[-1]
