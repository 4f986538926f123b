# SPDX-License-Identifier: MIT
"""docs/ci.md and the code name the same variables; what becomes of them is tested with each step."""

import re
from pathlib import Path

from kit_core.ci import PROVIDERS
from kit_core.declare import declared
from kit_deployer.settings import DeployerSettings
from kit_deploymentizer.settings import DeploymentizerSettings
from kit_image_deployer.settings import ImageDeployerSettings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "ci.md").read_text("utf-8")


def section(title: str) -> str:
    return DOCUMENT.split(f"## {title}\n")[1].split("\n## ")[0]


def natives(cls: type) -> set[str]:
    return {name for item in declared(cls) for name in item.native}


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    text = section("kit-image-deployer")
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", text))
    builds = {name for item in PROVIDERS for name in (item.build_number, item.build_url) if name}
    ours = {name for item in declared(ImageDeployerSettings) for name in item.variables}
    assert natives(ImageDeployerSettings) | builds <= named
    assert named - natives(ImageDeployerSettings) - builds - ours <= {"GITHUB_RUN_ID", "GITHUB_EVENT_PATH"}


def test_the_other_steps_take_what_is_said() -> None:
    commits = {name for item in declared(ImageDeployerSettings) if item.field == "ci_commit_id" for name in item.native}
    aws = natives(DeployerSettings) - commits
    assert natives(DeployerSettings) - aws == commits
    assert aws <= set(re.findall(r"`(AWS_\w+)`", (Path(__file__).parents[3] / "docs/output.md").read_text("utf-8")))
    assert natives(DeploymentizerSettings) == set()


def test_every_service_has_a_row() -> None:
    titles = set(re.findall(r"^\| ([A-Z][^|]+?) \|", section("kit-image-deployer"), re.MULTILINE))
    assert titles - {"CI"} == {
        item.title.removesuffix(" Pipelines") if item.name == "bitbucket" else item.title for item in PROVIDERS
    }
