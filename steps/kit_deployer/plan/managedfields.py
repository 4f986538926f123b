# SPDX-License-Identifier: MIT
"""Who owns which field of an object, as the API server keeps it in `metadata.managedFields`. Pure.

The server takes a field from us when somebody else changes it. So what we still own is as our last apply, and the
webhooks that saw it, made it; and lists that merge by key, or are sets, can be told from those that are one value.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit_deployer.objects import Json, at

MANAGER: Final = "kit-deployer"

Fields = dict[str, Any]
"""A tree as the server writes it: `f:name` below a map, `k:{…}` an item by its keys, `v:…` an item of a set."""

_OWN_ANNOTATIONS: Final = ("kit-deployer/", "deployment.invision/")


def entries(live: Json) -> list[Json]:
    """The managedFields of a live object."""
    return at(live, "metadata", "managedFields") or []


def is_ours(entry: Json) -> bool:
    """Whether an entry is that of our own server-side apply."""
    return entry.get("manager") == MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")


def applied_by_us(live: Json) -> bool:
    """Whether our server-side apply has written the object before."""
    return any(map(is_ours, entries(live)))


def our_fields(live: Json) -> Fields | None:
    """What we own of the object; None where we have not applied it."""
    return next((entry.get("fieldsV1") or {} for entry in entries(live) if is_ours(entry)), None)


def owns(fields: Fields, declared: Any, path: tuple[str | int, ...]) -> bool:
    """Whether the tree holds the value at `path` of the declared body, or a whole that it is part of."""
    for step in path:
        if is_whole(fields):
            return True
        found = _step(fields, declared, step)
        if found is None:
            return False
        fields, declared = found, at(declared, step)
    return True


def _step(fields: Fields, declared: Any, step: str | int) -> Fields | None:
    return fields.get(f"f:{step}") if isinstance(step, str) else item_fields(fields, at(declared, step))


def item_fields(fields: Fields | None, item: Any) -> Fields | None:
    """The tree of a list's item, which is told by its keys or, in a set, by itself."""
    if fields is None or is_whole(fields):
        return fields
    for name, found in fields.items():
        if name.startswith("k:") and isinstance(item, Mapping) and has_keys(item, json.loads(name[2:])):
            return dict(found)
        if name.startswith("v:") and json.loads(name[2:]) == item:
            return dict(found)
    return None


def has_keys(item: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    """Whether a declared item is the one with these keys; what a manifest leaves out has the server's default."""
    return all(item.get(name, value) == value for name, value in keys.items())


def list_keys(fields: Fields | None) -> tuple[str, ...]:
    """The keys by which the server merges the list with this tree; empty where it does not."""
    for name in fields or {}:
        if name.startswith("k:"):
            return tuple(json.loads(name[2:]))
    return ()


def is_set(fields: Fields | None) -> bool:
    """Whether the list with this tree is a set to the server."""
    return any(name.startswith("v:") for name in fields or {})


def below(fields: Fields | None, step: str) -> Fields | None:
    """The tree of a map's value; of what is part of one whole, an empty one."""
    if fields is None or is_whole(fields):
        return fields
    return fields.get(f"f:{step}")


def is_whole(fields: Fields) -> bool:
    """Whether what has this tree is one value to the server, with everything in it."""
    return not fields


def owned_paths_missing(live: Json, declared: Json) -> tuple[str, ...]:
    """What we own on the live object and the manifest no longer says: keys that the next apply removes."""
    return missing(our_fields(live) or {}, declared)


def missing(fields: Mapping[str, Any], declared: Json) -> tuple[str, ...]:
    """The paths in the tree that the manifest does not say, but for the annotations that a deploy writes by itself."""
    return tuple(_missing(fields, declared, ""))


def _missing(fields: Mapping[str, Any], declared: Any, path: str) -> Iterator[str]:
    for name, inner in fields.items():
        if name.startswith("f:"):
            key = name[2:]
            where = f"{path}.{key}" if path else key
            if path == "metadata.annotations" and key.startswith(_OWN_ANNOTATIONS):
                continue
            if where in {"metadata.annotations", "metadata"} and isinstance(declared, Mapping):
                # Those that a deploy writes by itself are not declared.
                yield from _missing(inner, declared.get(key) or {}, where)
            elif not isinstance(declared, Mapping) or key not in declared:
                yield where
            else:
                yield from _missing(inner, declared[key], where)
        elif name.startswith("k:"):
            keys = json.loads(name[2:])
            item = _item(declared, keys)
            if item is None:
                yield f"{path}[{','.join(map(str, keys.values()))}]"
            else:
                yield from _missing(inner, {**keys, **item}, path)
        elif name.startswith("v:"):
            value = json.loads(name[2:])
            if not isinstance(declared, list) or value not in declared:
                yield f"{path}[{value}]"


def _item(declared: Any, keys: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for item in declared if isinstance(declared, list) else []:
        if isinstance(item, Mapping) and has_keys(item, keys):
            return item
    return None
