# SPDX-License-Identifier: MIT
"""`{cluster}`, `{type}`, `{resource}` and `{service}` in the options of sources, and the question in full. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_deploymentizer.rendering.javascript import text_of
from kit_deploymentizer.sources import Target

NAMES: Final = ("cluster", "type", "resource", "service")
_PLACE: Final = re.compile(r"\{(\w*)\}")


def check_places(text: str, *, free: bool = False) -> None:
    """Raises `InputError` where another name is in braces than those there are; in `free` text (a program's arguments,
    which may be code) only where one of them is probably meant.
    """
    for name in _PLACE.findall(text):
        meant = nearest(name, NAMES)
        if name not in NAMES and (meant or not free):
            known = ", ".join(f"{{{one}}}" for one in NAMES)
            raise InputError(
                f"{{{name}}} is not known",
                why=f"it stands in {text}",
                hint=f"{{{meant}}} is probably meant." if meant else f"There are {known}.",
            )


def filled(text: str, container: Mapping[str, Any], target: Target, quote: Callable[[str], str] = str) -> str:
    """`text` with the names of this container in their places. Raises `InputError` for a name that leads elsewhere."""

    def name(found: re.Match[str]) -> str:
        value = names_of(container, target).get(found[1])
        if value is None:
            return found[0]
        if value in {"", ".", ".."} or "/" in value or "\0" in value:
            raise InputError(f"{found[0]} would become {value!r}", why=f"it stands in {text}", hint="Rename it.")
        return quote(value)

    return _PLACE.sub(name, text)


def names_of(container: Mapping[str, Any], target: Target) -> dict[str, str]:
    """What stands for a place."""
    return {
        "cluster": target.name,
        "type": target.type,
        "resource": text_of(container.get("resourceName")),
        "service": text_of(container["name"]),
    }


def question(container: Mapping[str, Any], target: Target) -> bytes:
    """What a program reads and a service is posted: one JSON object."""
    told = {
        "version": 1,
        **names_of(container, target),
        "metadata": target.metadata,
        **{key: container.get(key) for key in ("annotations", "image_tag", "branch")},
    }
    return json.dumps(told, default=text_of, ensure_ascii=False).encode("utf-8", "replace")
