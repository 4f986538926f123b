# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST: one open request for the same files, nothing pushed to the target, nobody's commit lost."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from testbed.git import GitRepository
from testbed.ssh import SshServer
from tests.git.conftest import FILE, FILES, NEW, OLD, Deployments, Run
from tests.git.forges import NAME, Call, Forge, GitHubDouble, GitLabDouble
from tests.git.relay import Exchange, Relay

THIRD = "registry.example.com/shop/cart:master-3"


class Proposing:
    """A forge before the real git server, and runs that propose."""

    def __init__(self, repository: GitRepository, forge: Forge) -> None:
        self.repository = repository
        self.forge = forge

    def run(self, **others: str) -> Run:
        settings = {"KIT_PULL_REQUEST": "true", **self.forge.settings, **others}
        run = Deployments(self.repository).run(**settings)
        assert "canary" not in run.log
        assert self.forge.wrong == []
        return run

    @property
    def branch(self) -> str:
        names = self.repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads/kit/").splitlines()
        (name,) = names
        return name

    def value(self, revision: str | None = None) -> str:
        return self.repository.read(FILE, revision or self.branch)

    def merge(self) -> None:
        """Merge our branch as a forge would: a merge commit on the target."""
        git = self.repository.git
        tree = git("merge-tree", "--write-tree", "master", self.branch)
        author = ("-c", "user.name=m", "-c", "user.email=m@example.com")
        merged = git(*author, "commit-tree", tree, "-p", "master", "-p", self.branch, "-m", "Merge")
        git("update-ref", "refs/heads/master", merged)

    def mergeable(self) -> bool:
        done = self.repository.git("merge-tree", "--write-tree", "master", self.branch, check=False)
        return "CONFLICT" not in done


@pytest.fixture(params=[GitHubDouble, GitLabDouble], ids=["github", "gitlab"])
def double(request: pytest.FixtureRequest) -> type[Forge]:
    found: type[Forge] = request.param
    return found


# What does not depend on the forge is tested with one of them.
with_one = pytest.mark.parametrize("double", [GitHubDouble], ids=["github"], indirect=True)


@pytest.fixture
def proposing(
    git_repository: Callable[..., GitRepository], double: type[Forge], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proposing]:
    repository = git_repository(NAME, files=FILES)
    monkeypatch.setattr("tests.git.forges.NAME", repository.name)

    def head_of(branch: str) -> str | None:
        return repository.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False) or None

    with double(head_of) as forge:
        yield Proposing(repository, forge)


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


def test_a_forks_branch_of_the_same_name_is_not_ours(proposing: Proposing) -> None:
    proposing.run()
    theirs = {**proposing.forge.requests[0], "fork": "acme/fork", "title": "Theirs"}
    proposing.forge.requests[:] = [theirs]
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert proposing.forge.requests[0]["title"] == "Theirs"
    assert [item["title"] for item in proposing.forge.requests[1:]] == [f"Deploy {THIRD}"]


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


def commits_of(proposing: Proposing) -> int:
    """How many commits the request would bring."""
    return len(proposing.repository.git("rev-list", f"master..{proposing.branch}").splitlines())


class Once:
    """Deals with the first `times` requests of a method by `answer`."""

    def __init__(self, method: str, answer: Callable[[Call], Any], times: int = 1) -> None:
        self.method, self.answer, self.left = method, answer, times

    def __call__(self, call: Call) -> bool:
        if call.method != self.method or self.left <= 0:
            return False
        self.left -= 1
        self.answer(call)
        return True


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


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (401, "Bad credentials", ["refused the token", "KIT_FORGE_TOKEN", "Bad credentials"]),
        (403, "Resource not accessible by integration", ["the token may not do this", "Resource not accessible"]),
        (404, "Not Found", ["knows no such repository", "KIT_FORGE_URL"]),
        (418, "no", ["refused the", "418"]),
    ],
)
def test_what_is_refused_is_told_at_once(proposing: Proposing, status: int, message: str, words: list[str]) -> None:
    proposing.forge.meddle = Once("POST", lambda call: call.answer(status, {"message": message}), times=99)
    run = proposing.run()
    assert run.code == 1, run.log
    for word in [*words, f"the branch {proposing.branch} was pushed"]:
        assert word in run.log
    assert proposing.forge.count("POST") == 1
    # Running it again, with the cause gone, does the rest and makes no second commit.
    head = proposing.repository.head(proposing.branch)
    proposing.forge.meddle = lambda _call: False
    run = proposing.run()
    assert run.code == 0, run.log
    assert proposing.repository.head(proposing.branch) == head
    assert proposing.forge.only()["branch"] == proposing.branch
    assert "result=proposed" in run.last


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"KIT_FORGE_TOKEN": "canary-wrong"}, ["refused the token", "KIT_FORGE_TOKEN", "is the token still valid?"]),
        ({"KIT_FORGE_URL": "http://127.0.0.1:1"}, ["gave up after 1 failed attempt", "127.0.0.1"]),
    ],
)
def test_a_forge_that_cannot_be_asked_is_found_out_before_the_push(
    proposing: Proposing, settings: dict[str, str], words: list[str]
) -> None:
    run = proposing.run(RETRIES="0", **settings)
    assert run.code == 1, run.log
    for word in words:
        assert word in run.log
    assert proposing.repository.git("for-each-ref", "refs/heads/kit/") == ""


