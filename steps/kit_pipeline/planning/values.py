# SPDX-License-Identifier: MIT
"""What a run knows of itself: the values of templates, and the variables that every container gets."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from kit_pipeline.template import Value

_CI_NAME: Final = "codeship"


@dataclass(frozen=True, kw_only=True)
class RunValues:
    """A build. `branch` is a tag's name in the build of a tag; `time` is when the run began.

    `pull_request` is its address, `pr_number` its number. `approved` is set for what runs after a manual approval.
    """

    branch: str
    commit_id: str
    time: datetime
    commit_message: str = ""
    commit_description: str = ""
    committer_name: str = ""
    committer_email: str = ""
    committer_username: str = ""
    project_id: str = ""
    build_id: str = ""
    repo_name: str = ""
    pr_number: str = ""
    pull_request: str = ""
    ci_name: str = _CI_NAME

    @property
    def timestamp(self) -> int:
        """Whole seconds since 1970."""
        return int(self.time.timestamp())

    @property
    def string_time(self) -> str:
        """The time as RFC 3339 writes it, in UTC."""
        return self.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def for_templates(self, *, step: str = "", service: str = "", image: str = "") -> dict[str, Value]:
        """The values that a template may name."""
        return {
            "ProjectID": self.project_id,
            "BuildID": self.build_id,
            "RepoName": self.repo_name,
            "Branch": self.branch,
            "CommitID": self.commit_id,
            "CommitMessage": self.commit_message,
            "CommitDescription": self.commit_description,
            "CommitterName": self.committer_name,
            "CommitterEmail": self.committer_email,
            "CommitterUsername": self.committer_username,
            # Go prints a time like this.
            "Time": self.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
            "Timestamp": self.timestamp,
            "StringTime": self.string_time,
            "StepName": step,
            "ServiceName": service,
            "ImageName": image,
            "Ci": "true",
            "CI": "true",
            "CiName": self.ci_name,
        }

    def for_containers(self, *, approved: bool = False) -> dict[str, str]:
        """The variables that containers get, under CodeShip's names."""
        variables = {
            "CI": "true",
            "CI_NAME": self.ci_name,
            "CI_PROJECT_ID": self.project_id,
            "CI_BUILD_ID": self.build_id,
            "CI_REPO_NAME": self.repo_name,
            "CI_BRANCH": self.branch,
            "CI_COMMIT_ID": self.commit_id,
            "CI_COMMIT_MESSAGE": self.commit_message,
            "CI_COMMIT_DESCRIPTION": self.commit_description,
            "CI_COMMITTER_NAME": self.committer_name,
            "CI_COMMITTER_EMAIL": self.committer_email,
            "CI_COMMITTER_USERNAME": self.committer_username,
            "CI_TIMESTAMP": str(self.timestamp),
            "CI_STRING_TIME": self.string_time,
            "CI_PR_NUMBER": self.pr_number,
            "CI_PULL_REQUEST": self.pull_request or "false",
        }
        return {**variables, "CI_BUILD_APPROVED": "true"} if approved else variables
