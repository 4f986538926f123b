# SPDX-License-Identifier: MIT
"""What an apply will make of an object, without asking the server: for runs that only read, and for what a dry run
cannot show, since it does not take over fields from other tools. Pure.

Follows server-side apply: declared values win, fields that we own and no longer declare go unless others own them too.
Defaults and what webhooks add are not known here.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from kit_deployer.diff.items import keyed, naming
from kit_deployer.objects import Json
from kit_deployer.plan.compare import Path, differences
from kit_deployer.plan.managedfields import Fields, entries, has_keys, is_ours, is_set, item_fields, list_keys

_MERGED: Final = frozenset(
    {"containers", "initContainers", "env", "volumes", "volumeMounts", "volumeDevices", "ports", "imagePullSecrets"}
)
"""The lists that Kubernetes merges by key, where no account of what we own says it."""


def foresee(declared: Json, live: Json | None, managed_fields: list[Json] | None) -> Json:
    """The object after `declared` was applied. `managed_fields` are those that are written before, where any are."""
    if live is None:
        return copy.deepcopy(declared)
    ours, others = _owners(live, managed_fields)
    result = copy.deepcopy(live)
    _release(result, declared, ours, others)
    _merge(result, declared, ours, ())
    return result


def without_released(result: Json, declared: Json, live: Json, managed_fields: list[Json]) -> Json:
    """A dry run's result without what goes once `managed_fields` are ours.

    What the server fills in for such a field afterwards is not known.
    """
    ours, others = _owners(live, managed_fields)
    result = copy.deepcopy(result)
    _release(result, declared, ours, others)
    return result


def _owners(live: Json, managed_fields: list[Json] | None) -> tuple[Fields, Fields]:
    """The fields that we own, and those that anybody else does."""
    ours: Fields = {}
    others: Fields = {}
    for entry in managed_fields or entries(live):
        _join(ours if is_ours(entry) else others, entry.get("fieldsV1") or {})
    return ours, others


def _join(into: Fields, fields: Mapping[str, Any]) -> None:
    for name, below in fields.items():
        _join(into.setdefault(name, {}), below)


def _release(value: Any, declared: Any, ours: Fields, others: Fields) -> None:
    """Take out of `value` what we own and do not declare."""
    for name, below in ours.items():
        if name.startswith("f:") and isinstance(value, dict):
            _release_field(value, declared, name, below, others)
        elif name.startswith("k:") and isinstance(value, list):
            _release_item(value, declared, name, below, others)
        elif name.startswith("v:") and isinstance(value, list):
            item = json.loads(name[2:])
            if item in value and name not in others and item not in (declared or ()):
                value.remove(item)


def _release_field(value: Json, declared: Any, name: str, inner: Fields, others: Fields) -> None:
    key, theirs = name[2:], others.get(name)
    if key not in value:
        return
    says = isinstance(declared, Mapping) and key in declared
    if says or theirs is not None or (inner and "." not in inner):
        # Of what others own too, or is declared in part, goes what is ours alone.
        _release(value[key], declared[key] if says else None, inner, theirs or {})
    else:
        del value[key]


def _release_item(value: list[Any], declared: Any, name: str, below: Fields, others: Fields) -> None:
    keys = json.loads(name[2:])
    item, says = _find(value, keys), _find(declared, keys)
    if item is None:
        return
    if says is not None or name in others:
        fields = {field: inner for field, inner in below.items() if field[2:] not in keys}
        _release(item, says, fields, others.get(name) or {})
    else:
        value.remove(item)


def _find(items: Any, keys: Mapping[str, Any]) -> Any:
    """The item of these keys."""
    found = items if isinstance(items, list) else ()
    return next((item for item in found if isinstance(item, dict) and has_keys(item, keys)), None)


def _merge(value: Json, declared: Mapping[str, Any], ours: Fields, path: Path) -> None:
    for key, wanted in declared.items():
        where, fields = (*path, key), ours.get(f"f:{key}") or {}
        live = value.get(key)
        if key in value and not any(differences(wanted, live, where)):
            continue  # also another spelling of the same
        if isinstance(live, dict) and isinstance(wanted, Mapping):
            _merge(live, wanted, fields, where)
        elif isinstance(live, list) and isinstance(wanted, list):
            value[key] = _merged_list(live, wanted, fields, where)
        else:
            value[key] = copy.deepcopy(wanted)


def _merged_list(live: list[Any], wanted: list[Any], fields: Fields, path: Path) -> list[Any]:
    """The list after the merge: as the manifest has it, with what others put in where the list allows that."""
    if is_set(fields):
        return [*wanted, *(item for item in live if item not in wanted)]
    name = naming(live, wanted)
    if name is None or not (list_keys(fields) or (not fields and path[-1] in _MERGED)):
        return copy.deepcopy(wanted)
    there, said = keyed(live, name), keyed(wanted, name)
    merged = []
    for place, (key, item) in enumerate(said.items()):
        if key in there:
            _merge(there[key], item, item_fields(fields, item) or {}, (*path, place))
        merged.append(there.get(key) or copy.deepcopy(item))
    return [*merged, *(item for key, item in there.items() if key not in said)]
