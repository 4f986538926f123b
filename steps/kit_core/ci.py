# SPDX-License-Identifier: MIT
"""The CI services: how each is recognised, what it calls a pull request, how its log folds and marks.

The variables are those documented by each service. A provider is data, so that a new one is one more line.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Dialect = Literal["plain", "github", "gitlab", "azure"]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One CI service. `pull_request` names variables that are set (and not `false`) in a pull request's build,
    `checkout` the one that holds the folder of the repository that is built.
    """

    name: str
    title: str
    detected_by: tuple[tuple[str, str | None], ...]
    pull_request: tuple[str, ...] = ()
    dialect: Dialect = "plain"
    build_number: str | None = None
    build_url: str | None = None
    checkout: str | None = None

    def detects(self, env: Mapping[str, str]) -> bool:
        """Whether `env` is that of a build of this service."""
        return any(
            bool(env.get(name)) if value is None else env.get(name, "").lower() == value
            for name, value in self.detected_by
        )

    def is_pull_request(self, env: Mapping[str, str]) -> bool:
        """Whether this build was started by a pull (merge) request."""
        # A merge queue builds what is not merged yet, on a branch of its own.
        if self.name == "github" and env.get("GITHUB_EVENT_NAME", "").startswith(("pull_request", "merge_group")):
            return True
        return any(env.get(name, "").lower() not in {"", "false", "0"} for name in self.pull_request)

    def in_checkout(self, file: str, env: Mapping[str, str], cwd: Path) -> str:
        """A file's path as the service's view of a change knows it: below the checkout, wherever that is mounted."""
        place = Path(os.path.normpath(cwd / file))
        for root in (env.get(self.checkout or ""), str(cwd)):
            if root and root != "/" and place.is_relative_to(root):
                return str(place.relative_to(root))
        return file


PROVIDERS: Final = (
    Provider(name="github", title="GitHub Actions", detected_by=(("GITHUB_ACTIONS", "true"),), dialect="github",
             build_number="GITHUB_RUN_NUMBER", checkout="GITHUB_WORKSPACE"),
    Provider(name="gitlab", title="GitLab CI", detected_by=(("GITLAB_CI", "true"),), dialect="gitlab",
             pull_request=("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"), build_number="CI_PIPELINE_IID",
             build_url="CI_PIPELINE_URL"),
    Provider(name="bitbucket", title="Bitbucket Pipelines", detected_by=(("BITBUCKET_BUILD_NUMBER", None),),
             pull_request=("BITBUCKET_PR_ID",), build_number="BITBUCKET_BUILD_NUMBER"),
    Provider(name="circleci", title="CircleCI", detected_by=(("CIRCLECI", "true"),),
             pull_request=("CIRCLE_PULL_REQUEST", "CIRCLE_PR_NUMBER"), build_number="CIRCLE_BUILD_NUM",
             build_url="CIRCLE_BUILD_URL"),
    Provider(name="travis", title="Travis CI", detected_by=(("TRAVIS", "true"),),
             pull_request=("TRAVIS_PULL_REQUEST",), build_number="TRAVIS_BUILD_NUMBER",
             build_url="TRAVIS_BUILD_WEB_URL"),
    Provider(name="azure", title="Azure Pipelines", detected_by=(("TF_BUILD", "true"),), dialect="azure",
             pull_request=("SYSTEM_PULLREQUEST_PULLREQUESTID",), build_number="BUILD_BUILDID",
             checkout="BUILD_SOURCESDIRECTORY"),
    Provider(name="woodpecker", title="Woodpecker", detected_by=(("CI", "woodpecker"),),
             pull_request=("CI_COMMIT_PULL_REQUEST",), build_number="CI_PIPELINE_NUMBER",
             build_url="CI_PIPELINE_URL"),
    Provider(name="drone", title="Drone", detected_by=(("DRONE", "true"),),
             pull_request=("DRONE_PULL_REQUEST",), build_number="DRONE_BUILD_NUMBER", build_url="DRONE_BUILD_LINK"),
    Provider(name="jenkins", title="Jenkins", detected_by=(("JENKINS_URL", None),),
             pull_request=("CHANGE_ID", "ghprbPullId", "gitlabMergeRequestIid"),  # the last two: plugins
             build_number="BUILD_NUMBER", build_url="BUILD_URL"),
    Provider(name="codeship", title="CodeShip", detected_by=(("CI_NAME", "codeship"),),
             pull_request=("CI_PR_NUMBER", "CI_PULL_REQUEST"), build_number="CI_BUILD_ID"),
)  # fmt: skip

NONE: Final = Provider(name="none", title="no CI service", detected_by=())
"""What runs by hand, or in a CI service that is not known here."""


def detect(env: Mapping[str, str]) -> Provider:
    """The CI service whose build this is, or `NONE`."""
    return next((provider for provider in PROVIDERS if provider.detects(env)), NONE)


def in_ci(env: Mapping[str, str]) -> bool:
    """Whether a machine reads the log: a known CI service, or `CI` set to anything but a no."""
    return detect(env) is not NONE or env.get("CI", "").lower() not in {"", "false", "0", "no", "off"}
