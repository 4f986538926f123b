# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST, where a forge or a server says no: told at once, with what to do, and no token goes astray."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from testbed.ssh import SshServer
from tests.git.deployments import FILE, OLD
from tests.git.forges import Call, GitHubDouble
from tests.git.proposals import THIRD, Once, Proposing, with_one


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
