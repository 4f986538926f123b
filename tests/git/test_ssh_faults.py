# SPDX-License-Identifier: MIT
"""Servers over ssh that refuse, are busy or away, and connections that are cut: told, tried again, landed once."""

from __future__ import annotations

import threading

import pytest

from kit_core.errors import WorkError
from kit_image_deployer import update_image
from tests.git.cutter import Cutter
from tests.git.deployments import NEW
from tests.git.secure import AS_ASKED, Ssh


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ("ERROR: Permission to acme/deployments denied to deploy key", 1, "denied to deploy key"),
        ("ERROR: Repository not found.", 1, "Repository not found."),
        ("remote: ::error::not for you", 128, "not for you"),
    ],
)
def test_the_servers_words_of_refusal_are_told_at_once(ssh: Ssh, words: str, code: int, expected: str) -> None:
    refused = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(refused, f"command=\"echo '{words}' >&2; exit {code}\"")
    run = ssh.run(KIT_GIT_SSH_KEY=refused.private)
    assert run.code == 1
    assert expected in run.log
    assert "the server refused to read the repository" in run.log
    assert not [line for line in run.log.splitlines() if line.startswith("::")]
    assert "failed attempt" not in run.log


def test_a_server_that_is_busy_is_asked_again(ssh: Ssh) -> None:
    marker = f"/tmp/busy-{ssh.deployments.repository.name}"
    busy = ssh.server.make_key("-t", "ed25519")
    command = f"[ -e {marker} ] || {{ touch {marker}; echo Service temporarily unavailable >&2; exit 1; }}"
    ssh.server.allow(busy, f'command="{command}; {AS_ASKED}"')
    run = ssh.run(KIT_GIT_SSH_KEY=busy.private)
    assert run.code == 0, run.log
    assert "Service temporarily unavailable" in run.log


def test_no_repository_there(ssh: Ssh) -> None:
    run = ssh.run(KIT_GIT_URL=f"ssh://git@127.0.0.1:{ssh.server.port}/srv/git/gone.git")
    assert run.code == 1
    assert "does not appear to be a git repository" in run.log


def test_a_server_that_greets_on_the_wrong_channel(ssh: Ssh) -> None:
    noisy = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(noisy, f'command="echo Welcome to the server; {AS_ASKED}"')
    run = ssh.run(KIT_GIT_SSH_KEY=noisy.private)
    assert run.code == 1
    assert "the server does not speak git's protocol there: it says 'Welcome to the server'" in run.log


def test_a_hooks_refusal_is_told_in_its_words(ssh: Ssh) -> None:
    ssh.deployments.repository.hook("pre-receive", "#!/bin/sh\necho 'deploys are frozen' >&2\nexit 1\n")
    run = ssh.run()
    assert run.code == 1
    assert "deploys are frozen" in run.log


WAITING = """#!/bin/sh
[ -e first ] && exit 0
touch first
until [ -e go-on ]; do sleep 0.05; done
exit {code}
"""


@pytest.mark.parametrize(("hook", "code"), [("post-receive", 0), ("pre-receive", 1)])
def test_a_connection_cut_in_a_push_ends_in_one_commit(ssh: Ssh, hook: str, code: int) -> None:
    """Cut after the server has moved the branch, and before."""
    repository = ssh.deployments.repository
    before = ssh.deployments.commits()
    repository.hook(hook, WAITING.format(code=code))
    with Cutter(ssh.server.port) as relay:
        done = threading.Event()

        def cut() -> None:
            found = f"until [ -e {repository.path}/first ]; do sleep 0.05; done"
            ssh.server.container.execute("timeout", "30", "sh", "-c", found)
            relay.cut()
            ssh.server.container.execute("touch", f"{repository.path}/go-on")
            done.set()

        threading.Thread(target=cut).start()
        run = ssh.run(relay=relay)
        assert done.wait(30)
        assert relay.connections >= 2
    assert run.code == 0, run.log
    assert "result=updated" in run.last
    assert ssh.deployments.commits()[1:] == before
    ssh.deployments.check_history()


def test_a_server_that_is_away(ssh: Ssh) -> None:
    with Cutter(ssh.server.port) as relay:
        pass
    run = ssh.run(relay=relay, RETRIES="2", RETRY_INCREMENT="0.1")
    assert run.code == 1
    assert "gave up after 3 failed attempts: Connection refused" in run.log


def test_a_server_that_says_nothing_meets_the_deadline(ssh: Ssh) -> None:
    mute = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(mute, 'command="sleep 60"')
    run = ssh.run(KIT_GIT_SSH_KEY=mute.private, KIT_DEADLINE="2")
    assert run.code == 70
    assert "did not answer in time" in run.log


def test_the_library_says_what_went_wrong(ssh: Ssh) -> None:
    with pytest.raises(WorkError, match="the server's key is not known"):
        update_image(
            ssh.server.url(ssh.deployments.repository), repository="shop/cart", branch="master", image=NEW,
            ssh_key=ssh.key.private,
        )  # fmt: skip
