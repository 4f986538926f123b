# SPDX-License-Identifier: MIT
"""Live against declared, without asking the server. Pure.

The verdict is one of: changed (the manifest is not what was applied last), same, or suspect: a live value differs from
a declared one although the manifest did not change, and the server no longer counts the field as ours, so that somebody
has written it since. A value that differs and is ours still is how the server, or a webhook, writes what we applied.
Suspects are settled by what a dry run on the server would make of them (`result_differences`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from kit_deployer import objects
from kit_deployer.desired.annotate import ID, Declared, Writing, configuration, configuration_sha1
from kit_deployer.objects import SECRET, Json, annotations_of, at
from kit_deployer.plan.managedfields import (
    Fields,
    applied_by_us,
    below,
    is_set,
    item_fields,
    list_keys,
    our_fields,
    owned_paths_missing,
    owns,
)

Path = tuple[str | int, ...]

_KEYED_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port", "protocol"),
    "hostAliases": ("ip",),
}
"""The lists that Kubernetes' schema merges by key: others (injected sidecars) may add to them. Where the server keeps
account of what we own it says so itself, for every kind."""

_QUANTITIES: Final = frozenset(
    {"limits", "requests", "hard", "capacity", "sizeLimit", "divisor", "averageValue", "value", "default", "max", "min"}
)
_SUFFIXES: Final = {
    "n": Decimal(10) ** -9, "u": Decimal(10) ** -6, "m": Decimal(10) ** -3, "": Decimal(1),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15, "E": Decimal(10) ** 18, "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30, "Ti": Decimal(2) ** 40, "Pi": Decimal(2) ** 50, "Ei": Decimal(2) ** 60,
}  # fmt: skip
_QUANTITY: Final = re.compile(r"^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$")


@dataclass(frozen=True)
class Comparison:
    """`paths` say where, for a suspect; `why` in a few words, for a change."""

    verdict: Literal["changed", "suspect", "same"]
    paths: tuple[str, ...] = ()
    why: str = ""


def compare(declared: Declared, live: Json, writing: Writing) -> Comparison:
    """Whether the live object is what the manifest says."""
    if not applied_by_us(live):
        return Comparison("changed", why="not yet applied by this deployer")
    told = not writing.raw and declared.key.group_kind != SECRET
    if told and not _same_configuration(declared, live):
        return Comparison("changed", why="the manifest changed")
    fields = our_fields(live) or {}
    differing = [path for path in differences(declared.body, live, fields=fields) if path != ("metadata", "labels", ID)]
    if told:
        ours = [path for path in differing if _written_by_us(declared, path)]
        if ours:
            return Comparison("changed", _shown(ours), why="what the deployer writes changed")
        differing = [path for path in differing if not owns(fields, declared.body, path)]
    else:
        # Without annotations a changed manifest and a changed object look the same.
        removed = owned_paths_missing(live, declared.body)
        if removed:
            return Comparison("changed", (*removed, *_shown(differing)), why="the manifest changed")
    return Comparison("suspect", _shown(differing)) if differing else Comparison("same")


def _written_by_us(declared: Declared, path: Path) -> bool:
    """Whether the declared value is not the manifest's: one that it lacks, or a name that a deploy replaces."""
    written, value = at(declared.manifest.body, *path), at(declared.body, *path)
    return written is None or (isinstance(value, str) and value != written)


def _same_configuration(declared: Declared, live: Json) -> bool:
    """By hash; where that differs by content, since the order of keys is no change."""
    annotations = annotations_of(live)
    if annotations.get(objects.LAST_APPLIED_SHA1) == configuration_sha1(configuration(declared.manifest)):
        return True
    try:
        # As text: to Python, true is 1.
        before = json.dumps(json.loads(annotations.get(objects.LAST_APPLIED, "null")), sort_keys=True)
        return before == json.dumps(json.loads(configuration(declared.manifest)), sort_keys=True)
    except ValueError:
        return False


