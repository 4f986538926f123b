# SPDX-License-Identifier: MIT
"""What a pair of CodeShip files must keep to: the two tables of the format, as far as our own files use them.

Scalars are read as written (every one a string), as the format says. Each broken rule gives one sentence.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


SERVICE_KEYS = words(
    """build image environment env_file encrypted_env_file encrypted_environment encrypted_dockercfg_path
    dockercfg_service volumes volumes_from depends_on links cached default_cache_branch add_docker
    command entrypoint user working_dir hostname domainname dns dns_search extra_hosts expose cap_add
    cap_drop cpu_shares cpuset mem_limit read_only restart security_opt dockerfile"""
)
BUILD_KEYS = words("image context dockerfile args encrypted_args encrypted_args_file path dockerfile_path")
STEP_KEYS = words(
    """name type tag exclude service services command steps image_name image_tag registry
    encrypted_dockercfg_path dockercfg_service on_fail"""
)
TYPES = words("run serial parallel manual push")
GROUPS = words("serial parallel manual")
TEMPLATE_VALUES = words(
    """ProjectID BuildID RepoName Branch CommitID CommitMessage CommitDescription CommitterName
    CommitterEmail CommitterUsername Time Timestamp StringTime StepName ServiceName ImageName Ci CiName"""
)
SHELL_WORDS = words("&& || ; | > >> < &")


class _AsWritten(yaml.SafeLoader):
    """Every scalar is a string; maps may be merged (`<<`)."""

    yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}  # noqa: RUF012


def load(path: Path) -> Any:
    """The file's content, every scalar a string."""
    return yaml.load(path.read_text("utf-8"), Loader=_AsWritten)


def problems(folder: Path) -> list[str]:
    """Every broken rule of `codeship-services.yml` and `codeship-steps.yml` in a folder."""
    services = load(folder / "codeship-services.yml")
    services = services.get("services", services) if isinstance(services, dict) else services
    if not isinstance(services, dict):
        return ["the services file is no map"]
    steps = load(folder / "codeship-steps.yml")
    if not isinstance(steps, list):
        return ["the steps file is no list"]
    found = [text for name, service in services.items() for text in _service(name, service, services, folder)]
    found += [text for step in steps for text in _step(step, services, None)]
    found += [
        f"step {step.get('name')}: manual is not the last group" for step in steps[:-1] if step.get("type") == "manual"
    ]
    return found + [f"a template names {value}, which there is not" for value in _strange_values(services, steps)]


def _service(name: str, service: Any, services: Mapping[str, Any], folder: Path) -> Iterator[str]:
    if not isinstance(service, dict):
        yield f"service {name}: no map"
        return
    yield from (f"service {name}: unknown key {key}" for key in sorted(service.keys() - SERVICE_KEYS))
    if ("build" in service) == ("image" in service):
        yield f"service {name}: exactly one of build and image"
    build = service.get("build", {})
    if isinstance(build, dict):
        yield from (f"service {name}: unknown key {key} under build" for key in sorted(build.keys() - BUILD_KEYS))
    if "build" in service:
        context = folder / (build if isinstance(build, str) else build.get("context", "."))
        dockerfile = context / (build.get("dockerfile", "Dockerfile") if isinstance(build, dict) else "Dockerfile")
        if not dockerfile.is_file():
            yield f"service {name}: there is no {dockerfile.name} where the build looks for it"
    for volume in service.get("volumes", []):
        host, _, inside = volume.partition(":")
        if not host.startswith("./") or not inside.startswith("/"):
            yield f"service {name}: volume {volume} is not ./host:/container"
    for key in ("depends_on", "links", "volumes_from"):
        for other in service.get(key, []):
            if other.partition(":")[0] not in services:
                yield f"service {name}: {key} names {other}, which is not defined"


def _step(step: Any, services: Mapping[str, Any], inherited: str | None) -> Iterator[str]:
    if not isinstance(step, dict):
        yield f"{step!r} is no step"
        return
    name = str(step.get("name", step.get("image_name", "?")))
    kind = step.get("type", "run")
    yield from (f"step {name}: unknown key {key}" for key in sorted(step.keys() - STEP_KEYS))
    if kind not in TYPES:
        yield f"step {name}: {kind} is no type"
    named = [step["service"]] if "service" in step else list(step.get("services", []))
    yield from (f"step {name}: service {other} is not defined" for other in named if other not in services)
    if "service" in step and "services" in step:
        yield f"step {name}: service and services"
    if named and inherited:
        yield f"step {name}: has a service of its own under a group that has one"
    yield from (f"step {name}: {text}" for key in ("tag", "exclude") for text in _expression(step.get(key, "")))
    if kind in GROUPS:
        if not step.get("steps"):
            yield f"step {name}: a group without steps"
        for child in step.get("steps", []):
            yield from _step(child, services, inherited or ",".join(named) or None)
        return
    if not named and not inherited:
        yield f"step {name}: no service"
    yield from _push(name, step, services) if kind == "push" else _run(name, step)


def _run(name: str, step: Mapping[str, Any]) -> Iterator[str]:
    if "command" not in step:
        yield f"step {name}: no command"
        return
    words = shlex.split(step["command"])
    if SHELL_WORDS & set(words) or "$" in step["command"] or any(word.endswith(";") for word in words):
        yield f"step {name}: the command is no shell's: `{step['command']}`"


def _push(name: str, step: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[str]:
    for key in ("image_name", "registry"):
        if key not in step:
            yield f"push {name}: no {key}"
    service = services.get(step.get("service", ""), {})
    if "build" not in service:
        yield f"push {name}: its service builds nothing"
    if "command" in step:
        yield f"push {name}: a push runs no command"


def _expression(text: str) -> Iterator[str]:
    if text.startswith("^") or text.endswith("$"):
        try:
            re.compile(text)
        except re.error:
            yield f"{text} is no expression"
    elif re.search(r"[()|*+?\\[\]]", text):
        yield f"{text} looks like an expression and has neither ^ nor $"


def _strange_values(*trees: Any) -> set[str]:
    return {
        value
        for text in _scalars(trees)
        for action in re.findall(r"{{(.*?)}}", text)
        for value in re.findall(r"\.(\w+)", action)
    } - TEMPLATE_VALUES


def _scalars(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _scalars(value)
    else:
        for value in tree or []:
            yield from _scalars(value)
