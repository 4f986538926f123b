# SPDX-License-Identifier: MIT
"""Our own CodeShip files and those of the examples keep to the format and say what our steps understand."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kit_core.declare import declared
from kit_core.step import Step as Program
from kit_pipeline.files.service import Service
from kit_pipeline.files.step import Step
from kit_pipeline.files.steps import every
from kit_pipeline.project import load_project
from kit_pipeline.validation import validate

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT, ROOT / "examples/service-repo", ROOT / "examples/deployments-repo"]
STEPS = {
    "kit-image-deployer": "kit_image_deployer",
    "kit-deploymentizer": "kit_deploymentizer",
    "kit-deployer": "kit_deployer",
}


def names(folder: Path) -> str:
    return str(folder.relative_to(ROOT))


def read(folder: Path) -> tuple[Mapping[str, Service], Sequence[Step]]:
    """The services of a folder's files, and all steps and groups."""
    project = load_project(folder)
    return project.services, every(project.steps)


def said(folder: Path) -> list[str]:
    """Everything that `validate` says. The examples have no secrets, so those files are made by whoever uses them."""
    lines = [str(finding) for finding in validate(folder, shown=lambda path: path.name)]
    return [line for line in lines if not (": note: `encrypted_" in line and ", is not there" in line)]


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_the_files_keep_to_the_format(folder: Path) -> None:
    """kit's own validation has nothing to say of them: no error, no warning, and nothing that has no effect."""
    assert said(folder) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_every_service_is_used(folder: Path) -> None:
    services, steps = read(folder)
    assert set(services) == {name for step in steps for name in step.services}


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_a_push_says_where_to_and_folders_are_those_of_the_repository(folder: Path) -> None:
    """Without a registry an image of ours would be offered to Docker Hub."""
    services, steps = read(folder)
    assert [step.name for step in steps if step.push is not None and step.push.registry is None] == []
    hosts = [volume.host for service in services.values() for volume in service.volumes if volume.host is not None]
    assert [host for host in hosts if not host.startswith("./")] == []


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=names)
def test_they_set_only_variables_and_commands_that_our_steps_have(folder: Path) -> None:
    services, steps = read(folder)
    ours = {name: program for name, service in services.items() if (program := program_of(service)) is not None}
    assert ours, "no service runs a step of kit"
    for name, program in ours.items():
        known = {variable for item in declared(program.settings) for variable in item.variables if not item.ignored}
        assert {variable for variable, _ in services[name].environment} <= known, name
    for step in steps:
        for name in set(step.services) & set(ours):
            if step.command:
                assert ours[name].command(step.command[0]), f"{name} has no command {step.command[0]}"


def program_of(service: Service) -> Program | None:
    package = STEPS.get((service.image or "").rpartition("/")[2].partition(":")[0])
    if package is None:
        return None
    program = importlib.import_module(f"{package}.cli").STEP
    assert isinstance(program, Program)
    return program
