# SPDX-License-Identifier: MIT
"""Kubernetes' OpenAPI schemas, v2 and v3, as nodes to walk along. Pure.

Each is made when an object first comes to it: a cluster's document has thousands, and a repository needs some dozens.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_INT_OR_STRING: Final = frozenset({"integer", "string"})
_OWN: Final = frozenset(
    {
        "type",
        "properties",
        "additionalProperties",
        "enum",
        "required",
        "oneOf",
        "anyOf",
        "x-kubernetes-preserve-unknown-fields",
    }
)
_QUANTITY: Final = ".api.resource.Quantity"
_QUANTITIES: Final[Mapping[str, Any]] = {"type": ["string", "number"]}
"""A quantity's own schema says string in v2; the API takes numbers as well."""
_EMBEDDED: Final[Mapping[str, Any]] = {
    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
}  # fmt: skip
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@dataclass(slots=True)
class Node:
    """A schema with its references followed, one level deep; `below` keeps what was made of the fields' schemas.

    `types` None takes any. `rest` is what fields have that are not named: None where there are none of that kind.
    `enum` are the texts that it takes, none for any. `required` fields are those without a default.
    """

    types: frozenset[str] | None
    fields: Mapping[str, Any]
    rest: "Node | None"
    items: "Node | None"
    enum: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    below: "dict[str, Node]" = field(default_factory=dict)


ANY: Final = Node(None, {}, None, None)


class Schemas:
    """Of each document, its schemas by name. The same name is the same schema in all."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self._named: dict[str, Any] = {}
        self._kinds: dict[tuple[str, str], str] = {}
        self._nodes: dict[str, Node] = {}
        for document in documents:
            for name, schema in document.items():
                self._named.setdefault(name, schema)
                for api_version, kind in _kinds_of(schema):
                    self._kinds.setdefault((api_version, kind), name)

    def of_kind(self, api_version: str, kind: str) -> Node | None:
        """What objects of the kind are like; None where nothing is said of it."""
        name = self._kinds.get((api_version, kind))
        return None if name is None else self._of(name)

    def _of(self, name: str) -> Node:
        """The schema of this name; what is not there takes anything."""
        node = self._nodes.get(name)
        if node is None:
            # There before its parts are: items or other values may be of the schema itself (JSONSchemaProps).
            node = self._nodes[name] = Node(None, {}, None, None)
            made = self._made({"$ref": name})
            node.types, node.fields, node.rest, node.items = made.types, made.fields, made.rest, made.items
            node.enum, node.required = made.enum, made.required
        return node

    def node(self, schema: Any) -> Node:
        """The node of a schema that stands in another one."""
        if not isinstance(schema, dict):
            return ANY
        reference = schema.get("$ref")
        parts = schema.get("allOf")
        if isinstance(parts, list) and len(parts) == 1 and not _OWN & schema.keys():
            reference = _map(parts[0]).get("$ref")  # as v3 writes each, beside a description or a default
        return self._of(_name(reference)) if isinstance(reference, str) else self._made(schema)

    def _made(self, schema: Mapping[str, Any]) -> Node:
        parts = list(self._parts(schema, set()))
        types = next((found for part in parts if (found := _types(part)) is not None), None)
        fields: dict[str, Any] = {}
        for part in parts:
            fields.update(_map(part.get("properties")))
        rest = self._rest(parts, bool(fields))
        items = next((part["items"] for part in parts if "items" in part), None)
        if any(part.get("x-kubernetes-embedded-resource") is True for part in parts):
            metadata = {"$ref": _META} if _META in self._named else _EMBEDDED["metadata"]
            fields = {**_EMBEDDED, "metadata": metadata, **fields}
        enums = [_texts(part.get("enum")) for part in parts]
        names = {name for part in parts for name in _texts(part.get("required")) if name in fields}
        required = tuple(sorted(name for name in names if "default" not in _map(fields[name])))
        enum = next((one for one in enums if one), frozenset())
        return Node(types, fields, rest, self.node(items) if items is not None else None, enum, required)

    def _rest(self, parts: list[Mapping[str, Any]], has_fields: bool) -> Node | None:
        """What fields take that no part names. A map of which nothing is said holds anything (RawExtension)."""
        if any(part.get("x-kubernetes-preserve-unknown-fields") is True for part in parts):
            return ANY
        for part in parts:
            said = part.get("additionalProperties")
            if said is not None:
                return None if said is False else self.node(said)
        return None if has_fields else ANY

    def _parts(self, schema: Any, seen: set[str]) -> Iterator[Mapping[str, Any]]:
        """The schema and all that it consists of, references followed, each once."""
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = _name(reference)
            if name not in seen:
                seen.add(name)
                yield from [_QUANTITIES] if name.endswith(_QUANTITY) else self._parts(self._named.get(name), seen)
            return
        yield schema
        for part in _list(schema.get("allOf")):
            yield from self._parts(part, seen)


def _kinds_of(schema: Any) -> Iterator[tuple[str, str]]:
    for one in _list(_map(schema).get("x-kubernetes-group-version-kind")):
        group, version, kind = (_map(one).get(key, "") for key in ("group", "version", "kind"))
        yield f"{group}/{version}" if group else str(version), str(kind)


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """What a schema takes by its own words; None for anything."""
    if schema.get("x-kubernetes-int-or-string") is True or schema.get("format") == "int-or-string":
        return _INT_OR_STRING
    said = schema.get("type")
    if isinstance(said, str | list):
        return frozenset([said] if isinstance(said, str) else (one for one in said if isinstance(one, str))) or None
    choices = [_types(_map(one)) for key in ("oneOf", "anyOf") for one in _list(schema.get(key))]
    known = [choice for choice in choices if choice is not None]
    return frozenset().union(*known) if known and len(known) == len(choices) else None


def _texts(value: Any) -> frozenset[str]:
    """The texts in a list that holds nothing else; none for anything else."""
    texts = [one for one in _list(value) if isinstance(one, str)]
    return frozenset(texts) if len(texts) == len(_list(value)) else frozenset()


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
