# SPDX-License-Identifier: MIT
"""The examples' pipelines for GitHub Actions, GitLab CI, Jenkins and plain shell do what their CodeShip files do: the
same steps with the same images, commands, variables, secrets and folders, in the same order, under the same conditions.

What CodeShip's files do is what kit-pipeline plans to do with them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.shop import EXAMPLES
from kit_core.settings import load_settings
from kit_image_deployer.request import read_change
from kit_image_deployer.settings import ImageDeployerSettings
from kit_pipeline import Pipeline
from kit_pipeline.files.service import Service
from kit_pipeline.planning.values import RunValues
from kit_pipeline.template import fill
from tests.unit.examples.asked import BRANCHES, BUILT, COMMIT, EVENTS, Call, Event, Recorder
from tests.unit.examples.ci_files import github, gitlab, plain
from tests.unit.examples.jenkinsfile import check, jenkins, parsed

REPOSITORIES = ("service-repo", "deployments-repo")
SERVICES_OF_CI = {"GitHub Actions": github, "GitLab CI": gitlab, "Jenkins": jenkins, "plain shell": plain}
ENCRYPTED = {
    "secrets.env.encrypted": frozenset({"PAYMENT_KEY", "CODESHIP_AES_KEY"}),
    "deploy.env.encrypted": frozenset({"KIT_GIT_USERNAME", "KIT_GIT_PASSWORD"}),
}
"""What the READMEs ask people to write into the files."""


@pytest.fixture
def clone(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "a clone"
    shutil.copytree(EXAMPLES / request.param, folder)
    return folder


def planned(folder: Path, event: Event) -> Iterator[Call]:
    """What CodeShip's files ask for, once they are planned for an event."""
    pipeline = Pipeline(folder, env={})
    project = pipeline.project(tag=BRANCHES[event])
    values = RunValues(branch=BRANCHES[event], commit_id=COMMIT, time=datetime.now(UTC)).for_templates()
    built = set()
    for task in pipeline.plan(project, tag=BRANCHES[event], push=True).tasks():
        if task.skipped:
            continue
        service = project.services[task.service]
        if service.build is not None and service.name not in built:
            built.add(service.name)
            arguments = tuple((key, fill(text or "", values, name=key)) for key, text in service.build.args)
            yield Call(kind="build", image=BUILT, variables=arguments)
        if task.step.push is not None:
            tag = fill(task.step.push.tag, values, name="image_tag")
            yield Call(kind="push", image=f"{task.step.push.image}:{tag}")
        else:
            yield run_of(service, task.step.command or ())


def run_of(service: Service, command: tuple[str, ...]) -> Call:
    workdir = service.passed_on.get("working_dir")
    return Call(
        kind="run",
        image=BUILT if service.build else service.image or "",
        command=command,
        variables=tuple(sorted((name, value or "") for name, value in service.environment)),
        secrets=frozenset().union(*(ENCRYPTED[path] for path in service.encrypted_env_files)),
        mounts=frozenset((volume.container, os.path.normpath(volume.host or "")) for volume in service.volumes),
        workdir=workdir if isinstance(workdir, str) else None,
    )


def asked(folder: Path, ci: str, event: Event, tmp_path: Path) -> list[Call]:
    """What a CI service asks for at an event."""
    recorder = Recorder(tmp_path / "recorder")
    return [
        call
        for script in SERVICES_OF_CI[ci](folder, event)
        for call in recorder.run(script.command, script.env, folder, image=script.image)
    ]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("ci", SERVICES_OF_CI)
@pytest.mark.parametrize("clone", REPOSITORIES, indirect=True)
def test_it_does_what_the_codeship_files_do(clone: Path, ci: str, event: Event, tmp_path: Path) -> None:
    expected = list(planned(clone, event))
    assert [call.comparable for call in asked(clone, ci, event, tmp_path)] == expected


@pytest.mark.parametrize("clone", ["deployments-repo"], indirect=True)
def test_a_branch_is_rendered_checked_and_compared_without_a_key_or_a_cluster(clone: Path) -> None:
    calls = list(planned(clone, "branch"))
    assert [call.command[0] for call in calls] == ["render", "lint", "diff"]
    for call in calls:
        assert "kit-deploymentizer" in call.image
        assert ("KIT_PLACEHOLDERS", "true") in call.variables
        assert not call.secrets


@pytest.mark.parametrize("clone", ["deployments-repo"], indirect=True)
def test_master_is_rendered_rehearsed_then_deployed_awaited_and_reported(clone: Path) -> None:
    render, rehearse, deploy = planned(clone, "master")
    assert "kit-deploymentizer" in render.image
    assert ("DRY_RUN", "true") in rehearse.variables
    assert {("DRY_RUN", "false"), ("AVAILABLE_ENABLED", "true")} <= set(deploy.variables)
    assert ("/reports", "reports") in deploy.mounts


@pytest.mark.parametrize("ci", SERVICES_OF_CI)
@pytest.mark.parametrize("clone", ["service-repo"], indirect=True)
def test_each_ci_says_which_branch_commit_and_author_the_image_is_of(clone: Path, ci: str, tmp_path: Path) -> None:
    call = asked(clone, ci, "master", tmp_path)[-1]
    env = dict(call.environment)
    loaded = load_settings(ImageDeployerSettings, env)
    change = read_change(loaded.settings, env, loaded.given)[0]
    (update,) = change.updates
    assert (update.repository, update.branch) == ("shop/storefront", "master")
    assert update.image == f"registry.example.com/shop/storefront:master-{COMMIT}"
    assert change.author != "kit-image-deployer <kit-image-deployer@localhost>"
    assert change.origin is not None
    assert change.origin.source_commit == COMMIT
    if ci != "plain shell":
        assert change.origin.build is not None
        assert change.origin.build_url is not None


@pytest.mark.parametrize("clone", ["service-repo"], indirect=True)
def test_a_shell_without_a_login_for_the_deployments_repository_builds_nothing(clone: Path, tmp_path: Path) -> None:
    (script,) = plain(clone, "master")
    env = {name: value for name, value in script.env.items() if name != "KIT_GIT_PASSWORD"}
    recorder = Recorder(tmp_path / "recorder")
    with pytest.raises(AssertionError, match="KIT_GIT_PASSWORD: is needed to deploy"):
        recorder.run(script.command, env, clone)
    assert recorder.asked == []


@pytest.mark.parametrize("clone", ["deployments-repo"], indirect=True)
def test_a_shell_takes_the_key_from_its_file(clone: Path, tmp_path: Path) -> None:
    (clone / "codeship.aes").write_text("the key\n", "utf-8")
    (script,) = plain(clone, "master")
    env = {name: value for name, value in script.env.items() if name != "CODESHIP_AES_KEY"}
    calls = Recorder(tmp_path / "recorder").run(script.command, env, clone)
    assert [dict(call.environment)["CODESHIP_AES_KEY"] for call in calls] == ["the key"] * 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stages {", "stages {{", "is no Groovy"),
        ("stage('check')", "stage('check'", "is no Groovy"),
        ("steps {", "step {", "step has no place in stage"),
        ("options {", "option {", "option has no place in pipeline"),
        ("steps {", "stages { }\n steps {", "either steps or stages"),
    ],
)
def test_a_broken_jenkinsfile_is_noticed(old: str, new: str, said: str) -> None:
    text = (EXAMPLES / "service-repo/Jenkinsfile").read_text("utf-8")
    check(parsed(text))
    with pytest.raises(ValueError, match=said):
        check(parsed(text.replace(old, new, 1)))