def differences(wanted: Any, live: Any, path: Path = (), *, fields: Fields | None = None) -> Iterator[Path]:
    """The paths at which `live` does not have what `wanted` says. What only `live` has is no difference.

    Quantities are compared by amount, sets and lists that are merged by key without order: which those are, `fields`
    (what we own, as the server keeps it) says. What is empty may be missing: servers leave it out. Annotations that
    deploys write never count.
    """
    if isinstance(wanted, Mapping):
        if not isinstance(live, Mapping):
            if any(map(_filled, wanted.values())) or live is not None:
                yield path
            return
        for name, value in wanted.items():
            if path == ("metadata", "annotations") and name in objects.WRITTEN_ANNOTATIONS:
                continue
            if name not in live and not _filled(value):
                continue
            yield from differences(value, live.get(name), (*path, name), fields=below(fields, name))
    elif isinstance(wanted, list):
        yield from _list_differences(wanted, live, path, fields)
    elif wanted != live and not _same_scalar(wanted, live, path):
        yield path


def _list_differences(wanted: list[Any], live: Any, path: Path, fields: Fields | None) -> Iterator[Path]:
    if not isinstance(live, list):
        if wanted or live is not None:
            yield path
        return
    if is_set(fields):
        yield from ((*path, index) for index, item in enumerate(wanted) if item not in live)
        return
    # Account is kept of this list as of one value where nothing is below it.
    keys = list_keys(fields) or (_KEYED_LISTS.get(str(path[-1])) if path and fields is None else None)
    if keys and all(isinstance(item, Mapping) for item in [*wanted, *live]):
        for index, item in enumerate(wanted):
            match = next((other for other in live if _same_key(item, other, keys)), None)
            if match is None:
                yield (*path, index)
            else:
                yield from differences(item, match, (*path, index), fields=item_fields(fields, item))
    elif len(wanted) != len(live):
        yield path
    else:
        for index, (item, other) in enumerate(zip(wanted, live, strict=True)):
            yield from differences(item, other, (*path, index))


def _same_key(wanted: Mapping[str, Any], live: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    defaults = {"protocol": "TCP"}
    return all(
        wanted.get(key, defaults.get(key)) == live.get(key, defaults.get(key))
        for key in keys
        if key in wanted or key in defaults
    )


def _filled(value: Any) -> bool:
    return any(map(_filled, value.values())) if isinstance(value, Mapping) else bool(value)


def _same_scalar(wanted: Any, live: Any, path: Path) -> bool:
    if live is None:
        return not wanted
    if not any(step in _QUANTITIES for step in path):
        return False
    amount = quantity(wanted)
    return amount is not None and amount == quantity(live)


def quantity(value: Any) -> Decimal | None:
    """The amount that a Kubernetes quantity (`500m`, `1Gi`, `2`) stands for, or None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _QUANTITY.match(str(value))
    if match is None or match[2] not in _SUFFIXES:
        return None
    try:
        return Decimal(match[1]) * _SUFFIXES[match[2]]
    except InvalidOperation:
        return None


def result_differences(live: Json, result: Json) -> tuple[str, ...]:
    """Where what a dry run would make of an object differs from the live one: drift, named by path.

    Counts values and keys on both sides, but neither status nor what every write changes.
    """
    before, after = _settled(live), _settled(result)
    return tuple(dict.fromkeys([*_shown(differences(after, before)), *_shown(differences(before, after))]))


def _settled(body: Json) -> Json:
    metadata = {
        name: value
        for name, value in body["metadata"].items()
        if name not in {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"}
    }
    metadata["annotations"] = {
        name: value for name, value in annotations_of(body).items() if name not in objects.WRITTEN_ANNOTATIONS
    }
    metadata["labels"] = {name: value for name, value in objects.labels_of(body).items() if name != ID}
    return {**{name: value for name, value in body.items() if name != "status"}, "metadata": metadata}


def _shown(paths: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(show_path(path) for path in paths))


def show_path(path: Path) -> str:
    """A path as people write it: `spec.template.spec.containers[0].image`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
