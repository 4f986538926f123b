# SPDX-License-Identifier: MIT
"""Putting a resource into a file that people keep: comments, order and style of all that is there stay. Pure.

Ours rather than ruamel.yaml's round trip, which lays out anew what it does not know how people wrote. What comes out is
read again: it must say what was there and the new resource, and nothing else.
"""

from typing import Any, Final

import yaml

from kit_core.errors import KitError
from kit_core.yamlio import load_document
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import text_of

_KEY: Final = "resources"
_NULL: Final = "tag:yaml.org,2002:null"


def with_resource(text: str, entry: str) -> str | None:
    """`text` with `entry` (YAML of a map with one key, indented by nothing) as the last of its resources; None where
    that cannot be done line by line."""
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        if not isinstance(root, yaml.MappingNode):
            return None
        for comments in (True, False):
            changed = _inserted(text.splitlines(), root, entry, comments=comments)
            done = newline.join(changed) + newline if changed else ""
            if done and _value(done) == _expected(_value(text), _value(entry)):
                return done
    except (yaml.YAMLError, KitError):
        return None
    return None


def _value(text: str) -> Any:
    return load_document(text, name="", words=original_words, keys=text_of).value


def _expected(before: Any, entry: Any) -> Any:
    return {**before, _KEY: {**(before.get(_KEY) or {}), **entry}}


def _inserted(lines: list[str], root: yaml.MappingNode, entry: str, *, comments: bool) -> list[str] | None:
    """`comments`: those at the end of the resources belong to what follows, if they are no last lines of a text."""
    if root.flow_style:
        return None
    found = next(((key, value) for key, value in root.value if key.value == _KEY), None)
    if found is None:
        return [*lines, f"{_KEY}:", *_indented(entry, 2)]
    key, value = found
    line = value.start_mark.line
    if (
        not value.value or value.tag == _NULL
    ) and line == value.end_mark.line == key.start_mark.line:  # `{}`, `null` or nothing
        rest = lines[line][value.end_mark.column :].strip()
        lines[line] = lines[line][: key.end_mark.column + 1] + (f" {rest}" if rest.startswith("#") else "")
        return [*lines[: line + 1], *_indented(entry, 2), *lines[line + 1 :]]
    if not isinstance(value, yaml.MappingNode) or value.flow_style:
        return None
    end = value.end_mark.line if value.end_mark.column == 0 else value.end_mark.line + 1
    end = len(_trimmed(lines[:end], comments))
    spaced = any(not text.strip() for text in lines[line:end])
    return [*lines[:end], *([""] if spaced else []), *_indented(entry, value.start_mark.column), *lines[end:]]


def _trimmed(lines: list[str], comments: bool) -> list[str]:
    """Without the blank lines and, where asked, the comments at the end."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or (comments and lines[end - 1].lstrip().startswith("#"))):
        end -= 1
    return lines[:end]


def _indented(entry: str, width: int) -> list[str]:
    return [" " * width + line for line in entry.splitlines()]
