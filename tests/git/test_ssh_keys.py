# SPDX-License-Identifier: MIT
"""Who gets in over ssh, and which servers are believed."""

from __future__ import annotations

import pytest

from tests.git.secure import Ssh


@pytest.mark.parametrize(
    "options", [["-t", "rsa", "-m", "PEM"], ["-t", "ecdsa", "-m", "PKCS8"], ["-t", "ed25519"]], ids=" ".join
)
def test_every_kind_of_key_with_a_passphrase(ssh: Ssh, options: list[str]) -> None:
    locked = ssh.server.make_key(*options, passphrase="canary-passphrase")
    ssh.server.allow(locked)
    key = locked.private.replace("\n", "\r\n").rstrip()
    run = ssh.run(KIT_GIT_SSH_KEY=key, KIT_GIT_SSH_KEY_PASSPHRASE="canary-passphrase", DEBUG="true")
    assert run.code == 0, run.log
    log = run.log
    for passphrase in ("", "another-canary-passphrase"):
        failed = ssh.run(KIT_GIT_SSH_KEY=key, KIT_GIT_SSH_KEY_PASSPHRASE=passphrase, DEBUG="true")
        assert failed.code == 2
        assert "KIT_GIT_SSH_KEY_PASSPHRASE" in failed.log
        log += failed.log
    assert "canary" not in log
    assert [line for line in locked.private.splitlines()[1:-1] if len(line) > 20 and line in log] == []


def test_an_unknown_server_is_refused_at_once_and_told_with_what_to_add(ssh: Ssh) -> None:
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"other.example.com {ssh.server.host_key()}")
    assert run.code == 1
    assert "the server's key is not known" in run.log
    assert "failed attempt" not in run.log
    line = run.log.partition("put `")[2].partition("`")[0]
    assert line == ssh.server.known_hosts(), run.log
    assert ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=line).code == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_server_with_another_key_is_refused_at_once(ssh: Ssh, kind: str) -> None:
    before = ssh.deployments.commits()
    known = " ".join(ssh.server.make_key("-t", kind).public.split()[:2])
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"[127.0.0.1]:{ssh.server.port} {known}")
    assert run.code == 1
    assert "is not the one that is known by this name" in run.log
    assert ssh.deployments.commits() == before
    assert ssh.asked() == []


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_any_of_the_servers_keys_serves(ssh: Ssh, kind: str) -> None:
    assert ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"[127.0.0.1]:{ssh.server.port} {ssh.server.host_key(kind)}").code == 0


def test_a_server_that_a_known_authority_vouches_for(ssh: Ssh) -> None:
    assert ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"@cert-authority *,[127.0.0.1]:* {ssh.server.authority()}").code == 0
    other = " ".join(ssh.server.make_key("-t", "ed25519").public.split()[:2])
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"@cert-authority *,[127.0.0.1]:* {other}")
    assert run.code == 1
    assert "is not the one that is known by this name" in run.log


@pytest.mark.parametrize("vouched", [False, True], ids=["known", "vouched for"])
def test_a_revoked_key_is_refused(ssh: Ssh, vouched: bool) -> None:
    """Also where a certificate that a known authority signed is for that key."""
    trusted = f"@cert-authority *,[127.0.0.1]:* {ssh.server.authority()}" if vouched else ssh.server.known_hosts()
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"{trusted}\n@revoked * {ssh.server.host_key()}")
    assert run.code == 1
    assert "the server uses a key that was revoked" in run.log
    assert ssh.asked() == []


def test_a_key_that_the_server_does_not_know_is_refused_at_once(ssh: Ssh) -> None:
    stranger = ssh.server.make_key("-t", "ed25519")
    run = ssh.run(KIT_GIT_SSH_KEY=stranger.private)
    assert run.code == 1
    assert "the server refused the ssh key" in run.log
    assert "attempt" not in run.log
    fingerprint = run.log.partition("SHA256:")[2][:43]
    assert fingerprint in ssh.server.container.execute("ssh-keygen", "-lf", "-", stdin=stranger.public).stdout


def test_a_key_that_may_only_read(ssh: Ssh) -> None:
    path = ssh.deployments.repository.path
    reader = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(reader, f'command="git-upload-pack {path}"')
    assert ssh.run(KIT_GIT_SSH_KEY=reader.private, COMMIT="false").code == 0
    run = ssh.run(KIT_GIT_SSH_KEY=reader.private)
    assert run.code == 1
    assert "the server refused to push" in run.log
    assert "failed attempt" not in run.log
