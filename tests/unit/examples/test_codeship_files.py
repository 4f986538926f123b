# SPDX-License-Identifier: MIT
"""Our own CodeShip files and those of the examples keep to the format and say what our steps understand."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit_core.declare import declared
from kit_core.step import Step
from tests.unit.examples.codeship_rules import load, problems

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT, ROOT / "examples/service-repo", ROOT / "examples/deployments-repo"]
STEPS = {
    "kit-image-deployer": "kit_image_deployer",
    "kit-deploymentizer": "kit_deploymentizer",
    "kit-deployer": "kit_deployer",
}


def names(folder: Path) -> str:
    return str(folder.relative_to(ROOT))


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_the_files_keep_to_the_format(folder: Path) -> None:
    assert problems(folder) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_every_service_is_used(folder: Path) -> None:
    used = {name for step in flat(load(folder / "codeship-steps.yml")) for name in named(step)}
    assert set(load(folder / "codeship-services.yml")) == used


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=names)
def test_they_set_only_variables_and_commands_that_our_steps_have(folder: Path) -> None:
    services = load(folder / "codeship-services.yml")
    ours = {name: step for name, service in services.items() if (step := step_of(service)) is not None}
    assert ours, "no service runs a step of kit"
    for name, step in ours.items():
        known = {variable for item in declared(step.settings) for variable in item.variables if not item.ignored}
        assert set(services[name].get("environment", {})) <= known, name
    for entry in flat(load(folder / "codeship-steps.yml")):
        for name in set(named(entry)) & set(ours):
            if "command" in entry:
                word = shlex.split(entry["command"])[0]
                assert ours[name].command(word), f"{name} has no command {word}"


@pytest.mark.parametrize(
    ("services", "steps", "said"),
    [
        ("a: {image: x, build: .}", "- {service: a, command: b}", "exactly one of"),
        ("a: {image: x, built: y}", "- {service: a, command: b}", "unknown key built"),
        ("a: {build: {context: ., cached: true}}", "- {service: a, command: b}", "cached under build"),
        ("a: {build: {context: nowhere}}", "- {service: a, command: b}", "there is no Dockerfile"),
        ("a: {image: x, volumes: ['/tmp:/x']}", "- {service: a, command: b}", "is not ./host:/container"),
        ("a: {image: x, depends_on: [b]}", "- {service: a, command: b}", "depends_on names b"),
        ("a: {image: x}", "- {service: b, command: c}", "service b is not defined"),
        ("a: {image: x}", "- {service: a, command: c && d}", "no shell's"),
        ("a: {image: x}", "- {service: a, command: 'echo $HOME'}", "no shell's"),
        ("a: {image: x}", "- {service: a}", "no command"),
        ("a: {image: x}", "- {service: a, type: deploy, command: c}", "deploy is no type"),
        ("a: {image: x}", "- {service: a, commands: c, command: d}", "unknown key commands"),
        ("a: {image: x}", "- {service: a, type: push, image_name: n, registry: r}", "builds nothing"),
        ("a: {build: {dockerfile: codeship-steps.yml}}", "- {service: a, type: push}", "no image_name"),
        ("a: {image: x}", "- {type: serial, service: a, steps: []}", "without steps"),
        ("a: {image: x}", "- {type: serial, service: a, steps: [{service: a, command: c}]}", "of its own"),
        ("a: {image: x}", "- {service: a, command: c, tag: (master|main)}", "neither ^ nor $"),
        ("a: {image: x}", "- {service: a, command: c, tag: ^(master$}", "is no expression"),
        ("a: {image: x}", "- {service: a, command: 'say {{.Branche}}'}", "names Branche"),
        ("a: {image: x}", "- {type: manual, service: a, steps: [{command: c}]}\n- {service: a}", "not the last"),
        ("[a]", "- {service: a, command: c}", "no map"),
        ("a: {image: x}", "service: a", "no list"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found(tmp_path: Path, services: str, steps: str, said: str) -> None:
    (tmp_path / "codeship-services.yml").write_text(services)
    (tmp_path / "codeship-steps.yml").write_text(steps)
    assert said in " / ".join(problems(tmp_path))


def flat(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        yield from flat(step.get("steps", []))


def named(step: dict[str, Any]) -> list[str]:
    return [step["service"]] if "service" in step else list(step.get("services", []))


def step_of(service: dict[str, Any]) -> Step | None:
    package = STEPS.get(service.get("image", "").rpartition("/")[2].partition(":")[0])
    if package is None:
        return None
    step = importlib.import_module(f"{package}.cli").STEP
    assert isinstance(step, Step)
    return step
