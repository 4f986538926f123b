# SPDX-License-Identifier: MIT
"""Laying one side's values over another's (rule 2). Pure, and nothing is copied that did not change.

What comes out shares the parts that neither side changed with what went in: a hundred clusters share one base. So
nobody may alter a merged value.
"""

from collections.abc import Mapping
from typing import Any, Final

ENV: Final = "env"


def merge(base: Any, over: Any, key: str = "") -> Any:
    """`over` laid over `base`, both values of the same `key`.

    Maps merge recursively; null in `over` keeps the base's value; a list named `env` merges by its entries' names,
    every other list by index (a longer base's tail stays); anything else: `over` wins.
    """
    if over is None:
        return base
    if isinstance(over, dict) and isinstance(base, dict):
        merged = dict(base)
        for name, value in over.items():
            merged[name] = merge(merged[name], value, name) if name in merged else value
        return merged
    if isinstance(over, list) and isinstance(base, list):
        if key == ENV:
            return merge_env(base, over)
        return [merge(below, above) for below, above in zip(base, over, strict=False)] + (
            base[len(over) :] or over[len(base) :]
        )
    return over


def merge_env(base: list[Any], over: list[Any]) -> list[Any]:
    """Two lists of `{name, value}`: base order first, an overriding entry's keys win one by one, new ones follow.

    Entries without a name are never taken for the same; of several with one name each is used once, in order.
    """
    waiting: dict[Any, list[int]] = {}
    for index, entry in enumerate(over):
        name = entry_name(entry)
        if name is not None:
            waiting.setdefault(name, []).append(index)
    used: set[int] = set()
    merged = []
    for entry in base:
        matches = waiting.get(entry_name(entry))
        if matches:
            index = matches.pop(0)
            used.add(index)
            merged.append({**entry, **over[index]})
        else:
            merged.append(entry)
    return merged + [entry for index, entry in enumerate(over) if index not in used]


def entry_name(entry: Any) -> Any:
    """What tells an entry from others: `1`, `true` and `"1"` are three names. None for an entry without one."""
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if isinstance(name, bool | list | dict) or not name:
        return (type(name), repr(name)) if name else None
    return name
