# SPDX-License-Identifier: MIT
"""Objects against the description that a cluster's API gives of itself: unknown fields, values of another type. Pure.

Walks Kubernetes' schemas itself: a general validator of JSON Schema takes milliseconds for each object, knows nothing
of the `x-kubernetes-` words, and says of an unknown field nothing at all. How long a text may be and the like is left
to the cluster.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kit_core.names import nearest
from kit_deploymentizer.checks.openapi_schemas import ANY, Node, Schemas

Path = tuple[str | int, ...]

_MOST: Final = 100
"""Findings of one object that are told."""
_GUESSES: Final = 10
"""Unknown fields of one object for which a near one is looked for."""
_NEAR: Final = 2000
"""Fields among which one is looked for."""

_TYPES: Final[Mapping[type, str]] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object",
}  # fmt: skip
_WORDS: Final = {
    "string": "a string", "boolean": "a boolean", "integer": "an integer", "number": "a number", "array": "a list",
    "object": "a map",
}  # fmt: skip


class OpenApi:
    """The kinds of `schemas`: of each document, its schemas by name. The same name is the same schema in all."""

    def __init__(self, schemas: Iterable[Mapping[str, Any]]) -> None:
        self._schemas = Schemas(schemas)

    def knows(self, value: Mapping[str, Any]) -> bool:
        """Whether the object (a complete one) is of a kind that is described."""
        return self._schemas.of_kind(value["apiVersion"], value["kind"]) is not None

    def findings(self, value: Mapping[str, Any]) -> list[tuple[Path, str]]:
        """Where in the object something does not fit, and the sentence. Of an unknown kind everything fits."""
        node = self._schemas.of_kind(value["apiVersion"], value["kind"])
        if node is None:
            return []
        wrong: list[tuple[Path, str]] = []
        self._walk(value, node, (), wrong)
        whose = f"{value['kind']} {value['metadata']['name']}"
        return [(path, text.replace("\0", f"{_shown(path)} of {whose}", 1)) for path, text in wrong[:_MOST]]

    def lacks(self, value: Mapping[str, Any]) -> list[tuple[Path, str]]:
        """Which fields are required and not there, as `findings` tells what does not fit. A webhook of the cluster, or
        a default that the document does not tell, may still add them."""
        node = self._schemas.of_kind(value["apiVersion"], value["kind"])
        lacking: list[tuple[Path, str]] = []
        if node is not None:
            self._find_lacking(value, node, (), lacking)
        whose = f"{value['kind']} {value['metadata']['name']}"
        return [(path, f"{_shown(path)} of {whose} has no {name}, which Kubernetes requires")
                for path, name in lacking[:_MOST]]  # fmt: skip

    def _find_lacking(self, value: Any, node: Node, path: Path, lacking: list[tuple[Path, str]]) -> None:
        if value.__class__ is dict:
            lacking += [(path, name) for name in node.required if value.get(name) is None]
            for key, item in value.items():
                if (key in node.fields or node.rest is not None) and (path or key != "status"):
                    self._find_lacking(item, self._below(node, key), (*path, key), lacking)
        elif value.__class__ is list and node.items is not None:
            for index, item in enumerate(value):
                self._find_lacking(item, node.items, (*path, index), lacking)

    def _below(self, node: Node, key: str) -> Node:
        if key not in node.fields:
            return node.rest or ANY
        if key not in node.below:
            node.below[key] = self._schemas.node(node.fields[key])
        return node.below[key]

    def _walk(self, value: Any, node: Node, path: Path, wrong: list[tuple[Path, str]]) -> None:
        """In the sentences, \\0 stands for the place."""
        if value is None or node is ANY or len(wrong) > _MOST:
            return
        if node.types is not None and not _fits(value, node.types):
            wrong.append((path, _mistaken(value, node.types)))
        elif node.enum and isinstance(value, str) and value and value not in node.enum:
            meant = nearest(value, node.enum)
            known = ", ".join(sorted(node.enum)[:_GUESSES]) + (", …" if len(node.enum) > _GUESSES else "")
            wrong.append((path, f"\0 is none of {known}" + (f" (is {meant} meant?)" if meant else "")))
        elif value.__class__ is dict:
            fields, below, rest = node.fields, node.below, node.rest
            for key, item in value.items():
                found = below.get(key)
                if found is None:
                    if key in fields:
                        found = below[key] = self._schemas.node(fields[key])
                    elif rest is not None:
                        found = rest
                    else:
                        guess = isinstance(key, str) and len(wrong) < _GUESSES and len(fields) <= _NEAR
                        meant = nearest(key, fields) if guess else None
                        wrong.append(((*path, key), "unknown field \0" + (f" (is {meant} meant?)" if meant else "")))
                        continue
                self._walk(item, found, (*path, key), wrong)
        elif value.__class__ is list and node.items is not None:
            for index, item in enumerate(value):
                self._walk(item, node.items, (*path, index), wrong)


def _fits(value: Any, types: frozenset[str]) -> bool:
    name = _TYPES.get(value.__class__, "")
    if name in types:
        return True
    if name == "integer":
        return "number" in types
    return name == "number" and "integer" in types and value.is_integer()  # 1.0 and 1e3 reach the API as 1 and 1000


def _mistaken(value: Any, types: frozenset[str]) -> str:
    found = _TYPES.get(value.__class__, "")
    wanted = " or ".join(_WORDS.get(name, name) for name in sorted(types))
    hint = ""
    if types == {"string"} and found in {"boolean", "integer", "number"}:
        hint = " (quote it)"
    elif found == "string" and not types & {"array", "object"}:
        hint = " (without quotes?)"
    return f"\0 is read as {_WORDS.get(found, 'something else')}, and Kubernetes takes {wanted} here{hint}"


def _shown(path: Path) -> str:
    text = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" if str(step).replace("_", "").isalnum() else f'["{step}"]'
        for step in path
    )
    return text.removeprefix(".") or "the whole"
