# SPDX-License-Identifier: MIT
"""Env files as CodeShip and Docker read them: `KEY=value` lines, the value exactly as it is written.

No quotes are taken off, no `$` is replaced, no line goes on in the next; those are other tools' dialects. Files that
say `KEY: value` throughout (YAML) exist in the wild and are read as that.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.yamlio import load_document

_NAME: Final = re.compile(r"[^\s=:#\"'{}\[\]]+")
_YAML: Final = re.compile(r"[^\s=:#\"'{}\[\]]+:(\s|$)")


def parse_env(text: str, *, name: str) -> dict[str, str]:
    """The variables of an env file, in its order; a name that stands twice has its last value.

    `name` stands in errors, beside the line; a line's own text never does, since it may be a secret. Raises
    `InputError`.
    """
    lines = list(_significant(text.removeprefix("\ufeff")))
    if not lines:
        return {}
    first = lines[0][1]
    if first.startswith(("{", "[")):
        raise _wrong(name, lines[0][0], "it begins like JSON, as a registry's login does")
    if _YAML.match(first):
        return _yaml(text, name)
    values = {}
    for number, line in lines:
        key, separator, value = line.partition("=")
        if not separator:
            raise _wrong(name, number, "it has no `=`")
        if key.startswith("export "):
            raise _wrong(name, number, "it begins with `export`, which shells read and Docker does not")
        if not _NAME.fullmatch(key):
            raise _wrong(name, number, "what stands before its `=` is no variable's name")
        values[key] = value
    return values


def _significant(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are neither blank nor a comment, with their numbers. Blanks before the name do not count."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.removesuffix("\r").lstrip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _yaml(text: str, name: str) -> dict[str, str]:
    value: Any = load_document(text, name=name, words=str).value
    for key, item in value.items() if isinstance(value, dict) else (("", None),):
        if not isinstance(item, str):
            raise InputError(
                f"{name} is no env file",
                why=f"it is YAML, and {key or 'it'} is no text",
                hint="Write KEY=value lines.",
            )
    return dict(value)


def _wrong(name: str, line: int, why: str) -> InputError:
    return InputError("this is no line of an env file", where=f"{name}:{line}", why=why, hint="Write KEY=value.",
                      file=name, line=line)  # fmt: skip
