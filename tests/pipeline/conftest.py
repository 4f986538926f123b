# SPDX-License-Identifier: MIT
"""Pipelines on the real engine. After every test nothing of it is left there: no container, no network, no volume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kit_pipeline.engine import containers
from kit_pipeline.engine.cleanup import this_process
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.labels import PROCESS, Run
from testbed import guarded
from testbed.baseimage import ensure_base
from testbed.bed import Testbed
from testbed.docker import docker
from testbed.guarded import GuardedRegistry
from tests.pipeline.project import Project
from tests.pipeline.shelf import Shelf

OURS = f"label={PROCESS}={this_process()}"


@pytest.fixture(scope="session")
def base_image() -> str:
    """What images are built on here."""
    return ensure_base(lambda _text: None)


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every container that is made is noted with its volumes, which have no labels."""
    volumes: list[str] = []
    made = containers.create

    def create(client: Client, run: Run, spec: Spec) -> str:
        container = made(client, run, spec)
        volumes.extend(
            mount["Name"] for mount in client.inspect_container(container)["Mounts"] if mount["Type"] == "volume"
        )
        return container

    monkeypatch.setattr(containers, "create", create)
    yield
    for kind, listing in {"containers": ("ps", "--all"), "networks": ("network", "ls")}.items():
        left = docker(*listing, "--filter", OURS, "--format", "{{.ID}}").stdout.split()
        if left:
            docker("rm", "--force", "--volumes", *left, check=False)
            docker("network", "rm", *left, check=False)
        assert not left, f"{kind} are left in the engine"
    there = set(docker("volume", "ls", "--quiet").stdout.split())
    assert not there & set(volumes), "volumes are left in the engine"


@pytest.fixture
def project(tmp_path: Path, base_image: str) -> Iterator[Project]:
    """An empty repository. What is built of it goes with it."""
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Project(folder, base_image)
    yield made
    made.remove()


@pytest.fixture
def open_shelf(bed: Testbed) -> Shelf:
    """A registry that asks for nothing."""
    return Shelf(bed.registry.outside, f"http://{bed.registry.outside}")


@pytest.fixture(scope="session")
def guarded_registry(bed: Testbed) -> Iterator[GuardedRegistry]:
    with guarded.with_password(f"{bed.id}", bed.image) as registry:
        yield registry


@pytest.fixture
def shelf(guarded_registry: GuardedRegistry) -> Shelf:
    """A registry with a password."""
    registry = guarded_registry
    return Shelf(
        registry.outside,
        f"https://{registry.outside}",
        registry.username,
        registry.password,
        registry.certificate_authority,
    )


@pytest.fixture
def shop(project: Project, shelf: Shelf) -> Project:
    """A repository whose files get this registry's address."""
    return replace(project, registry=shelf.host)
