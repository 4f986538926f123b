# SPDX-License-Identifier: MIT
"""Taking over, once per object, what client-side tools wrote. Pure.

Server-side apply removes a key only where nobody else owns it. Fields that kubectl, helm or the original kit (which
ran kubectl) wrote would stay for ever after their manifest dropped them; so their fields become ours when we meet an
object for the first time. What others rule is left with them.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from kit_deployer.objects import LAST_APPLIED, Json, annotations_of, copied
from kit_deployer.plan.managedfields import MANAGER, Fields, entries, has_keys, is_ours

_CLIENT_SIDE: Final = ("kubectl", "helm", "Helm", "kit-deployer")
_BEFORE: Final = "before-first-apply"
"""Who, to the server, owns everything on an object that nobody kept account of: controllers' fields as well."""
_LATER_REPLICAS: Final = "kit-deployer-released"
_KUBECTL_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_NOTES: Final = frozenset({f"f:{LAST_APPLIED}", f"f:{_KUBECTL_APPLIED}"})
"""Whoever wrote one of these annotations applies client-side, whatever it calls itself."""
_REPLICAS: Final = ("f:spec", "f:replicas")
_RESTARTED: Final = (
    "f:spec",
    "f:template",
    "f:metadata",
    "f:annotations",
    "f:kubectl.kubernetes.io/restartedAt",
)
"""What `kubectl rollout restart` writes. Taking it away would restart every pod once more."""


def takeover(live: Json, *, keep_replicas: bool) -> list[Json] | None:
    """The managedFields that make us own what client-side tools wrote, or None where there is nothing to do.

    Only `Update` entries, no subresources, and only on an object that we have not applied before. With `keep_replicas`
    (something scales the object) `spec.replicas` stays with whoever wrote it.
    """
    found = entries(live)
    if any(map(is_ours, found)):
        return _released(copied(found)) if keep_replicas else None
    return _handed_over(live, copied(found), keep_replicas=keep_replicas)


def takeover_of_the_unrecorded(before: Json, applied: Json, *, keep_replicas: bool) -> list[Json] | None:
    """The managedFields after the first apply of an object that had none; `before` is how it was.

    What its last client-side apply said becomes ours; everything else, which may be a controller's, does not.
    """
    if entries(before):
        return None
    return _handed_over(before, copied(entries(applied)), keep_replicas=keep_replicas)


def _handed_over(live: Json, found: list[Json], *, keep_replicas: bool) -> list[Json] | None:
    shares = [(entry, *_share(entry, live)) for entry in found if not is_ours(entry)]
    if not any(fields for _, fields, _ in shares):
        return None
    union: Fields = {}
    for entry in filter(is_ours, found):
        _merge(union, entry["fieldsV1"])
    kept = []
    for entry, fields, rest in shares:
        if not fields:
            kept.append(entry)
            continue
        for path in (_REPLICAS, _RESTARTED) if keep_replicas else (_RESTARTED,):
            _move(fields, rest, path)
        if rest:
            kept.append({**entry, "fieldsV1": rest})
        _merge(union, fields)
    ours = {
        "manager": MANAGER,
        "operation": "Apply",
        "apiVersion": live["apiVersion"],
        "time": max(entry.get("time", "") for entry in found),
        "fieldsType": "FieldsV1",
        "fieldsV1": union,
    }
    return [*kept, ours]


def _share(entry: Json, live: Json) -> tuple[Fields, Fields]:
    """What of an entry client-side tools wrote, and the rest of it."""
    fields = copy.deepcopy(entry.get("fieldsV1") or {})
    if entry.get("operation") != "Update" or entry.get("subresource"):
        return {}, fields
    manager = str(entry.get("manager", ""))
    if manager == _BEFORE:
        said: Fields = {}
        for text in _configurations(live):
            _merge(said, _within(fields, text))
        return said, _without(fields, said)
    notes = fields.get("f:metadata", {}).get("f:annotations", {})
    if manager != _LATER_REPLICAS and (manager.startswith(_CLIENT_SIDE) or _NOTES & set(notes)):
        return fields, {}
    return {}, fields


def managers(live: Json) -> frozenset[str]:
    """Those whose fields become ours."""
    return frozenset(str(entry.get("manager")) for entry in entries(live) if _share(entry, live)[0])


def _released(found: list[Json]) -> list[Json] | None:
    """We owned `spec.replicas` and something scales the object now: let go of it without changing its value."""
    for entry in found:
        held: Fields = {}
        if is_ours(entry) and _move(entry["fieldsV1"], held, _REPLICAS):
            return [*found, {**entry, "manager": _LATER_REPLICAS, "operation": "Update", "fieldsV1": held}]
    return None


def _configurations(live: Json) -> list[Json]:
    """What client-side applies noted that they applied."""
    found = []
    for name in (LAST_APPLIED, _KUBECTL_APPLIED):
        try:
            content = json.loads(annotations_of(live).get(name) or "null")
        except ValueError:
            continue
        if isinstance(content, dict):
            metadata = content.setdefault("metadata", {})
            metadata["annotations"] = {**(metadata.get("annotations") or {}), name: ""}
            found.append(content)
    return found


def _within(fields: Fields, said: Any) -> Fields:
    """The part of a tree that a configuration says."""
    found: Fields = {}
    for name, below in fields.items():
        if name.startswith("f:") and isinstance(said, Mapping) and name[2:] in said:
            found[name] = _within(below, said[name[2:]])
        elif name.startswith("k:") and isinstance(said, list):
            keys = json.loads(name[2:])
            item = next((one for one in said if isinstance(one, Mapping) and has_keys(one, keys)), None)
            if item is not None:
                found[name] = {".": {}, **_within(below, {**keys, **item})}
        elif name.startswith("v:") and isinstance(said, list) and json.loads(name[2:]) in said:
            found[name] = {}
    return found


def _without(fields: Fields, gone: Fields) -> Fields:
    rest: Fields = {}
    for name, below in fields.items():
        if name not in gone:
            rest[name] = below
        elif below and (left := _without(below, gone[name])) and set(left) != {"."}:
            rest[name] = left
    return rest


def _move(fields: Fields, to: Fields, path: tuple[str, ...]) -> bool:
    """Move one path from a tree to another; False where it is not there."""
    name, *rest = path
    if name not in fields:
        return False
    if not rest:
        to[name] = fields.pop(name)
        return True
    below: Fields = {}
    if not _move(fields[name], below, tuple(rest)):
        return False
    _merge(to.setdefault(name, {}), below)
    if not fields[name]:
        del fields[name]
    return True


def _merge(into: Fields, other: Mapping[str, Any]) -> None:
    for name, below in other.items():
        _merge(into.setdefault(name, {}), below)
