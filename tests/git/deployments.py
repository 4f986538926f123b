# SPDX-License-Identifier: MIT
"""A deployments repository on the testbed's git server, and kit-image-deployer running against it."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass

from kit_core.entry import main
from kit_image_deployer.cli import STEP
from testbed.git import GitRepository

KIT = "version: '2'\nimages:\n  path: ./images\n  property: image\n"
FILE = "images/shop/cart/master.yaml"
OLD = "registry.example.com/shop/cart:master-1"
NEW = "registry.example.com/shop/cart:master-2"
FILES = {
    "kit.yaml": KIT,
    FILE: f"# the cart\nimage: {OLD}  # written by its pipeline\n",
    "images/shop/web/master.yaml": "image: registry.example.com/shop/web:master-1\n",
    "clusters/europe/cluster.yaml": "kind: ClusterNamespace\n",
}


@dataclass(frozen=True)
class Run:
    """What a run ended with. `log` is everything it printed."""

    code: int
    log: str

    @property
    def last(self) -> str:
        return self.log.splitlines()[-1]


@dataclass(frozen=True)
class Deployments:
    """The repository, and the settings that a run against it needs."""

    repository: GitRepository

    def settings(self, **others: str) -> dict[str, str]:
        return {
            "KIT_GIT_URL": self.repository.url_outside,
            "KIT_GIT_USERNAME": self.repository.username,
            "KIT_GIT_PASSWORD": self.repository.password,
            "DOCKER_REPO": "shop/cart",
            "CI_BRANCH": "master",
            "IMAGE": NEW,
            "COMMIT": "true",
            **others,
        }

    def run(self, *arguments: str, **others: str) -> Run:
        """The step, in this process."""
        stream = io.StringIO()
        code = main(STEP, arguments, self.settings(**others), stdout=stream, stderr=stream)
        return Run(code, stream.getvalue())

    def process(self, **others: str) -> tuple[list[str], dict[str, str]]:
        """Arguments and environment of the step as a process of its own."""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **self.settings(**others)}
        return [sys.executable, "-m", "kit_image_deployer"], env

    def commits(self) -> list[str]:
        """The branch's history, newest first."""
        return self.repository.git("rev-list", self.repository.branch).splitlines()

    def check_history(self) -> None:
        """Every commit has one parent at most, and every object is there and sound."""
        assert self.repository.git("rev-list", "--min-parents=2", self.repository.branch) == ""
        self.repository.git("fsck", "--strict", "--no-dangling")
