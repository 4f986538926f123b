# SPDX-License-Identifier: MIT
"""The words everything else speaks in: JSON bodies, what identifies an object, and where its manifest stands."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

ORIGINAL_NAME: Final = "kit-deployer/original-name"
LAST_APPLIED: Final = "kit-deployer/last-applied-configuration"
LAST_APPLIED_SHA1: Final = "kit-deployer/last-applied-configuration-sha1"
COMMIT: Final = "kit-deployer/commit"
LAST_UPDATED: Final = "kit-deployer/last-updated"
UUID: Final = "deployment.invision/uuid"
RUN: Final = "kit-deployer/run"
FREEZE: Final = "kit-deployer/freeze"
REPLACE: Final = "kit-deployer/replace"
ALIAS: Final = "kit-deployer/alias-name"
"""What webhooks call the object, where that is not its name; the original's."""

WRITTEN_ANNOTATIONS: Final = frozenset({ORIGINAL_NAME, LAST_APPLIED, LAST_APPLIED_SHA1, COMMIT, LAST_UPDATED, UUID})
"""The annotations a deploy writes by itself: they never count as a difference."""

NOT_YET: Final = frozenset(f"kit-deployer/{name}" for name in ("keep", "ring"))
"""The annotations whose feature comes later: whoever writes one is told."""


@dataclass(frozen=True, order=True)
class GroupKind:
    """A kind with its API group (empty for the core group), without a version."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


SECRET: Final = GroupKind("", "Secret")


@lru_cache(maxsize=1024)
def group_kind(group: str, kind: str) -> GroupKind:
    """The pair, made once: every decision about every object asks for it."""
    return GroupKind(group, kind)


@dataclass(frozen=True, order=True)
class Key:
    """What identifies an object on a cluster. `namespace` is empty for what lives in none."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def group_kind(self) -> GroupKind:
        """Kind and group alone."""
        return group_kind(self.group, self.kind)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Place:
    """Where something is written. `line` and `column` count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Manifest:
    """One object as somebody wrote it: its body (never changed after reading) and where it stands."""

    body: Json
    place: Place
    locate: Callable[..., Place] | None = field(default=None, repr=False, compare=False)

    def where(self, *path: str | int) -> Place:
        """Where the value at `path` below the object is written; the nearest place above it that is known."""
        return self.locate(*path) if self.locate else self.place

    @property
    def group_kind(self) -> GroupKind:
        """Kind and group of the manifest."""
        return group_kind(group_of(self.body), str(self.body["kind"]))

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return str(self.body["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.body['kind']} {self.name}"


def group_of(body: Mapping[str, Any]) -> str:
    """The API group of a body's `apiVersion`; empty for the core group."""
    api_version = str(body.get("apiVersion", ""))
    return api_version.rpartition("/")[0]


def version_of(body: Mapping[str, Any]) -> str:
    """The version of a body's `apiVersion`."""
    return str(body.get("apiVersion", "")).rpartition("/")[2]


def key_of(body: Mapping[str, Any]) -> Key:
    """The key of an object as the API server returned it."""
    metadata = body["metadata"]
    return Key(group_of(body), body["kind"], metadata.get("namespace", ""), metadata["name"])


def at(body: Any, *path: str | int) -> Any:
    """The value at `path`, or None where the path leads nowhere."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(body, list) or not -len(body) <= step < len(body):
                return None
            body = body[step]
        else:
            if not isinstance(body, Mapping):
                return None
            body = body.get(step)
    return body


def at_pointer(body: Any, pointer: str) -> Any:
    """The value at a JSON pointer, or None where it leads nowhere."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        body = at(body, int(name) if isinstance(body, list) and name.isdecimal() else name)
    return body


def copied(value: Any) -> Any:
    """A copy of plain JSON values that shares nothing with them; four times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        return {name: copied(below) for name, below in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def listed(body: Any, *path: str | int) -> list[Any]:
    """The list at `path`, empty where there is none."""
    found = at(body, *path)
    return found if isinstance(found, list) else []


def labels_of(body: Mapping[str, Any]) -> dict[str, str]:
    """`metadata.labels`, empty where there are none."""
    return at(body, "metadata", "labels") or {}


def annotations_of(body: Mapping[str, Any]) -> dict[str, str]:
    """`metadata.annotations`, empty where there are none."""
    return at(body, "metadata", "annotations") or {}


def pod_template(body: Mapping[str, Any]) -> Json | None:
    """The pod template of a workload, wherever its kind keeps it; a Pod is its own."""
    kind = body.get("kind")
    if kind == "Pod":
        return dict(body)
    if kind == "CronJob":
        return at(body, "spec", "jobTemplate", "spec", "template")  # type: ignore[no-any-return]
    template = at(body, "spec", "template")
    return template if isinstance(at(template, "spec", "containers"), list) else None


def containers(template: Mapping[str, Any]) -> Iterator[tuple[str, int, Json]]:
    """Every container of a pod template as (`containers` or `initContainers`, index, container)."""
    for key in ("initContainers", "containers"):
        for index, container in enumerate(listed(template, "spec", key)):
            if isinstance(container, dict):
                yield key, index, container


def with_data(secret: Mapping[str, Any]) -> Json:
    """A Secret as the server keeps it: `stringData` folded into `data`, base64 without line breaks."""
    data = {name: _even(value) for name, value in (secret.get("data") or {}).items()}
    for name, value in (secret.get("stringData") or {}).items():
        data[name] = base64.b64encode(str(value).encode()).decode()
    folded = {name: value for name, value in secret.items() if name not in {"data", "stringData"}}
    return {**folded, "data": data} if data else folded


def _even(value: Any) -> Any:
    try:
        return base64.b64encode(base64.b64decode(value)).decode() if isinstance(value, str) else value
    except (binascii.Error, ValueError):
        return value
