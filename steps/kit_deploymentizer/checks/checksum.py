# SPDX-License-Identifier: MIT
"""CONFIG_CHECKSUM: pod templates carry the checksum of the ConfigMaps and Secrets that they take values from.

A changed value then changes the pod template, and the cluster replaces the pods. The annotation is inserted into the
rendered text where it belongs; every other byte stays as the template made it. Pure.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from kit_core.errors import WorkError
from kit_core.yamlio import YamlError, load_documents
from kit_deploymentizer.checks.manifest import Reference, at, is_config, pod_spec, pod_template_path, references

ANNOTATION: Final = "kit-deploymentizer/config-checksum"
_CONTENT: Final = ("data", "binaryData", "stringData", "type", "immutable")


class Checksums:
    """The configuration of one cluster folder by kind and name, each with the checksum of its content."""

    def __init__(self, objects: Iterable[Mapping[str, Any]]) -> None:
        self._known: dict[tuple[Reference, str], str] = {}
        for value in objects:
            if is_config(value):
                content = {key: value[key] for key in _CONTENT if key in value}
                text = json.dumps(content, sort_keys=True, default=str)
                key = Reference(value["kind"], value["metadata"]["name"]), _namespace(value)
                self._known[key] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def of(self, workload: Mapping[str, Any]) -> str | None:
        """The one checksum of everything that a workload's pods take; None where that is nothing of this folder."""
        spec = pod_spec(workload)
        if spec is None or pod_template_path(workload) is None:
            return None
        used = [
            (reference, checksum)
            for reference in sorted(references(spec))
            if (checksum := self._known.get((reference, _namespace(workload))))
        ]
        if not used:
            return None
        text = "".join(f"{reference.kind}/{reference.name} {checksum}\n" for reference, checksum in used)
        return hashlib.sha256(text.encode()).hexdigest()


def _namespace(value: Mapping[str, Any]) -> str:
    return value["metadata"].get("namespace") or ""


def annotate(text: str, objects: Iterable[Mapping[str, Any]], checksums: Checksums) -> str:
    """See `_annotated`. Raises `WorkError`, without a place, where no line can be inserted."""
    try:
        return _annotated(text, objects, checksums)
    except (AttributeError, TypeError, ValueError, YamlError):
        raise WorkError(
            "KIT_CONFIG_CHECKSUM finds no place for its annotation",
            why="a pod template is put together with `<<` or behind an anchor, or its metadata is no map",
            hint="Write the pod template's metadata out, or leave KIT_CONFIG_CHECKSUM off.",
        ) from None


def _annotated(text: str, objects: Iterable[Mapping[str, Any]], checksums: Checksums) -> str:
    """`text` with the annotation in each pod template of its documents that takes configuration of this folder.

    `objects` are the text's own, read. A template that carries the annotation already keeps it, whatever it says.
    """
    if not any(checksums.of(value) for value in objects):
        return text
    inserts: list[tuple[int, str]] = []
    values = [document.value for document in load_documents(text, name="") if isinstance(document.value, dict)]
    nodes = [node for node in yaml.compose_all(text, Loader=yaml.CBaseLoader) if isinstance(node, yaml.MappingNode)]
    for node, value in zip(nodes, values, strict=True):
        for item_node, item in _items(node, value):
            checksum, path = checksums.of(item), pod_template_path(item)
            if checksum and path and ANNOTATION not in (at(item, (*path, "metadata", "annotations")) or {}):
                inserts.append(_insert(item_node, path, checksum))
                _set(item, path, checksum)
    for offset, addition in sorted(inserts, reverse=True):
        text = text[:offset] + addition + text[offset:]
    if [document.value for document in load_documents(text, name="") if isinstance(document.value, dict)] != values:
        raise ValueError("the text reads otherwise than it was to")
    return text


def _set(value: Any, path: tuple[str, ...], checksum: str) -> None:
    for key in (*path, "metadata", "annotations"):
        value[key] = value.get(key) or {}
        value = value[key]
    value[ANNOTATION] = checksum


def _items(node: Any, value: Mapping[str, Any]) -> Iterable[tuple[Any, Mapping[str, Any]]]:
    if value.get("kind") == "List" and isinstance(value.get("items"), list):
        return zip(_child(node, "items").value, value["items"], strict=True)
    return [(node, value)]


def _child(node: Any, key: str) -> Any:
    return next((child for name, child in node.value if name.value == key), None)


def _insert(node: Any, path: tuple[str, ...], checksum: str) -> tuple[int, str]:
    """Where to insert what: into the innermost of template, metadata and annotations that is there."""
    for key in path:
        node = _child(node, key)
    lacking = ["metadata", "annotations"]
    while lacking:
        child = _child(node, lacking[0])
        if child is None:
            break
        if not isinstance(child, yaml.MappingNode):  # `annotations:` with nothing behind it
            nested = _flow([*lacking[1:], ANNOTATION], checksum)
            return child.start_mark.index, f" {{{nested}}}"
        node = child
        lacking.pop(0)
    keys = [*lacking, ANNOTATION]
    if node.flow_style:
        return node.start_mark.index + 1, _flow(keys, checksum) + (", " if node.value else "")
    first = node.value[0][0].start_mark
    column = " " * first.column
    lines = [f"{'  ' * depth}{key}:" for depth, key in enumerate(keys)]
    block = f"\n{column}".join(lines) + f" {checksum!r}\n{column}".replace("'", '"')
    return first.index, block


def _flow(keys: list[str], checksum: str) -> str:
    """`a: {b: {key: "checksum"}}`."""
    inner = f'{keys[-1]}: "{checksum}"'
    for key in reversed(keys[:-1]):
        inner = f"{key}: {{{inner}}}"
    return inner
