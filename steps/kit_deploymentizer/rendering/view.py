# SPDX-License-Identifier: MIT
"""What a template sees: the merged settings, the resource, its containers with their images and values (rules 4 to 8).

Pure apart from the environment source that is handed in. A view shares what it can with the settings it is made of.
"""

import base64
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit_core.errors import InputError
from kit_deploymentizer.inputs.repository import Cluster
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.rendering.images import Images, check_commit
from kit_deploymentizer.rendering.javascript import text_of, truthy
from kit_deploymentizer.rendering.merge import merge, merge_env
from kit_deploymentizer.rendering.placeholders import placeholder
from kit_deploymentizer.sources import EnvironmentSource, Target

_HPA: Final = "-hpa"
_ENCODINGS: Final[Mapping[str, Callable[[bytes], str]]] = {
    "utf8": lambda raw: raw.decode("utf-8", "replace"),
    "base64": lambda raw: base64.b64encode(raw).decode(),
    "hex": lambda raw: raw.hex(),
    "ascii": lambda raw: bytes(byte & 0x7F for byte in raw).decode("ascii"),
    "binary": lambda raw: raw.decode("latin-1"),
}


@dataclass(frozen=True)
class Deployment:
    """What this run is about, as far as templates see it."""

    deploy_id: str | None = None
    fast_rollback: bool = False
    commit_id: str | None = None
    resource: str | None = None


@dataclass(frozen=True)
class View:
    """`values` is what a template sees. `inputs` are the files it took beside the cluster's own, as shown."""

    values: Mapping[str, Any]
    secrets: tuple[SecretValue, ...]
    inputs: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Sight:
    """What every view of a run is made with."""

    images: Images
    env: Mapping[str, str]
    deployment: Deployment
    source: EnvironmentSource | None = None
    learn_secret: Callable[[str], None] = lambda _value: None
    """Told of every external value, so that no log prints it."""
    placeholders: bool = False
    """Whether external values are named, and not read."""

    def view(self, cluster: Cluster, name: str, resource: Mapping[str, Any]) -> View:
        """The view of one resource of one cluster. Raises `KitError`, without a place."""
        values = dict(cluster.settings)
        values["branch"] = resource.get("branch") or cluster.branch
        values["name"] = name
        if self.deployment.deploy_id:
            given = values.get("deployment")
            values["deployment"] = {
                **(given if isinstance(given, dict) else {}),
                "id": self.deployment.deploy_id,
                "fastRollback": self.deployment.fast_rollback,
            }
        containers = _containers(name, resource)
        _check_primary(name, containers)
        maker = _ContainerMaker(self, cluster, name, text_of(values["branch"]))
        for container_name, container in containers.items():
            values[container_name] = maker.entry(container_name, container)
        if self.deployment.commit_id and self.deployment.resource:
            images = [text_of(values[one]["image"]) for one in containers if values[one].get("image")]
            check_commit(images, self.deployment.commit_id, name)
        if truthy(resource.get("svc")):
            values["svc"] = resource["svc"]
        return View(values, (*cluster.secrets, *maker.secrets), tuple(maker.inputs), tuple(maker.warnings))

    def questions(self, cluster: Cluster) -> Iterator[tuple[Mapping[str, Any], Target]]:
        """What making the cluster's views will ask the source, so that it can be asked beforehand, all at once."""
        only = self.deployment.resource
        for name, resource in cluster.resources.items():
            if only in {None, name} and isinstance(resource, dict) and resource.get("disable") is not True:
                with contextlib.suppress(InputError):  # told when the view is made
                    for container in _containers(name, resource).values():
                        yield self.asked(name, container), _target(cluster)

    def asked(self, resource: str, container: Mapping[str, Any]) -> dict[str, Any]:
        """The container's entry before any source added to it (rule 5)."""
        return {
            **container,
            "name": container.get("name") or resource,
            "resourceName": resource,
            "gitRef": self.deployment.commit_id,
        }


def _target(cluster: Cluster) -> Target:
    return Target(cluster.name, cluster.metadata, cluster.type)


