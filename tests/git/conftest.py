# SPDX-License-Identifier: MIT
"""What kit-image-deployer runs against: a repository, a forge before it, ssh to it, registries with images."""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from images.build import build_all
from testbed import guarded
from testbed.bed import Testbed
from testbed.docker import docker
from testbed.git import GitRepository
from testbed.guarded import GuardedRegistry
from testbed.ssh import KeyPair, SshServer
from testbed.tokens import TokenService
from tests.git.deployments import FILES, Deployments
from tests.git.forges import NAME, Forge, GitHubDouble, GitLabDouble
from tests.git.proposals import Proposing
from tests.git.pushing import Pusher
from tests.git.secure import AS_ASKED, Ssh
from tests.git.shelves import Registries, Shelf, filled


@pytest.fixture(scope="session")
def built_image() -> str:
    """The image, built from this work tree (quick when Docker has the layers), by its id."""
    reference = build_all(lambda _text: None, os.environ, ["kit-image-deployer"])["kit-image-deployer"]
    return docker("image", "inspect", "--format", "{{.Id}}", reference).stdout.strip()


@pytest.fixture
def deployments(git_repository: Callable[..., GitRepository]) -> Deployments:
    return Deployments(git_repository("deployments", files=FILES))


@pytest.fixture(params=[GitHubDouble, GitLabDouble], ids=["github", "gitlab"])
def double(request: pytest.FixtureRequest) -> type[Forge]:
    found: type[Forge] = request.param
    return found


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


@pytest.fixture(scope="session")
def open_shelf(bed: Testbed) -> Shelf:
    return filled(bed.registry.outside, Pusher(f"http://{bed.registry.outside}"))


@pytest.fixture(scope="session")
def password_registry(bed: Testbed) -> Iterator[GuardedRegistry]:
    with guarded.with_password(bed.id, bed.image) as registry:
        yield registry


@pytest.fixture(scope="session")
def password_shelf(password_registry: GuardedRegistry) -> Shelf:
    basic = base64.b64encode(f"{password_registry.username}:{password_registry.password}".encode()).decode()
    tls = ssl.create_default_context(cadata=password_registry.certificate_authority)
    base = f"https://{password_registry.outside}"
    return filled(password_registry.outside, Pusher(base, {"Authorization": f"Basic {basic}"}, tls))


@pytest.fixture(scope="session")
def token_service() -> Iterator[TokenService]:
    with TokenService() as service:
        yield service


@pytest.fixture
def tokens(token_service: TokenService) -> TokenService:
    """The token service, as if nobody had asked it anything yet."""
    token_service.requests.clear()
    token_service.answers.clear()
    token_service.named = "token"
    return token_service


@pytest.fixture(scope="session")
def token_shelf(bed: Testbed, token_service: TokenService) -> Iterator[Shelf]:
    with guarded.with_tokens(
        bed.id, bed.image, realm=token_service.realm, certificate=token_service.certificate
    ) as registry:
        pushers = [
            Pusher(
                f"http://{registry.outside}",
                {"Authorization": f"Bearer {token_service.token(f'repository:{name}:pull,push')}"},
            )
            for name in ("shop/cart", "public/cart")
        ]
        yield filled(registry.outside, *pushers)


@pytest.fixture
def docker_config(tmp_path: Path) -> Any:
    """Writes a Docker configuration and returns its path."""

    def write(host: str, **entry: str) -> str:
        if "password" in entry and "username" in entry:
            pair = f"{entry.pop('username')}:{entry.pop('password')}"
            entry["auth"] = base64.b64encode(pair.encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: entry}}))
        return str(tmp_path / "config.json")

    return write


@pytest.fixture
def registries(deployments: Deployments) -> Registries:
    return Registries(deployments)


@pytest.fixture(scope="session")
def key(ssh_server: SshServer) -> KeyPair:
    """A key that may do everything. The server tells in /tmp/asked what was asked, and in which version."""
    made = ssh_server.make_key("-t", "ed25519")
    tell = 'echo \\"$SSH_ORIGINAL_COMMAND v${GIT_PROTOCOL##*=}\\" >> /tmp/asked'
    ssh_server.allow(made, f'command="{tell}; {AS_ASKED}"')
    return made


@pytest.fixture
def ssh(deployments: Deployments, ssh_server: SshServer, key: KeyPair) -> Ssh:
    return Ssh(deployments, ssh_server, key)
