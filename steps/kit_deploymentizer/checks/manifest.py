# SPDX-License-Identifier: MIT
"""What kit knows of rendered Kubernetes objects: who they are, where their pods are described, what those refer to.

Pure; works on plain values as Kubernetes' own tools read them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_POD_SPECS: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
CONFIG_KINDS: Final = frozenset({"ConfigMap", "Secret"})


@dataclass(frozen=True, order=True)
class Identity:
    """What tells an object from others of its cluster; the API's version does not."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, order=True)
class Reference:
    """A ConfigMap or Secret of the workload's own namespace."""

    kind: str
    name: str


def identity(value: Mapping[str, Any]) -> Identity:
    """Of a complete object (`missing` finds nothing)."""
    group, _, _version = value["apiVersion"].rpartition("/")
    return Identity(group, value["kind"], value["metadata"].get("namespace") or "", value["metadata"]["name"])


def missing(value: Any) -> tuple[str, str] | None:
    """What keeps a document from being an object: the key and what is wrong with it; None where nothing does."""
    if not isinstance(value, dict):
        return "", "it is no map"
    for path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
        key, found = ".".join(path), at(value, path)
        if found is None or found == "":
            if key != "metadata.namespace":
                return key, f"it has no {key}"
        elif not isinstance(found, str):
            return key, f"its {key} is read as {found!r}, which is no string (quote it)"
    return None


def pod_template_path(value: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Where a workload describes its pods; None for everything else."""
    path = _POD_SPECS.get(value.get("kind", ""))
    return path if path is not None and isinstance(at(value, path), dict) else None


def pod_spec(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pod's spec of a workload or of a bare Pod."""
    path = pod_template_path(value)
    spec = at(value, (*path, "spec")) if path else value.get("spec") if value.get("kind") == "Pod" else None
    return spec if isinstance(spec, dict) else None


def at(value: Any, path: tuple[str, ...]) -> Any:
    """The value at `path`, None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def is_config(value: Mapping[str, Any]) -> bool:
    """Whether pods take configuration from it."""
    return value.get("kind") in CONFIG_KINDS


def containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every container of a pod's spec, init containers first."""
    for key in ("initContainers", "containers"):
        yield from _maps(spec.get(key))


def references(spec: Mapping[str, Any]) -> frozenset[Reference]:
    """The ConfigMaps and Secrets that a pod takes variables or files from."""
    return frozenset(Reference(kind, name) for kind, name in _references(spec) if isinstance(name, str) and name)


def _references(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for container in containers(spec):
        for source in _maps(container.get("envFrom")):
            yield "ConfigMap", at(source, ("configMapRef", "name"))
            yield "Secret", at(source, ("secretRef", "name"))
        for entry in _maps(container.get("env")):
            yield "ConfigMap", at(entry, ("valueFrom", "configMapKeyRef", "name"))
            yield "Secret", at(entry, ("valueFrom", "secretKeyRef", "name"))
    for volume in _maps(spec.get("volumes")):
        yield "ConfigMap", at(volume, ("configMap", "name"))
        yield "Secret", at(volume, ("secret", "secretName"))
        for source in _maps(at(volume, ("projected", "sources"))):
            yield "ConfigMap", at(source, ("configMap", "name"))
            yield "Secret", at(source, ("secret", "name"))


def _maps(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
