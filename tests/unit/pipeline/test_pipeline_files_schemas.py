# SPDX-License-Identifier: MIT
"""The JSON Schemas of both files say in an editor what `validate` says of one file alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from kit_core.errors import InputError
from kit_pipeline.files import keys, schemas
from tests.unit.pipeline.reading import services, steps
from tests.unit.pipeline.test_pipeline_files_odd import SCALARS, TREES

ROOT = Path(__file__).parents[3]
SERVICES, STEPS = (Draft7Validator(schema) for schema in schemas.schemas().values())
OURS = sorted(path for folder in (ROOT, ROOT / "examples") for path in folder.glob("**/codeship-*.yml")
              if ".venv" not in path.parts)  # fmt: skip


def faults(schema: Draft7Validator, value: Any) -> list[str]:
    """What an editor would mark; it sees a date as text."""
    return [error.message for error in schema.iter_errors(json.loads(json.dumps(value, default=str)))]


def complaints(read: Callable[[str], tuple[Any, list[str]]], text: str) -> list[str]:
    """Errors, and keys that nobody reads."""
    try:
        said = read(text)[1]
    except InputError as error:
        return [str(error)]
    return [line for line in said if " error: " in line or " has no key " in line or " stands beside " in line]


def test_each_is_a_schema_and_every_key_is_described() -> None:
    for schema in (SERVICES, STEPS):
        Draft7Validator.check_schema(schema.schema)
    described = schemas.schemas()["codeship-services.schema.json"]["definitions"]["service"]["properties"]
    assert set(described) == {*keys.SERVICE, *keys.SERVICE_IGNORED}
    assert all(key["description"].endswith(".") for key in described.values())


def test_our_own_files_and_those_of_the_examples_fit() -> None:
    assert len(OURS) >= 6
    for path in OURS:
        schema = SERVICES if "services" in path.name else STEPS
        assert faults(schema, yaml.safe_load(path.read_text("utf-8"))) == [], path


GOOD = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(keys.SERVICE, SCALARS | TREES), **dict.fromkeys(["ports", "tty"], TREES)}
)
ONE = st.fixed_dictionaries({}, optional=dict.fromkeys(keys.STEP, SCALARS | TREES))
SMALL = st.fixed_dictionaries({"service": st.just("a")}, optional={"command": SCALARS, "name": SCALARS})
GROUP = st.fixed_dictionaries(
    {"steps": st.lists(SMALL, max_size=2)}, optional={"type": st.sampled_from(["serial", "manual", None, "", "run"])}
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "services", "volumes", "x-a", "version"]), GOOD | TREES, max_size=3))
def test_a_schema_never_marks_a_services_file_that_is_well(value: dict[str, Any]) -> None:
    said = complaints(services, json.dumps(value))
    if not said and value:
        assert faults(SERVICES, value) == [], value


@settings(max_examples=40, deadline=None)
@given(st.lists(SMALL | GROUP | ONE, min_size=1, max_size=3))
def test_a_schema_never_marks_a_steps_file_that_is_well(value: list[Any]) -> None:
    if not complaints(steps, json.dumps(value)):
        assert faults(STEPS, value) == [], value


@pytest.mark.parametrize(
    "text",
    [
        "app: {image: a, build: .}", "app: {image: a, enviroment: {A: b}}", "app: {build: {cached: true}}",
        "app: nginx",
        "app: {image: [a]}", "app: {image: a, environment: {A: {b: c}}}", "app: {image: a, add_docker: perhaps}",
        "app:",
        "- app", "{}", "app: {build: [a]}", "app: {image: a, env_file: {a: b}}",
        "app: {image: a, volumes: [{type: b}]}",
        "app: {image: a, command: {a: b}}", "services: {app: {image: a}}\nother: {image: b}", "volumes: {image: [a]}",
        "services: {app: {image: a, tag: b}}",
    ],
)  # fmt: skip
def test_what_validate_says_of_a_services_file_an_editor_says_too(text: str) -> None:
    assert complaints(services, text)
    assert faults(SERVICES, yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "- {type: parralel, steps: [{service: a, command: x}]}", "- {service: a, services: [b], command: x}",
        "- {services: [a, b], command: x}", "- {type: serial, service: a}", "- {type: push, service: a}",
        "- {service: a, comand: x}", "- {service: a, command: x, on_fail: {command: y}}", "- just text",
        "app: {image: a}", "steps: [{service: a, command: x}]", "- {service: [a], command: x}", "[]",
        "- {service: a, command: x, tag: [a]}", "- {service: a, command: x, local: perhaps}",
        "- {type: run, service: a, steps: [{command: x}]}", "- {type: serial, service: a, steps: []}",
        "- {service: a, command: x, on_fail: [{comand: y}]}", "- {type: manual, steps: [{service: a, type: deploy}]}",
    ],
)  # fmt: skip
def test_what_validate_says_of_a_steps_file_an_editor_says_too(text: str) -> None:
    assert complaints(steps, text)
    assert faults(STEPS, yaml.safe_load(text))
