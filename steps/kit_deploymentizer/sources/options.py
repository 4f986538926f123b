# SPDX-License-Identifier: MIT
"""The entries of kit.yaml's list `sources`: which kinds there are and which keys each takes, in one place for reading,
for errors and for the schema that editors use. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["text", "texts", "flag", "seconds", "headers", "map", "method"]


@dataclass(frozen=True)
class Option:
    """A key of an entry."""

    kind: Kind
    help: str
    required: bool = False


COMMON: Final[Mapping[str, Option]] = {
    "kind": Option("text", "files, http, exec, or the name of an entry point.", required=True),
    "name": Option("text", "What messages and placeholders call it; its kind, where it has none."),
    "resources": Option("texts", "Patterns of the resources that it is asked about (`web`, `worker-*`); all without."),
}
_VALUES: Final = Option("text", "JSON pointer to the map of variables within the answer, such as /data/data.")
_OPTIONAL: Final = Option("flag", "Nothing there is no error: the container gets no values from it.")

KINDS: Final[Mapping[str, Mapping[str, Option]]] = {
    "files": {
        "path": Option(
            "text",
            "A file for each container, with {cluster}, {type}, {resource} and {service} in its path; .yaml, .yml,"
            " .json, or KEY=value lines; encrypted or not.",
            required=True,
        ),
        "optional": _OPTIONAL,
        "encrypted": Option("flag", "true: a file that is not encrypted is an error. Without it either will do."),
        "values": _VALUES,
    },
    "http": {
        "url": Option("text", "Address, with {cluster}, {type}, {resource} and {service} in it.", required=True),
        "method": Option("method", "GET, or POST with the question as JSON."),
        "headers": Option("headers", "Name to text, to {env: VARIABLE}, or to an encrypted value."),
        "timeout": Option("seconds", "For one try; 15."),
        "optional": _OPTIONAL,
        "values": _VALUES,
    },
    "exec": {
        "command": Option(
            "texts", "A program and its arguments, with {cluster}, {type}, {resource} and {service} in them.",
            required=True,
        ),
        "timeout": Option("seconds", "For one run; 30."),
        "values": _VALUES,
    },
}  # fmt: skip
ENTRY_POINT: Final[Mapping[str, Option]] = {"options": Option("map", "What the entry point is given.")}

_SCHEMAS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "text": {"type": "string", "minLength": 1},
    "texts": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "flag": {"type": "boolean"},
    "seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
    "method": {"enum": ["GET", "POST"]},
    "map": {"type": "object"},
    "headers": {
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"env": {"type": "string", "minLength": 1}},
                    "required": ["env"],
                    "additionalProperties": False,
                },
            ]
        },
    },
}
_EXPECTED: Final[Mapping[Kind, str]] = {
    "text": "text",
    "texts": "a list of texts",
    "flag": "true or false",
    "seconds": "a number of seconds above 0, at most 3600",
    "method": "GET or POST",
    "map": "a map",
    "headers": "a map of names to text or to {env: VARIABLE}",
}


def options_of(kind: str) -> Mapping[str, Option]:
    """The keys of an entry of this kind. What is no kind of kit's own is an entry point's name."""
    return {**COMMON, **KINDS.get(kind, ENTRY_POINT)}


def fault(option: Option, value: Any) -> str | None:
    """What is expected in the place of `value`, None where it fits."""
    return None if _fits(option.kind, value) else _EXPECTED[option.kind]


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str) and bool(value)
        case "texts":
            return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
        case "flag":
            return isinstance(value, bool)
        case "seconds":
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 3600
        case "method":
            return value in {"GET", "POST"} if isinstance(value, str) else False
        case "map":
            return isinstance(value, dict)
        case "headers":
            return isinstance(value, dict) and all(_is_header(item) for item in value.values())


def _is_header(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == {"env"} and isinstance(value["env"], str) and bool(value["env"])
    return isinstance(value, str)


def schema() -> dict[str, Any]:
    """The JSON Schema of `sources`."""
    return {
        "type": "array",
        "description": "Environment sources, asked in this order; what a later one says of a variable wins.",
        "items": {
            "oneOf": [
                *(_entry({"const": kind}, {**COMMON, **own}) for kind, own in KINDS.items()),
                _entry({"type": "string", "not": {"enum": list(KINDS)}}, {**COMMON, **ENTRY_POINT}),
            ]
        },
    }


def _entry(kind: Mapping[str, Any], options: Mapping[str, Option]) -> dict[str, Any]:
    properties = {name: {**_SCHEMAS[option.kind], "description": option.help} for name, option in options.items()}
    return {
        "type": "object",
        "properties": {**properties, "kind": {**kind, "description": options["kind"].help}},
        "required": [name for name, option in options.items() if option.required],
        "additionalProperties": False,
    }
