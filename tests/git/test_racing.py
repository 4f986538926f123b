# SPDX-License-Identifier: MIT
"""Others push at the same time: nobody's commit is lost, and everybody lands once."""

from __future__ import annotations

import pytest

from kit_image_deployer.git.wire import packet
from tests.git.deployments import FILE, NEW, Deployments
from tests.git.hooks import MOVES_MEANWHILE
from tests.git.relay import Exchange, Relay, push_of


@pytest.mark.parametrize("when", ["between reading and pushing", "during the push"])
def test_a_head_that_moves_is_never_overwritten(deployments: Deployments, when: str) -> None:
    before = deployments.commits()
    theirs: list[str] = []

    def commit_first(exchange: Exchange) -> bool:
        early = exchange.method == "GET" and exchange.service == "git-receive-pack" and exchange.number == 1
        if early if when.startswith("between") else push_of(exchange, 1):
            theirs.append(deployments.repository.commit({"images/shop/web/master.yaml": "image: theirs\n"}))
        return False

    with Relay(deployments.repository.url_outside, meddle=commit_first) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert "someone else pushed first" in run.log
    assert deployments.commits()[1:] == [*theirs, *before]
    assert NEW in deployments.repository.read(FILE)
    assert deployments.repository.read("images/shop/web/master.yaml") == "image: theirs\n"
    deployments.check_history()


def test_the_edit_is_made_anew_on_the_new_head(deployments: Deployments) -> None:
    def edit_the_same_file(exchange: Exchange) -> bool:
        if push_of(exchange, 1):
            deployments.repository.commit({FILE: "# theirs\nimage: theirs:7\nmore: true\n"})
        return False

    with Relay(deployments.repository.url_outside, meddle=edit_the_same_file) as relay:
        assert deployments.run(KIT_GIT_URL=relay.url).code == 0
    assert deployments.repository.read(FILE) == f"# theirs\nimage: {NEW}\nmore: true\n"
    assert "Kit-Previous-Image: theirs:7" in deployments.repository.git("log", "-1", "--format=%B")


def test_someone_else_wrote_the_same_value_meanwhile(deployments: Deployments) -> None:
    def write_it(exchange: Exchange) -> bool:
        if push_of(exchange, 1):
            deployments.repository.commit({FILE: f"image: {NEW}\n"})
        return False

    with Relay(deployments.repository.url_outside, meddle=write_it) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0
    assert run.last.startswith("result=unchanged ")
    assert len(deployments.commits()) == 2


def test_a_branch_that_never_stands_still_ends_with_75(deployments: Deployments) -> None:
    git = deployments.repository.git

    def move(exchange: Exchange) -> bool:
        if exchange.method == "POST" and exchange.service == "git-receive-pack":
            tree = git("rev-parse", "master^{tree}")
            new = git("-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", "-p", "master", "-m", "x", tree)
            git("update-ref", "refs/heads/master", new)
        return False

    with Relay(deployments.repository.url_outside, meddle=move) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, KIT_DEADLINE="6", RETRIES="0")
    assert run.code == 75
    assert "lost the race for the branch" in run.log
    assert "KIT_DEADLINE" in run.log
    assert relay.count("POST", "git-receive-pack") > 1


def test_a_lost_race_is_one_whatever_the_branch_is_called(deployments: Deployments) -> None:
    deployments.repository.git("branch", "protected")

    def as_a_forge_puts_it(exchange: Exchange) -> bool:
        if not push_of(exchange, 1):
            return False
        ref = b"refs/heads/protected"
        words = b"ng %s cannot lock ref '%s': is at %s but expected %s\n" % (ref, ref, b"a" * 40, b"b" * 40)
        status = packet(b"\x01" + packet(b"unpack ok\n") + packet(words) + b"0000")
        exchange.answer(200, body=status + b"0000", Content_Type="application/x-git-receive-pack-result")
        return True

    with Relay(deployments.repository.url_outside, meddle=as_a_forge_puts_it) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, KIT_GIT_BRANCH="protected")
    assert run.code == 0, run.log
    assert "someone else pushed first" in run.log


def test_a_lock_on_the_ref_is_waited_for(deployments: Deployments) -> None:
    lock = f"{deployments.repository.path}/refs/heads/master.lock"
    shell = deployments.repository.container.execute
    shell("sh", "-c", f"touch {lock} && chmod 666 {lock}")

    def unlock(exchange: Exchange) -> bool:
        if push_of(exchange, 2):
            shell("rm", lock)
        return False

    with Relay(deployments.repository.url_outside, meddle=unlock) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert relay.count("POST", "git-receive-pack") == 2
    assert len(deployments.commits()) == 2


def test_a_head_that_moves_while_a_hook_holds_the_push(deployments: Deployments) -> None:
    deployments.repository.hook("pre-receive", MOVES_MEANWHILE)
    before = deployments.commits()
    with Relay(deployments.repository.url_outside) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert "someone else pushed first" in run.log
    theirs = deployments.repository.container.execute("cat", f"{deployments.repository.path}/moved").stdout.strip()
    assert deployments.commits()[1:] == [theirs, *before]
    assert relay.count("POST", "git-receive-pack") == 2
    deployments.check_history()