def _containers(name: str, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resource's containers by name; a resource without any is its own."""
    containers = resource.get("containers")
    if not truthy(containers):
        return {name: resource}
    if not isinstance(containers, dict):
        raise InputError(
            f"containers of resource {name} must be a map", hint="Write `containers: {NAME: {image_tag: …}}`."
        )
    for key, container in containers.items():
        if not isinstance(container, dict):
            raise InputError(
                f"container {key} of resource {name} must be a map",
                why="it is empty" if container is None else f"it is {text_of(container)!r}",
                hint="Give it at least an image_tag, or take it out.",
            )
    return containers


def _check_primary(name: str, containers: Mapping[str, Any]) -> None:
    """Rule 7. Raises `InputError` naming the resource."""
    if len(containers) < 2 or name.endswith(_HPA):
        return
    primary = [
        key
        for key, container in containers.items()
        if (truthy(container["primary"]) if "primary" in container else truthy(container.get("image_tag")))
    ]
    if len(primary) != 1:
        told = f"{', '.join(primary)} are" if primary else "none is"
        raise InputError(
            f"resource {name} must have exactly one primary container",
            why=f"of {', '.join(containers)}, {told} primary (without `primary`, a container with an image_tag counts)",
            hint="Set `primary: true` on the one that the resource is about and `primary: false` on the others.",
        )


class _ContainerMaker:
    """Makes the container entries of one resource, and gathers what they were made from."""

    def __init__(self, sight: Sight, cluster: Cluster, resource: str, branch: str) -> None:
        self._sight = sight
        self._cluster = cluster
        self._resource = resource
        self._branch = branch  # the resource's, else the cluster's
        self.secrets: list[SecretValue] = []
        self.inputs: list[str] = []
        self.warnings: list[str] = []

    def entry(self, key: str, container: Mapping[str, Any]) -> dict[str, Any]:
        """Rule 5: own keys, name and origin, the source's values, external values, the image.

        A source wins over the container's keys, except that what the container's own `env` says of a variable wins over
        what the source says of it: so the recorded fleets have it.
        """
        entry = self._sight.asked(self._resource, container)
        if self._sight.source is not None:
            entry = self._fetched(self._sight.source, entry)
        own = container.get("env")
        if isinstance(own, list):
            env = entry["env"] if isinstance(entry["env"], list) else []
            entry["env"] = merge_env(env, [self._external(item, key) for item in own])
        self._set_image(key, entry)
        return entry

    def _fetched(self, source: EnvironmentSource, entry: dict[str, Any]) -> dict[str, Any]:
        fetched = source.fetch(entry, _target(self._cluster))
        self.warnings += fetched.warnings
        self.inputs += fetched.files
        self.secrets += (SecretValue(name, text) for name, text in fetched.secrets())
        merged: dict[str, Any] = merge(entry, fetched.values)
        return merged

    def _external(self, item: Any, container: str) -> Any:
        """Rule 8: the value of the process environment, encoded as asked."""
        if not isinstance(item, dict) or not truthy(item.get("external")):
            return item
        variable = text_of(item.get("name"))
        encoding = text_of(item.get("encoding") or "utf8")
        encode = _ENCODINGS.get(encoding)
        if encode is None:
            raise InputError(
                f"external value {variable} of container {container} has unknown encoding {encoding}",
                hint=f"There are {', '.join(_ENCODINGS)}.",
            )
        value = placeholder("external", variable) if self._sight.placeholders else self._sight.env.get(variable)
        if not value:
            raise InputError(
                f"external value {variable} of container {container} is not there",
                why=f"the environment variable {variable} is {'empty' if value == '' else 'not set'}",
                hint=f"Hand it to this run (docker run -e {variable} …), or take `external: true` from its env entry.",
            )
        text = encode(value.encode("utf-8", "surrogateescape"))
        if not self._sight.placeholders:
            self._sight.learn_secret(value)
            self._sight.learn_secret(text)
        self.secrets.append(SecretValue(variable, text))
        return {**item, "value": text}

    def _set_image(self, key: str, entry: dict[str, Any]) -> None:
        if truthy(entry.get("image")):
            if truthy(entry.get("image_tag")):
                self.warnings.append(
                    f"container {key} of {self._resource} keeps the image that is set, {text_of(entry['image'])};"
                    " its image_tag is not looked up"
                )
            return
        if not truthy(entry.get("image_tag")):
            return
        branch = text_of(entry.get("branch") or self._branch)
        image = self._sight.images.find(text_of(entry["image_tag"]), branch)
        entry["image"] = image.reference
        self.inputs.append(image.file)
