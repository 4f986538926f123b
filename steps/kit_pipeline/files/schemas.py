# SPDX-License-Identifier: MIT
"""JSON Schemas of both files, for editors; from the keys that reading goes by (`keys`).

`python -m kit_pipeline.files.schemas` writes them into `schemas/` (`make docs`); a test compares. A schema refuses what
`validate` calls an error, as far as one file alone tells it, and marks keys that nobody reads.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kit_pipeline.files import keys
from kit_pipeline.files.keys import Key

FOLDER: Final = "schemas"
_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
"""The newest that the language server for YAML knows whole."""
_VALUE: Final = ["string", "number", "boolean", "null"]
"""Whatever stands there is read as the text that it is."""
_ITEM: Final = {"type": ["string", "number", "boolean"]}
_ANY_VALUE: Final = {"type": _VALUE}
_LIST: Final = {"type": "array", "items": _ITEM}
_WORDS: Final = {"type": "array", "items": _ANY_VALUE}
_FLAG: Final = {
    "anyOf": [
        {"type": ["boolean", "null"]},
        {"enum": [0, 1]},
        {"type": "string", "pattern": "^([Tt]rue|[Ff]alse|[Yy]es|[Nn]o|[Oo]n|[Oo]ff|TRUE|FALSE|YES|NO|ON|OFF|0|1|)$"},
    ]
}
_MAP: Final = {"type": "object", "additionalProperties": _ANY_VALUE}
_SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": _ANY_VALUE,
    "texts": {"anyOf": [_ANY_VALUE, _LIST]},
    "pairs": {"anyOf": [_ANY_VALUE, _LIST, _MAP]},
    "words": {"anyOf": [_ANY_VALUE, _WORDS]},
    "names": {"anyOf": [_ANY_VALUE, _LIST, {"type": "object"}]},
    "flag": _FLAG,
    "build": {"anyOf": [_ANY_VALUE, {"$ref": "#/definitions/build"}]},
    "type": {"enum": [*keys.TYPES, None, ""]},
    "steps": {"type": ["array", "null"], "items": {"$ref": "#/definitions/step"}},
    "on_fail": {"type": ["array", "null"], "items": {"$ref": "#/definitions/on_fail"}},
}


def schemas() -> dict[str, dict[str, Any]]:
    """Both, by the name of the file."""
    return {"codeship-services.schema.json": _services(), "codeship-steps.schema.json": _steps()}


def texts() -> dict[str, str]:
    """The files' contents, by name."""
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas().items()}


def _map(known: Mapping[str, Key], **further: Any) -> dict[str, Any]:
    properties = {name: {"description": key.help, **_SHAPES[key.shape]} for name, key in known.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False, **further}


def _services() -> dict[str, Any]:
    something = {"not": {"enum": [None, ""]}}
    both = {"required": ["build", "image"], "properties": {"build": something, "image": something}}
    service = _map(keys.SERVICE, **{"not": both})
    ignored = {"description": "Accepted; it has no effect here."}
    service["properties"] |= dict.fromkeys(sorted(keys.SERVICE_IGNORED), ignored)
    named = {"type": "object", "additionalProperties": {"$ref": "#/definitions/service"}}
    beside = {
        "version": {"description": "Accepted; it means nothing here."},
        **dict.fromkeys(sorted(keys.FILE_IGNORED), ignored),
    }
    return {
        "$schema": _DRAFT,
        "title": "codeship-services.yml",
        "if": {
            "properties": {"services": {"type": "object", "not": _says("image", "build")}},
            "required": ["services"],
        },
        "then": {
            "type": "object",
            "properties": {"services": {"description": "The services, by name.", **named}, **beside},
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
        },
        "else": {
            **named,
            "minProperties": 1,
            "properties": {
                "version": beside["version"],
                **{name: _unless_a_service(ignored) for name in ("networks", "volumes")},
            },
            "patternProperties": {"^x-": _unless_a_service({})},
        },
        "definitions": {"service": service, "build": _map(keys.BUILD)},
    }


def _says(*names: str) -> dict[str, Any]:
    """A map in which one of these is a single value."""
    return {"anyOf": [{"properties": {name: _ITEM}, "required": [name]} for name in names]}


def _unless_a_service(other: Mapping[str, Any]) -> dict[str, Any]:
    """What has a name that Compose gives a meaning is a service where it says what one says."""
    either = {"type": "object", "anyOf": [{"required": ["image"]}, {"required": ["build"]}]}
    return {"if": either, "then": {"$ref": "#/definitions/service"}, "else": dict(other)}


def _steps() -> dict[str, Any]:
    group = {
        "anyOf": [
            {"properties": {"type": {"enum": list(keys.GROUPS)}}, "required": ["type"]},
            {"properties": {"type": {"enum": [None, ""]}}, "required": ["steps"]},
        ]
    }
    steps = {"properties": {"steps": {"type": "array", "minItems": 1}}, "required": ["steps"]}
    single = {"properties": {"steps": {"type": ["string", "null"], "maxLength": 0}, "services": _SINGLE}}
    push = {
        "if": {"properties": {"type": {"const": "push"}}, "required": ["type"]},
        "then": {"required": ["image_name"]},
    }
    step = _map(keys.STEP, **{"not": {"required": ["service", "services"]}},
                allOf=[{"if": group, "then": steps, "else": single}, push])  # fmt: skip
    return {
        "$schema": _DRAFT,
        "title": "codeship-steps.yml",
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#/definitions/step"},
        "definitions": {"step": step, "on_fail": _map(keys.ON_FAIL)},
    }


_SINGLE: Final = {"anyOf": [_ANY_VALUE, {"type": "array", "maxItems": 1}]}


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
