# SPDX-License-Identifier: MIT
"""JSON Schemas of the files that a deployments repository is written in, for editors; from the keys that validation
knows (`schema`, `sources.options`).

`python -m kit_deploymentizer.inputs.schemas` writes them into `schemas/` (`make docs`); a test compares. A schema never
complains of what the step takes. The step knows more: which keys are right once everything is merged.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kit_deploymentizer.inputs.schema import CLUSTER, FOLDERS, KIT, METADATA, PLUGIN, RESOURCE, Keys, part_keys
from kit_deploymentizer.sources import options

FOLDER: Final = "schemas"
_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
"""The newest that the language server for YAML knows whole."""


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema, by the name of its file."""
    return {
        "kit.schema.json": _kit(),
        "cluster.schema.json": _cluster("clusters/<folder>/cluster.yaml", METADATA, named=True, free=False),
        "cluster-env-api.schema.json": _cluster(
            "clusters/<folder>/cluster.yaml, where an environment service is sent all of metadata",
            METADATA, named=True, free=True,
        ),
        "base-cluster.schema.json": _cluster("base-cluster.yaml", METADATA, named=False, free=True),
        "var.schema.json": _settings(),
        "image.schema.json": _image(),
    }  # fmt: skip


def texts() -> dict[str, str]:
    """The files' contents, by name."""
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas().items()}


def _whole(title: str, schema: Mapping[str, Any], **definitions: Any) -> dict[str, Any]:
    head = {"$schema": _DRAFT, "title": title}
    return {**head, **schema, **({"definitions": definitions} if definitions else {})}


def _map(keys: Keys, *required: str, **deeper: Mapping[str, Any]) -> dict[str, Any]:
    """A map of these keys and no other; `deeper` replaces the types of some."""
    properties = {name: {**_described(keys[name]), **deeper[name]} if name in deeper else dict(keys[name])
                  for name in keys}  # fmt: skip
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _described(key: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": key["description"]}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _kit() -> dict[str, Any]:
    parts = {part: _map(part_keys(part), "path") for part in FOLDERS}
    plugin = _or_null(_map(PLUGIN, "path"))
    sources = _or_null(options.schema())
    return _whole("kit.yaml", _map(KIT, *FOLDERS, **parts, plugin=plugin, sources=sources))


def _cluster(title: str, metadata: Keys, *, named: bool, free: bool) -> dict[str, Any]:
    of_metadata = _map(metadata, *(("name", "type") if named else ()))
    if free:
        of_metadata["additionalProperties"] = True
    resources = {"type": ["object", "null"], "additionalProperties": {"$ref": "#/definitions/resource"}}
    needed = ("kind", "metadata") if named else ("kind",)
    if not named:
        of_metadata = _or_null(of_metadata)
    whole = _map(CLUSTER, *needed, metadata=of_metadata, resources=resources)
    return _whole(title, whole, resource=_resource())


def _resource() -> dict[str, Any]:
    """One that has containers has no keys but known ones; one that is its own container has what its template reads."""
    has_containers = {"properties": {"containers": {"type": "object", "minProperties": 1}}, "required": ["containers"]}
    return {
        "type": ["object", "null"],
        "properties": {name: dict(key) for name, key in RESOURCE.items()},
        "if": has_containers,
        "then": {"propertyNames": {"enum": list(RESOURCE)}},
    }


def _settings() -> dict[str, Any]:
    kind = {"description": "What the file is.", "const": "ResourceConfig"}
    of_type = {"description": "Of a type's file: which type it is."}
    metadata = {"description": "What the file is about; templates see it too.", "properties": {"type": of_type}}
    whole = {"type": "object", "properties": {"kind": kind, "metadata": metadata}, "required": ["kind"]}
    return _whole("base-var.yaml, type/<type>-var.yaml, clusters/<folder>/configuration-var.yaml", whole)


def _image() -> dict[str, Any]:
    said = {
        "image": "What is run: registry/repository:tag.",
        "commit": "The service's commit that it was built from.",
        "build": "The number of the build.",
        "source": "The address of the build or of the service's repository.",
    }
    properties = {name: {"description": text} for name, text in said.items()}
    whole = {"type": "object", "properties": properties, "required": ["image"]}
    return _whole("images/<image_tag>/<branch>.yaml", whole)


def main() -> int:
    """Write the schemas of the checkout in the current folder."""
    folder = Path.cwd() / FOLDER
    folder.mkdir(exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, "utf-8")
        print(f"wrote {FOLDER}/{name}", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
