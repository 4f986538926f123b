# SPDX-License-Identifier: MIT
"""What the API server would refuse, found beforehand with file and line.

Client-side apply let duplicate `env` names and ports through; server-side apply does not (they are keys of lists).
Values that YAML reads as numbers or booleans where Kubernetes wants text are the other classic.
"""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from kit_deployer.inputs.manifests import shown, wrong_manifest
from kit_deployer.inputs.shapes import misshapen
from kit_deployer.objects import Manifest, at, containers, pod_template

Path: TypeAlias = tuple[str | int, ...]
Finding: TypeAlias = tuple[Path, str]


def check(manifests: Iterable[Manifest]) -> None:
    """Raise `InputError` for the first manifest that the server would refuse."""
    for manifest in manifests:
        for path, why in findings(manifest):
            raise wrong_manifest(manifest.where(*path), f"{manifest}: {why}")


def findings(manifest: Manifest) -> Iterator[Finding]:
    """Every finding as (path below the object, what is wrong)."""
    yield from _unsendable(manifest.body)
    yield from misshapen(manifest.body)
    yield from _not_text(manifest.body, ())
    if manifest.body["kind"] == "Service" and not manifest.group_kind.group:
        yield from _duplicate_ports(at(manifest.body, "spec", "ports"), ("spec", "ports"), "port", "")
    template = pod_template(manifest.body)
    if template is None:
        return
    prefix = _template_path(manifest.body["kind"])
    if prefix:
        yield from _not_text(template, prefix)
    for kind, index, container in containers(template):
        path = (*prefix, "spec", kind, index)
        who = f" in container {container.get('name', index)}"
        yield from _duplicate_env(container.get("env"), (*path, "env"), who)
        yield from _duplicate_ports(container.get("ports"), (*path, "ports"), "containerPort", who)


def _unsendable(body: Any) -> Iterator[Finding]:
    """What files can say and JSON cannot: sent all the same, `.inf` would arrive as a text."""
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        yield from _without_json(body, ())


def _without_json(value: Any, path: Path) -> Iterator[Finding]:
    if isinstance(value, (dict, list)):
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _without_json(below, (*path, step))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"{'.'.join(map(str, path))} is no number that Kubernetes knows; quote it where it is a text"
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        yield path, f"{'.'.join(map(str, path))} has half a character (\\ud800 to \\udfff)"


def _template_path(kind: str) -> Path:
    if kind == "Pod":
        return ()
    return ("spec", "jobTemplate", "spec", "template") if kind == "CronJob" else ("spec", "template")


def _not_text(holder: Any, path: Path) -> Iterator[Finding]:
    for field in ("labels", "annotations"):
        values = at(holder, "metadata", field)
        if values is None:
            continue
        if not isinstance(values, dict):
            yield (*path, "metadata", field), f"{field} must be a mapping"
            continue
        for name, value in values.items():
            if not isinstance(value, str):
                yield (
                    (*path, "metadata", field, name),
                    f"{field[:-1]} {name} is {shown(value)}, not text; quote it",
                )


def _duplicate_env(env: Any, path: Path, who: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, variable in enumerate(env if isinstance(env, list) else []):
        name = at(variable, "name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield (*path, index), f"env name {name} is there twice{who}; keep one"
        seen.add(name)
        value = at(variable, "value")
        if value is not None and not isinstance(value, str):
            yield (
                (*path, index, "value"),
                f"the value of env {name} is {shown(value, secret=True)}, not text{who}; quote it",
            )


def _duplicate_ports(ports: Any, path: Path, field: str, who: str) -> Iterator[Finding]:
    seen: set[tuple[Any, str]] = set()
    for index, port in enumerate(ports if isinstance(ports, list) else []):
        number = at(port, field)
        key = (number, at(port, "protocol") or "TCP")
        if number is not None and key in seen:
            yield (*path, index), f"port {key[0]}/{key[1]} is there twice{who}; keep one"
        seen.add(key)
