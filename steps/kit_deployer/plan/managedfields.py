# SPDX-License-Identifier: MIT
"""Who owns which field of an object, as the API server keeps it in `metadata.managedFields`. Pure.

Server-side apply removes a key only where nobody else owns it. Fields that kubectl, helm or the original kit wrote
client-side would stay for ever after their manifest dropped them; `takeover` hands their fields to us once, when we
meet an object for the first time.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit_deployer.objects import Json, at

MANAGER: Final = "kit-deployer"

_CLIENT_SIDE: Final = ("kubectl", "helm", "Helm", "before-first-apply", "kit-deployer")
_LATER_REPLICAS: Final = "kit-deployer-released"

Fields = dict[str, Any]


def applied_by_us(live: Json) -> bool:
    """Whether our server-side apply has written the object before."""
    return any(map(_ours, _entries(live)))


def takeover(live: Json, *, keep_replicas: bool) -> list[Json] | None:
    """The managedFields that make us own what client-side tools wrote, or None where there is nothing to do.

    Only `Update` entries of the tools named above, no subresources, and only on an object that we have not applied
    before. With `keep_replicas` (something scales the object) `spec.replicas` stays with whoever wrote it.
    """
    entries = copy.deepcopy(_entries(live))
    if any(map(_ours, entries)):
        return _released(entries) if keep_replicas else None
    theirs = [entry for entry in entries if _client_side(entry)]
    if not theirs:
        return None
    union: Fields = {}
    kept = [entry for entry in entries if entry not in theirs]
    for entry in theirs:
        fields = entry.get("fieldsV1") or {}
        if keep_replicas and _drop_replicas(fields):
            kept.append({**entry, "fieldsV1": {"f:spec": {"f:replicas": {}}}})
        _merge(union, fields)
    ours = {
        "manager": MANAGER,
        "operation": "Apply",
        "apiVersion": live["apiVersion"],
        "time": max(entry.get("time", "") for entry in theirs),
        "fieldsType": "FieldsV1",
        "fieldsV1": union,
    }
    return [*kept, ours]


def _released(entries: list[Json]) -> list[Json] | None:
    """We owned `spec.replicas` and something scales the object now: let go of it without changing its value."""
    for entry in entries:
        if _ours(entry) and _drop_replicas(entry["fieldsV1"]):
            holder = {**entry, "manager": _LATER_REPLICAS, "operation": "Update"}
            return [*entries, {**holder, "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
    return None


def owned_paths_missing(live: Json, declared: Json) -> tuple[str, ...]:
    """What we own on the live object and the manifest no longer says: keys that the next apply removes."""
    for entry in _entries(live):
        if _ours(entry):
            return tuple(_missing(entry.get("fieldsV1") or {}, declared, ""))
    return ()


def _missing(fields: Mapping[str, Any], declared: Any, path: str) -> Iterator[str]:
    for name, below in fields.items():
        if name == "." or name.startswith("v:"):
            continue
        if name.startswith("f:"):
            key = name[2:]
            where = f"{path}.{key}" if path else key
            if path == "metadata.annotations" and key.startswith(("kit-deployer/", "deployment.invision/")):
                continue
            elif where == "metadata.annotations" and isinstance(declared, Mapping):
                # Those that a deploy writes by itself are not declared.
                yield from _missing(below, declared.get(key) or {}, where)
            elif not isinstance(declared, Mapping) or key not in declared:
                yield where
            else:
                yield from _missing(below, declared[key], where)
        elif name.startswith("k:"):
            keys = json.loads(name[2:])
            item = _item(declared, keys)
            if item is None:
                yield f"{path}[{','.join(map(str, keys.values()))}]"
            else:
                yield from _missing(below, {**keys, **item}, path)


def _item(declared: Any, keys: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for item in declared if isinstance(declared, list) else []:
        if isinstance(item, Mapping) and all(item.get(name, value) == value for name, value in keys.items()):
            return item
    return None


def _entries(live: Json) -> list[Json]:
    return at(live, "metadata", "managedFields") or []


def _ours(entry: Json) -> bool:
    return entry.get("manager") == MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")


def _client_side(entry: Json) -> bool:
    return (
        entry.get("operation") == "Update"
        and not entry.get("subresource")
        and str(entry.get("manager", "")).startswith(_CLIENT_SIDE)
        and entry.get("manager") != _LATER_REPLICAS
    )


def _drop_replicas(fields: Fields) -> bool:
    spec = fields.get("f:spec")
    return isinstance(spec, dict) and spec.pop("f:replicas", None) is not None


def _merge(into: Fields, other: Fields) -> None:
    for name, below in other.items():
        _merge(into.setdefault(name, {}), below)
