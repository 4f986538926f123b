# SPDX-License-Identifier: MIT
"""Secrets are planted in every setting that takes one, and must not be seen in anything a container says or shows."""

from __future__ import annotations

import base64
from importlib import import_module

import pytest

from kit_core.declare import declared
from testbed.docker import docker
from tests.images.jobs import endless_job
from tests.images.running import Image

CANARY = "canary-7f3a9d"


def secret_variables(image: Image) -> list[str]:
    """The names under which each secret setting is read, the strongest of each."""
    step = import_module(f"{image.package}.cli").STEP
    return [item.variables[0] for item in declared(step.settings) if item.secret]


def planted(image: Image, way: str) -> tuple[str, ...]:
    """Options that give every secret setting a canary, in one of the ways there are."""
    options: list[str] = []
    folder = image.owned(0, name="secrets")
    for number, name in enumerate(secret_variables(image)):
        value = f"{CANARY}-{number}"
        if way == "variable":
            options += ["-e", f"{name}={value}"]
        elif way == "base64":
            options += ["-e", f"{name}_BASE64={base64.b64encode(value.encode()).decode()}"]
        elif way == "file":
            image.write(folder, name, value + "\n", uid=0)
            options += ["-e", f"{name}_FILE=/secrets/{name}"]
    return (*options, "-v", f"{folder}:/secrets:ro", "-e", "DEBUG=true")


def given_away(text: str) -> bool:
    """Whether a canary is seen, as it is or encoded."""
    encoded = base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-1]
    return CANARY in text or encoded in text


@pytest.mark.parametrize("way", ["variable", "base64", "file"])
def test_no_output_shows_a_secret(image: Image, way: str) -> None:
    options = planted(image, way)
    asked = ("decrypt", "/etc/passwd") if image.name == "kit-pipeline" else ()
    done = image.run(*asked, options=options)
    assert done.code
    assert not given_away(done.text), done.text


@pytest.mark.parametrize("arguments", [("--help",), ("--no-such-option",)])
def test_help_and_json_show_no_secret(image: Image, arguments: tuple[str, ...]) -> None:
    done = image.run(*arguments, options=(*planted(image, "variable"), "-e", "KIT_LOG_FORMAT=json"))
    assert not given_away(done.text), done.text


def test_neither_log_nor_process_list_shows_a_secret_while_the_step_works(image: Image) -> None:
    job = endless_job(image, token=CANARY)
    container = image.start(*job.arguments, options=(*job.options, "-e", "DEBUG=true", "-e", "CI=true"))
    job.wait_until_under_way(container)
    commands = docker("exec", container, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    assert image.name in commands
    assert not given_away(commands), commands
    docker("stop", container)
    said = docker("logs", container)
    assert not given_away(said.stdout + said.stderr), said.stderr


def test_a_secret_is_no_option(image: Image) -> None:
    """Options can be read in the process list by everybody."""
    step = import_module(f"{image.package}.cli").STEP
    assert [item.option for item in declared(step.settings) if item.secret and not item.option.endswith("-file")] == []
