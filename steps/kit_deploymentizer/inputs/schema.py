# SPDX-License-Identifier: MIT
"""The keys that kit owns, and finding those that it does not know. Settings and views are free. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit_core.names import nearest

Keys = Mapping[str, Mapping[str, Any]]
"""The known keys of a map, each with its JSON Schema."""

_FLAG: Final = ("boolean", "null")
_WORD: Final = ("string", "number", "boolean", "null")


def _key(description: str, *types: str, **more: Any) -> dict[str, Any]:
    """A key's schema; null stands where an overriding file keeps what is below it."""
    kind: dict[str, Any] = {"type": types[0] if len(types) == 1 else list(types)} if types else {}
    return {"description": description, **kind, **more}


FOLDERS: Final = ("base", "images", "type", "cluster", "resources", "output")
PLUGIN: Final[Keys] = {
    "path": _key("`…/file-config` or `…/env-api-client-v3`; only the last part counts.", "string"),
    "options": _key("What the plugin is given.", "object", "null"),
}
_PATH: Final = _key("Folder, relative to WORKDIR or to kit.yaml.", "string", minLength=1)
_PROPERTY: Final = _key("The key of an image file that says the image; `image` without it.", *_WORD)
_PARTS: Final = {
    "base": "Where base-cluster.yaml and base-var.yaml are.",
    "images": "Where <image_tag>/<branch>.yaml are.",
    "type": "Where <type>-var.yaml are.",
    "cluster": "The folder whose folders are the clusters.",
    "resources": "Where templates and plain manifests are.",
    "output": "Where the manifests go: <output>/<cluster>/.",
}


def part_keys(part: str) -> Keys:
    """The keys of one of kit.yaml's `FOLDERS`."""
    return {"path": _PATH, "property": _PROPERTY} if part == "images" else {"path": _PATH}


KIT: Final[Keys] = {
    "version": _key("Of the original's format; not looked at."),
    **{part: _key(description, "object") for part, description in _PARTS.items()},
    "plugin": _key("Where the original asked for environment variables.", "object", "null"),
    "sources": _key("Where environment variables come from.", "array", "null"),
}
CLUSTER: Final[Keys] = {
    "apiVersion": _key("Not looked at."),
    "kind": _key("What the file is.", const="ClusterNamespace"),
    "metadata": _key("What the cluster is.", "object", "null"),
    "resources": _key("What runs there, by name.", "object", "null"),
}
METADATA: Final[Keys] = {
    "name": _key("The cluster's name, and its folder's in the output.", *_WORD),
    "branch": _key("Which images it takes: images/<image_tag>/<branch>.yaml.", *_WORD),
    "type": _key("Whose settings it takes: type/<type>-var.yaml.", *_WORD),
    "disable": _key("true: nothing is rendered for it.", *_FLAG),
    "allowFailure": _key("true: a resource that fails is left out with a warning.", *_FLAG),
    "environment": _key("What an environment service is told."),
}
RESOURCE: Final[Keys] = {
    "file": _key("The template below the resources folder (.mustache, .j2), or a .yaml that is copied.", *_WORD),
    "svc": _key("Makes a Service of the template of all Services, <name>.yaml."),
    "containers": _key("By name; without any, the resource is its own container."),
    "disable": _key("true: makes no file.", *_FLAG),
    "branch": _key("Another branch than the cluster's.", *_WORD),
    "kind": _key("What older repositories write beside `file`; nobody reads it."),
    "image_tag": _key("The image's repository: images/<image_tag>/<branch>.yaml.", *_WORD),
    "image": _key("The image itself, instead of `image_tag`.", *_WORD),
    "env": _key("Variables: a list of {name, value}; `external: true` takes the value from the step's environment."),
    "name": _key("The container's name, where it is not the resource's.", *_WORD),
    "primary": _key("Of several containers, the one that the resource is about."),
    "annotations": _key("What an environment service is told of the container."),
}


@dataclass(frozen=True)
class Stranger:
    """A key that kit does not know: where it stands in its file, and the known one that is probably meant."""

    path: tuple[str | int, ...]
    meant: str | None


def strangers_in_kit(content: Any) -> Iterator[Stranger]:
    """Unknown keys of kit.yaml. A plugin's options are the plugin's own."""
    yield from _unknown(content, KIT, ())
    for part in FOLDERS:
        yield from _unknown(_at(content, part), part_keys(part), (part,))
    yield from _unknown(_at(content, "plugin"), PLUGIN, ("plugin",))


def strangers_in_cluster(content: Any, *, free_metadata: bool, multiple: Mapping[str, bool]) -> Iterator[Stranger]:
    """Unknown keys of a cluster.yaml or base-cluster.yaml.

    `free_metadata`: the environment service is sent all of `metadata`, so any key has its reader. `multiple` tells of
    each resource whether it has `containers` once everything is merged: one that has none is its own container, seen
    by its template, so there a key is wrong only where it is nearly a known one.
    """
    yield from _unknown(content, CLUSTER, ())
    yield from _unknown(_at(content, "metadata"), METADATA, ("metadata",), only_typos=free_metadata)
    resources = _at(content, "resources")
    if isinstance(resources, Mapping):
        for name, resource in resources.items():
            yield from _unknown(resource, RESOURCE, ("resources", name), only_typos=not multiple.get(name, False))


def flags_that_are_none(content: Any) -> Iterator[tuple[str, ...]]:
    """Paths of switches that are no boolean (`disable: yes` is a string here) and would quietly count as false."""
    metadata = _at(content, "metadata")
    yield from (("metadata", key) for key in ("disable", "allowFailure") if _is_odd(_at(metadata, key)))
    resources = _at(content, "resources")
    for name, resource in resources.items() if isinstance(resources, Mapping) else ():
        if _is_odd(_at(resource, "disable")):
            yield "resources", name, "disable"


def _is_odd(flag: Any) -> bool:
    return flag is not None and not isinstance(flag, bool)


def _at(content: Any, key: str) -> Any:
    return content.get(key) if isinstance(content, Mapping) else None


def _unknown(content: Any, known: Keys, path: tuple[str | int, ...], *, only_typos: bool = False) -> Iterator[Stranger]:
    if not isinstance(content, Mapping):
        return
    for key in content:
        if key in known:
            continue
        meant = nearest(key, sorted(known), limit=1 if len(key) < 6 else 2)
        if meant or not only_typos:
            yield Stranger((*path, key), meant)