@with_one
def test_a_repository_that_has_moved_is_told(proposing: Proposing) -> None:
    there = {"Location": "http://127.0.0.1:1/elsewhere"}
    proposing.forge.meddle = Once("POST", lambda call: call.answer(307, {"message": "Moved"}, there))
    run = proposing.run()
    assert run.code == 1, run.log
    assert "sends us on to another address" in run.log
    assert there["Location"] in run.log


@with_one
def test_the_token_goes_to_the_forges_own_host_only(proposing: Proposing) -> None:
    given: list[str | None] = []
    with GitHubDouble(proposing.forge.head_of) as other:

        def note(call: Call) -> bool:
            given.append(call.handler.headers.get("Authorization"))
            return False

        other.meddle = note
        proposing.forge.meddle = Once(
            "GET", lambda call: call.answer(302, {}, {"Location": f"{other.url}{call.path}"}), times=9
        )
        run = proposing.run()
    assert run.code == 1, run.log
    assert given == [None]


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


@with_one
@pytest.mark.parametrize("how", ["config", "rule"])
def test_a_server_that_takes_no_forced_push(proposing: Proposing, how: str) -> None:
    if how == "config":
        proposing.repository.git("config", "receive.denyNonFastForwards", "true")
    else:
        proposing.repository.hook(
            "pre-receive",
            "#!/bin/sh\nwhile read old new ref; do\n  [ $old = 0000000000000000000000000000000000000000 ] && continue\n"
            "  git merge-base --is-ancestor $old $new || { echo 'Cannot force-push to this branch'; exit 1; }\ndone\n",
        )
    proposing.run()
    first = proposing.repository.head(proposing.branch)
    target = proposing.repository.commit({FILE: f"# the cart\nimage: {OLD}-by-hand  # written by its pipeline\n"})
    run = proposing.run(IMAGE=THIRD)
    assert run.code == 0, run.log
    assert "takes no forced push" in run.log
    assert proposing.repository.git("log", "-1", "--format=%P", proposing.branch) == f"{first} {target}"
    assert proposing.repository.git("diff", "--name-only", "master", proposing.branch) == FILE
    assert THIRD in proposing.value()
    assert proposing.mergeable()
    assert proposing.repository.git("log", "-1", "--format=%H", "--grep=Kit-Image", proposing.branch) != first


@with_one
def test_a_branch_called_kit_is_in_the_way(proposing: Proposing) -> None:
    proposing.repository.git("branch", "kit", "master")
    run = proposing.run()
    assert run.code == 2, run.log
    assert "the repository has a branch kit" in run.log


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


@with_one
@pytest.mark.parametrize("plain", [False, True], ids=["version 2", "version 0"])
def test_over_ssh_with_a_token_for_the_forge(proposing: Proposing, ssh_server: SshServer, plain: bool) -> None:
    key = ssh_server.make_key("-t", "ed25519")
    ssh_server.allow(key)
    url = ssh_server.url(proposing.repository, plain=plain)
    # The forge's pages are below a path, which is a part of the repository's address as well.
    below = urlsplit(url).path.partition("/acme/")[0]
    proposing.forge.api = f"{below}{GitHubDouble.api}"
    settings = {
        "KIT_GIT_URL": url,
        "KIT_GIT_SSH_KEY": key.private,
        "KIT_GIT_SSH_KNOWN_HOSTS": ssh_server.known_hosts(plain=plain),
        "KIT_GIT_PASSWORD": "",
        "KIT_GIT_USERNAME": "",
        "KIT_FORGE_URL": f"{proposing.forge.url}{below}",
    }
    assert "result=proposed" in proposing.run(**settings).last
    proposing.repository.commit({"other.txt": "the target moved\n"})
    run = proposing.run(IMAGE=THIRD, **settings)
    assert run.code == 0, run.log
    assert proposing.repository.git("rev-parse", f"{proposing.branch}^") == proposing.repository.head()
    assert THIRD in proposing.value()
    run = proposing.run(**settings, KIT_FORGE_TOKEN="")
    assert run.code == 2, run.log
    assert "there is no token for the API" in run.log
