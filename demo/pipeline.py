# SPDX-License-Identifier: MIT
"""The pipeline of a deployments repository and the last step of a service's, as a CI service runs them: `docker run`.

Shared by the demo and the end-to-end tests. Nothing here knows what the steps do: it hands over environment, mounts and
network, and keeps what came back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from demo.process import Result, run


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build of a CI service: the commit it is for, as the service's variables tell it."""

    branch: str
    commit: str
    author: str
    email: str
    message: str

    @property
    def tag(self) -> str:
        """The image tag that kit-image-deployer assumes."""
        return f"{self.branch}-{self.commit}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the CI sets in every container."""
        return {
            "CI": "true",
            "CI_BRANCH": self.branch,
            "CI_COMMIT_ID": self.commit,
            "CI_COMMITTER_NAME": self.author,
            "CI_COMMITTER_EMAIL": self.email,
            "CI_COMMIT_MESSAGE": self.message,
        }


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A git repository behind http with basic auth, by its address inside the network."""

    url: str
    username: str
    password: str

    @property
    def address(self) -> str:
        """The address with the credentials in it, as `git clone` takes them."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{self.username}:{self.password}@{rest}"


class Audience(Protocol):
    """Who watches: told of each command before it runs, and of each line it prints."""

    def command(self, command: Sequence[str]) -> None: ...  # noqa: D102
    def output(self, line: str) -> None: ...  # noqa: D102


class Silence:
    """Nobody watches."""

    def command(self, command: Sequence[str]) -> None:
        """Nothing."""

    def output(self, line: str) -> None:
        """Nothing."""


STEPS = ("kit-image-deployer", "kit-deploymentizer", "kit-deployer")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The three step images, and where they run.

    `work` is the folder that the printed commands are typed in: mounts lie below it. `images` maps each step's name to
    its image, `secrets` are the variables of the deployments repository's encrypted environment, `options` go into
    every `docker run` (labels).
    """

    network: str
    work: Path
    images: Mapping[str, str]
    registry: str
    remote: Remote
    secrets: Mapping[str, str]
    options: Sequence[str] = ()
    audience: Audience = field(default_factory=Silence)

    def aside(self, audience: Audience | None = None) -> Pipeline:
        """The same pipeline with another audience, or none."""
        return dataclasses.replace(self, audience=audience or Silence())

    def update_image(self, build: Build, repo: str, **settings: str) -> Result:
        """kit-image-deployer, as the last step of a service's pipeline."""
        given = {
            "COMMIT": "true",
            "DOCKER_REGISTRY": self.registry,
            "DOCKER_REPO": repo,
            "KIT_GIT_URL": self.remote.url,
            "KIT_GIT_USERNAME": self.remote.username,
            **settings,
        }
        handed = {**build.environment, "KIT_GIT_PASSWORD": self.remote.password}
        return self._step("kit-image-deployer", given=given, handed=handed)

    def render(self, clone: str, **settings: str) -> Result:
        """kit-deploymentizer on a clone of the deployments repository; the manifests go to `generated/` in it."""
        return self._step(
            "kit-deploymentizer",
            given=settings,
            handed=dict(self.secrets),
            mounts={clone: "/manifests"},
            options=("-w", "/manifests"),
        )

    def deploy(
        self, clone: str, build: Build, *, dry_run: bool, configs: str = "kubeconfigs", **settings: str
    ) -> Result:
        """kit-deployer with the clone's rendered manifests and the kubeconfigs of a folder."""
        given = {"DRY_RUN": "true"} if dry_run else {"DRY_RUN": "false", "AVAILABLE_ENABLED": "true"}
        return self._step(
            "kit-deployer",
            given={**given, **settings},
            handed=build.environment,
            mounts={
                f"{clone}/generated": "/manifests:ro",
                f"{clone}/namespaces": "/namespaces:ro",
                configs: "/configs:ro",
            },
        )

    def _step(
        self,
        name: str,
        *,
        given: Mapping[str, str],
        handed: Mapping[str, str],
        mounts: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> Result:
        """Run one image. `given` stands on the command line, `handed` in the CI's environment."""
        words = ["docker", "run", "--rm", "--network", self.network]
        words += [part for host, inside in (mounts or {}).items() for part in ("-v", f"$PWD/{host}:{inside}")]
        words += options
        words += [part for name, value in given.items() for part in ("-e", f"{name}={value}")]
        words += [part for name in handed for part in ("-e", name)]
        self.audience.command([*words, self.images[name]])
        real = [word.replace("$PWD/", f"{self.work}/", 1) if word.startswith("$PWD/") else word for word in words]
        real[2:2] = self.options
        return run([*real, self.images[name]], env=handed, cwd=self.work, listener=self.audience.output)
