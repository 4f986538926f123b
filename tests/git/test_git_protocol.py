# SPDX-License-Identifier: MIT
"""The deployments repository over git's own protocol, at a server that lets anybody push."""

from __future__ import annotations

import pytest

from testbed.ssh import SshServer
from tests.git.cutter import Cutter
from tests.git.deployments import FILE, NEW, Deployments


@pytest.mark.parametrize("filters", [True, False])
def test_an_update_lands(deployments: Deployments, ssh_server: SshServer, filters: bool) -> None:
    deployments.repository.git("config", "uploadpack.allowFilter", str(filters).lower())
    before = deployments.commits()
    run = deployments.run(KIT_GIT_URL=ssh_server.git_url(deployments.repository))
    assert run.code == 0, run.log
    assert "git:// checks neither us nor the server" in run.log
    assert deployments.commits()[1:] == before
    assert NEW in deployments.repository.read(FILE)
    deployments.check_history()
    again = deployments.run(KIT_GIT_URL=ssh_server.git_url(deployments.repository))
    assert "result=unchanged" in again.last


def test_what_is_not_there_is_told_in_the_servers_words(deployments: Deployments, ssh_server: SshServer) -> None:
    run = deployments.run(KIT_GIT_URL=f"git://127.0.0.1:{ssh_server.git_port}/gone.git")
    assert run.code == 1
    assert "access denied or repository not exported: /gone.git" in run.log
    assert "failed attempt" not in run.log


def test_a_repository_that_may_not_be_pushed_to(deployments: Deployments, ssh_server: SshServer) -> None:
    deployments.repository.git("config", "daemon.receivepack", "false")
    run = deployments.run(KIT_GIT_URL=ssh_server.git_url(deployments.repository))
    assert run.code == 1
    assert "the server refused to push: access denied" in run.log
    assert "failed attempt" not in run.log


def test_a_connection_that_ends_while_reading_is_made_anew(deployments: Deployments, ssh_server: SshServer) -> None:
    before = deployments.commits()
    with Cutter(ssh_server.git_port) as relay:
        relay.cut_after(1)
        run = deployments.run(KIT_GIT_URL=f"git://127.0.0.1:{relay.port}/{deployments.repository.name}.git")
    assert run.code == 0, run.log
    assert relay.connections >= 3, "one that was cut, one to read, one to push"
    assert deployments.commits()[1:] == before


def test_another_kind_of_server(deployments: Deployments) -> None:
    """The git server's http side answers as no git server does."""
    run = deployments.run(
        KIT_GIT_URL=deployments.repository.url_outside.replace("http://", "git://"), KIT_DEADLINE="20"
    )
    assert run.code == 1
    assert "the server does not speak git's protocol there" in run.log
