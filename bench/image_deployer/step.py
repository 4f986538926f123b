# SPDX-License-Identifier: MIT
"""The step as a pipeline runs it: a process, settings in its environment."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.image_deployer.repository import image_of
from bench.measure import Run, python_env, run_process
from testbed.git import GitRepository

COMMAND = [sys.executable, "-m", "kit_image_deployer"]


def settings(
    repository: GitRepository, cache: Path, service: str, build: int, *, url: str | None = None, **others: str
) -> dict[str, str]:
    """The environment of one update. `cache` is where Python keeps compiled modules."""
    return python_env(
        str(cache),
        KIT_GIT_URL=url or repository.url_outside,
        KIT_GIT_USERNAME=repository.username,
        KIT_GIT_PASSWORD=repository.password,
        DOCKER_REPO=service,
        CI_BRANCH="master",
        IMAGE=image_of(service, build),
        CI_COMMITTER_NAME="Ada",
        CI_COMMITTER_EMAIL="ada@example.com",
        COMMIT="true",
        **others,
    )


def update(repository: GitRepository, cache: Path, service: str, build: int, *, url: str | None = None) -> Run:
    """One update that really commits. Raises `RuntimeError` where it did not."""
    run = run_process(COMMAND, settings(repository, cache, service, build, url=url))
    if "result=updated" not in run.output:
        raise RuntimeError(f"nothing was committed:\n{run.output}")
    return run
