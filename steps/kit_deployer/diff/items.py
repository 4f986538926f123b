# SPDX-License-Identifier: MIT
"""How the items of a list are told apart: by their name, or by what else Kubernetes takes for one. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_NAMES: Final = ("name", "mountPath", "devicePath", "containerPort", "port", "ip", "key", "type", "topologyKey", "id")
"""The keys that Kubernetes' schema merges lists by, and those that people take for a name."""


def naming(*lists: Sequence[Any]) -> str | None:
    """The key by which every item of the lists has a name of its own, or None where only its place tells it apart."""
    filled = [items for items in lists if items]
    for name in _NAMES:
        if filled and all(_named_by(name, items) for items in filled):
            return name
    return None


def keyed(items: Sequence[Any], name: str | None) -> dict[Any, Any]:
    """The items by their name, or by their place where `name` is None."""
    return dict(enumerate(items)) if name is None else {item[name]: item for item in items}


def _named_by(name: str, items: Sequence[Any]) -> bool:
    values = [item.get(name) if isinstance(item, Mapping) else None for item in items]
    return all(isinstance(value, str | int) for value in values) and len(set(map(str, values))) == len(values)
