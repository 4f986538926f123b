# SPDX-License-Identifier: MIT
"""kit-image-deployer's image over ssh, under users who have no name, no home and nothing to write to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from testbed.bed import Testbed
from testbed.git import GitRepository
from testbed.ssh import KeyPair, SshServer

OLD, NEW = "registry.example.com/shop/cart:master-1", "registry.example.com/shop/cart:master-2"
FILES = {
    "kit.yaml": "images:\n  path: images\n  property: image\n",
    "images/shop/cart/master.yaml": f"image: {OLD}\n",
}


@pytest.fixture(scope="session")
def key(ssh_server: SshServer) -> KeyPair:
    made = ssh_server.make_key("-t", "ed25519", passphrase="canary-passphrase")
    ssh_server.allow(made)
    return made


@pytest.mark.parametrize("user", ["12345", "0", None])
def test_it_pushes_over_ssh_under_any_user(
    built: dict[str, str],
    bed: Testbed,
    git_repository: Callable[..., GitRepository],
    ssh_server: SshServer,
    key: KeyPair,
    user: str | None,
) -> None:
    repository = git_repository("deployments", files=FILES)
    env = {
        "KIT_GIT_URL": ssh_server.url_inside(repository),
        "KIT_GIT_SSH_KEY": key.private,
        "KIT_GIT_SSH_KEY_PASSPHRASE": "canary-passphrase",
        "KIT_GIT_SSH_KNOWN_HOSTS": f"{ssh_server.container.part} {ssh_server.host_key()}",
        "DOCKER_REPO": "shop/cart",
        "CI_BRANCH": "master",
        "IMAGE": NEW,
        "COMMIT": "true",
        "DEBUG": "true",
    }
    done = bed.run(built["kit-image-deployer"], env=env, user=user, read_only=True)
    assert done.returncode == 0, done.stderr
    assert repository.read("images/shop/cart/master.yaml") == f"image: {NEW}\n"
    output = done.stdout + done.stderr
    assert "canary" not in output
    assert [line for line in key.private.splitlines()[1:-1] if len(line) > 20 and line in output] == []
    unknown = bed.run(
        built["kit-image-deployer"], env={**env, "KIT_GIT_SSH_KNOWN_HOSTS": ""}, user=user, read_only=True
    )
    assert unknown.returncode == 1
    assert "the server's key is not known" in unknown.stderr
