# SPDX-License-Identifier: MIT
"""An explanation as people and programs read it. Pure."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_deploymentizer.explain.places import Explained, Setter
from kit_deploymentizer.rendering.javascript import number_text
from kit_deploymentizer.rendering.merge import ENV

_WIDEST_NAME: Final = 44
_WIDEST_VALUE: Final = 48


def selected(values: Sequence[Explained], path: str) -> tuple[Explained, ...]:
    """The values at `path` and below it, all for the empty one.

    A path is written as in a template (`storefront.env.0.value`); an entry of an `env` list may go by its name
    (`storefront.env.SHOP_REVIEWS`). Raises `InputError` where there is none.
    """
    names = {one.path[:-1]: one.setter.value for one in values if one.path[-1] == "name" and ENV in one.path[-3:-2]}

    def spoken(one: Explained) -> str:
        steps = (names.get(one.path[: index + 1], step) for index, step in enumerate(one.path))
        return ".".join(map(str, steps))

    found = tuple(one for one in values if not path or _is_below(one.name, path) or _is_below(spoken(one), path))
    if not found:
        known = {".".join(map(str, one.path[:depth])) for one in values for depth in range(1, len(one.path) + 1)}
        meant = nearest(path, sorted(known))
        raise InputError(
            f"the template sees no {path}",
            why="nothing sets it for this resource of this cluster",
            hint=f"{meant} is set: is it meant?" if meant else "Without a path, everything that it sees is listed.",
        )
    return found


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def as_text(values: Iterable[Explained]) -> str:
    """A line a value: its name, what it is, where it was set; below it what that overrode."""
    rows = [row for one in values for row in _rows(one)]
    names = max((len(name) for name, _, _ in rows if len(name) <= _WIDEST_NAME), default=0)
    shown = max((len(value) for _, value, _ in rows if len(value) <= _WIDEST_VALUE), default=0)
    return "".join(f"{name:<{names}}  {value:<{shown}}  {told}\n" for name, value, told in rows)


def _rows(one: Explained) -> list[tuple[str, str, str]]:
    first = (one.name, _short(one.setter.value), one.setter.told)
    return [first, *(("", f"overrode {_short(below.value)}", below.told) for below in one.overrode)]


def as_json(cluster: str, resource: str, values: Iterable[Explained]) -> str:
    """One JSON object; a value that is hidden is `***`."""
    content = {
        "cluster": cluster,
        "resource": resource,
        "values": [
            {
                "name": one.name,
                "path": list(one.path),
                **_facts(one.setter),
                "overrode": [_facts(below) for below in one.overrode],
            }
            for one in values
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, default=str)


def _facts(setter: Setter) -> dict[str, Any]:
    place = setter.place
    where = {"file": place.name, "line": place.line, "column": place.column} if place else {"by": setter.by}
    value = setter.value
    if isinstance(value, float) and not math.isfinite(value):
        value = number_text(value)  # JSON has no such numbers
    return {"value": value, **where}


def _short(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, str) and value and value.isprintable():
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _WIDEST_VALUE else text[: _WIDEST_VALUE - 1] + "…"
