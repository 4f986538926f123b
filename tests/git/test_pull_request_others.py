# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST, where others commit to the branch, left one over, or push at the same time: nothing is lost."""

from __future__ import annotations

import re
import threading

import pytest

from tests.git.deployments import FILE, FILES, OLD, Run
from tests.git.forges import Call
from tests.git.proposals import THIRD, Proposing, with_one
from tests.git.relay import Exchange, Relay


@with_one
def test_a_commit_that_someone_put_on_the_branch_stays(proposing: Proposing) -> None:
    proposing.run()
    theirs = proposing.repository.commit({"notes.txt": "by hand\n"}, branch=proposing.branch)
    proposing.repository.commit({"other.txt": "the target moved\n"})
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == theirs
    assert THIRD in proposing.value()
    assert "has commits of others" in run.log
    assert theirs[:10] in run.log


@with_one
@pytest.mark.parametrize(
    ("filters", "without"),
    [("true", frozenset()), ("false", frozenset()), ("false", frozenset({"git-protocol"}))],
    ids=["filter", "depth", "version 0"],
)
@pytest.mark.parametrize("foreign", [True, False])
def test_whatever_the_server_can_do(proposing: Proposing, filters: str, without: frozenset[str], foreign: bool) -> None:
    """What the branch has and the target has not any more must be read as well."""
    proposing.repository.git("config", "uploadpack.allowFilter", filters)
    proposing.repository.git("config", "uploadpack.allowAnySHA1InWant", filters)
    with Relay(proposing.repository.url_outside, without=without) as relay:
        assert "result=proposed" in proposing.run(KIT_GIT_URL=relay.url).last
        if foreign:
            proposing.repository.commit({"notes.txt": "by hand\n"}, branch=proposing.branch)
        before = proposing.repository.head(proposing.branch)
        target = proposing.repository.commit(
            {"kit.yaml": f"# new\n{FILES['kit.yaml']}", "images/shop/web/master.yaml": "image: moved\n"}
        )
        run = proposing.run(KIT_GIT_URL=relay.url, IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == (before if foreign else target)
    assert proposing.repository.git("diff", "--name-only", f"{proposing.branch}^", proposing.branch) == FILE
    assert THIRD in proposing.value()
    assert proposing.mergeable()
    proposing.repository.git("fsck", "--strict", "--no-dangling")


@with_one
def test_a_commit_that_someone_amended_is_theirs(proposing: Proposing) -> None:
    proposing.run()
    git = proposing.repository.git
    tree = git("rev-parse", f"{proposing.branch}^{{tree}}")
    message = git("log", "-1", "--format=%B", proposing.branch)
    amended = git(
        "-c", "user.name=Grace", "-c", "user.email=grace@example.com", "commit-tree", tree, "-p",
        f"{proposing.branch}^", "-m", message,
    )  # fmt: skip
    # As `git commit --amend` does: the author stays, the committer is another.
    amended = git("cat-file", "commit", amended)
    author = git("log", "-1", "--format=author %an <%ae> %at +0000", proposing.branch)
    content = re.sub(r"^author .*$", author, amended, count=1, flags=re.MULTILINE)
    done = proposing.repository.container.execute(
        "git", "-C", proposing.repository.path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{content}\n"
    )
    theirs = done.stdout.strip()
    git("update-ref", f"refs/heads/{proposing.branch}", theirs)
    proposing.repository.commit({"other.txt": "the target moved\n"})
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == theirs


@with_one
def test_a_push_to_the_branch_in_between_is_a_lost_race(proposing: Proposing) -> None:
    proposing.run()
    proposing.repository.commit({"other.txt": "the target moved\n"})
    theirs: list[str] = []

    def meddle(exchange: Exchange) -> bool:
        if exchange.method == "POST" and exchange.service == "git-receive-pack" and not theirs:
            theirs.append(proposing.repository.commit({"notes.txt": "by hand\n"}, branch=proposing.branch))
        return False

    with Relay(proposing.repository.url_outside, meddle) as relay:
        run = proposing.run(KIT_GIT_URL=relay.url, IMAGE=THIRD)
    assert run.code == 0, run.log
    assert "someone else pushed first" in run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == theirs[0]


def test_what_a_closed_request_keeps_is_not_built_upon(proposing: Proposing) -> None:
    proposing.run()
    proposing.repository.commit({"notes.txt": "by hand\n"}, branch=proposing.branch)
    proposing.forge.close(1)
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == proposing.repository.head()
    assert proposing.forge.only()["number"] == 2


@pytest.mark.parametrize("merged", [True, False])
def test_a_branch_that_was_left_over_is_taken_up_anew(proposing: Proposing, merged: bool) -> None:
    proposing.run()
    if merged:
        proposing.merge()
    else:
        proposing.repository.commit({FILE: f"image: {OLD}-by-hand\n"})
    proposing.forge.close(1)
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.forge.only()["number"] == 2
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == proposing.repository.head()
    assert proposing.mergeable()


def test_what_others_put_on_a_branch_without_a_request_is_kept(proposing: Proposing) -> None:
    proposing.run()
    proposing.forge.requests.clear()
    theirs = proposing.repository.commit({"notes.txt": "by hand\n"}, branch=proposing.branch)
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == theirs
    assert f"has commits of others ({theirs[:10]}) that no request holds: nothing of it is dropped" in run.log


def test_a_forks_branch_of_the_same_name_is_not_ours(proposing: Proposing) -> None:
    proposing.run()
    theirs = {**proposing.forge.requests[0], "fork": "acme/fork", "title": "Theirs"}
    proposing.forge.requests[:] = [theirs]
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.forge.requests[0]["title"] == "Theirs"
    assert [item["title"] for item in proposing.forge.requests[1:]] == [f"Deploy {THIRD}"]


def test_two_runs_at_once_open_one(proposing: Proposing) -> None:
    # Both find no request; the second to open one is told so by the forge.
    barrier = threading.Barrier(2, timeout=30)
    first: set[int] = set()

    def meddle(call: Call) -> bool:
        if call.method == "POST" and threading.get_ident() not in first and len(first) < 2:
            first.add(threading.get_ident())
            barrier.wait()
        return False

    proposing.run()
    proposing.forge.requests.clear()
    proposing.forge.meddle = meddle
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(proposing.run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [run.code for run in runs] == [0, 0], "\n".join(run.log for run in runs)
    assert len(proposing.forge.requests) == 1
    assert {re.findall(r"url=(\S+)", run.last)[0][-2:] for run in runs} == {"/1"}


@with_one
def test_a_branch_called_kit_is_in_the_way(proposing: Proposing) -> None:
    proposing.repository.git("branch", "kit", "master")
    run = proposing.run()
    assert run.code == 2, run.log
    assert "the repository has a branch kit" in run.log
