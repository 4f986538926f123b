# SPDX-License-Identifier: MIT
"""Fixtures from the testbed. It starts with the first test that asks for it, serves the whole run, and is removed at
its end.

KIT_TESTBED=<id> uses one that `python -m testbed up --clusters 2` started, and leaves it running: seconds instead of
half a minute.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from testbed import ssh
from testbed.bed import Testbed, end_on_sigterm, keep_logs
from testbed.cluster import Cluster
from testbed.git import GitRepository


@pytest.fixture(scope="session")
def bed(request: pytest.FixtureRequest) -> Iterator[Testbed]:
    """A testbed with two clusters."""
    if running := os.environ.get("KIT_TESTBED"):
        yield Testbed.attach(running)
        return
    end_on_sigterm()
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def progress(text: str) -> None:
        # Building may take minutes: said past the capture, so that nobody takes the run for a dead one.
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", file=sys.stderr, flush=True)

    with Testbed.start(2, progress=progress) as started:
        yield started
        if request.session.testsfailed:
            progress(f"testbed: some tests failed; the logs of its parts are kept in {keep_logs(started.id)}\n")


@pytest.fixture(scope="session")
def cluster(bed: Testbed) -> Cluster:
    """The first cluster."""
    return bed.cluster


@pytest.fixture(scope="session")
def other_cluster(bed: Testbed) -> Cluster:
    """The second cluster."""
    return bed.clusters[1]


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace in the first cluster; what a test leaves in it is deleted."""
    name = cluster.create_namespace()
    yield name
    cluster.delete_namespace(name)


@pytest.fixture
def make_namespace() -> Iterator[Callable[[Cluster], str]]:
    """Makes further namespaces, in any cluster: `make_namespace(other_cluster)`."""
    made: list[tuple[Cluster, str]] = []

    def make(cluster: Cluster) -> str:
        name = cluster.create_namespace()
        made.append((cluster, name))
        return name

    yield make
    for cluster, name in made:
        cluster.delete_namespace(name)


_numbers = itertools.count(1)


@pytest.fixture
def git_repository(bed: Testbed) -> Iterator[Callable[..., GitRepository]]:
    """Makes repositories on the git server.

    `git_repository(files={"kit.yaml": "…"})` or `git_repository(from_dir=path)`.
    """
    made: list[GitRepository] = []

    def make(
        name: str = "repository",
        *,
        files: Mapping[str, str] | None = None,
        from_dir: Path | None = None,
        branch: str = "master",
    ) -> GitRepository:
        # The process's number keeps two runs on one testbed apart.
        unique = f"{name}-{os.getpid()}-{next(_numbers)}"
        made.append(bed.git.create(unique, files=files, from_dir=from_dir, branch=branch))
        return made[-1]

    yield make
    for repository in made:
        repository.delete()


@pytest.fixture(scope="session")
def ssh_server(bed: Testbed) -> Iterator[ssh.SshServer]:
    """The git server's repositories over ssh and git://; started for the first test that asks for it."""
    with ssh.running(bed.id, bed.image) as server:
        yield server


@pytest.fixture(scope="session")
def workload_image(bed: Testbed) -> Callable[..., str]:
    """Pushes the workload program under a tag and returns the reference: `workload_image("2", CRASH="no database")`."""

    def push(tag: str = "1", repository: str = "shop/workload", **variables: str) -> str:
        return bed.workload(tag, repository, **variables)

    return push
