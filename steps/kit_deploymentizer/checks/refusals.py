# SPDX-License-Identifier: MIT
"""What in an object of a kind that everybody uses a cluster's API would refuse, found without asking one. Pure.

Server-side apply merges some lists by keys of their entries and refuses two entries of one key; and where Kubernetes
wants strings, a number or a boolean is refused. The keys are those that the API documents as list-map-keys.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit_deploymentizer.checks.manifest import at, pod_spec, pod_template_path

Path = tuple[str | int, ...]

_KINDS: Final = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a map"}


def refusals(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where in the object something would be refused, and the sentence."""
    kind = value["kind"]
    yield from _labels(value.get("metadata"), ("metadata",))
    if kind == "ConfigMap":
        yield from _strings(value.get("data"), ("data",))
    elif kind == "Secret":
        for key in ("data", "stringData"):
            yield from _strings(value.get(key), (key,))
    elif kind == "Service":
        yield from _strings(at(value, ("spec", "selector")), ("spec", "selector"))
        yield from _ports(at(value, ("spec", "ports")), ("spec", "ports"), "port", "the Service")
    spec = pod_spec(value)
    if spec is not None:
        template = pod_template_path(value) or ()
        if template:
            yield from _labels(at(value, (*template, "metadata")), (*template, "metadata"))
            selector = (*template[:-1], "selector", "matchLabels")
            yield from _strings(at(value, selector), selector)
        yield from _pod(spec, (*template, "spec"))


def _pod(spec: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    yield from _strings(spec.get("nodeSelector"), (*path, "nodeSelector"))
    yield from _twice(spec.get("volumes"), (*path, "volumes"), "name", "the pod has volume")
    names: set[str] = set()
    for container, below in _containers_at(spec):
        place = (*path, *below)
        name = str(container.get("name"))
        if name in names:
            yield place, f"the pod has container {name} twice, which server-side apply refuses"
        names.add(name)
        env = container.get("env")
        if env:
            yield from _twice(env, (*place, "env"), "name", f"container {name} has env")
            for index, entry in enumerate(env) if isinstance(env, list) else ():
                if isinstance(entry, dict) and (wrong := _no_string(entry.get("value"))):
                    where = (*place, "env", index, "value")
                    yield where, f"the value of env {entry.get('name')} of container {name} {wrong}"
        yield from _ports(container.get("ports"), (*place, "ports"), "containerPort", f"container {name}")
        for key in ("command", "args"):
            yield from _strings(container.get(key), (*place, key))
        mounts = container.get("volumeMounts")
        yield from _twice(mounts, (*place, "volumeMounts"), "mountPath", f"container {name} has a volumeMount at")


def _containers_at(spec: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Path]]:
    for key in ("initContainers", "containers"):
        found = spec.get(key)
        for index, item in enumerate(found) if isinstance(found, list) else ():
            if isinstance(item, dict):
                yield item, (key, index)


def _labels(metadata: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(metadata, dict):
        for key in ("labels", "annotations"):
            yield from _strings(metadata.get(key), (*path, key))


def _strings(values: Any, path: Path) -> Iterator[tuple[Path, str]]:
    items: Any = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        if value.__class__ is not str and (wrong := _no_string(value)):
            shown = f"{path[-1]}.{key}" if isinstance(key, str) else f"{path[-1]}[{key}]"
            yield (*path, key), f"the value of {shown} {wrong}"


def _no_string(value: Any) -> str | None:
    """What is wrong with a value in a string's place; null is taken as if it were not there."""
    if value is None or isinstance(value, str):
        return None
    hint = "" if isinstance(value, list | dict) else " (quote it)"
    return f"is read as {_KINDS[type(value)]}, and Kubernetes takes a string only{hint}"


def _ports(ports: Any, path: Path, key: str, who: str) -> Iterator[tuple[Path, str]]:
    seen: set[str] = set()
    for index, entry in enumerate(ports) if isinstance(ports, list) else ():
        if isinstance(entry, dict):
            shown = f"{entry.get(key)}/{entry.get('protocol') or 'TCP'}"
            if shown in seen:
                yield (*path, index), f"{who} has ports {shown} twice, which server-side apply refuses"
            seen.add(shown)


def _twice(entries: Any, path: Path, key: str, what: str) -> Iterator[tuple[Path, str]]:
    seen: set[str] = set()
    for index, entry in enumerate(entries) if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get(key) is not None:
            shown = str(entry[key])
            if shown in seen:
                yield (*path, index), f"{what} {shown} twice, which server-side apply refuses"
            seen.add(shown)
