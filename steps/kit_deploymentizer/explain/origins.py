# SPDX-License-Identifier: MIT
"""Values that know where they come from: the merge of `merge` once more, with the place of every value kept.

Used by `explain` only: an ordinary render pays nothing for it. A test holds both merges against each other. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kit_deploymentizer.inputs.reading import YamlFile
from kit_deploymentizer.rendering.merge import ENV, entry_name

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """An entry of a file of the repository; which line that is, is looked up when it is told."""

    file: YamlFile
    keys: Keys


@dataclass(frozen=True)
class Given:
    """What sets a value that stands in no file of the repository: a setting, a variable, a source, kit itself."""

    by: str


Origin = Place | Given


@dataclass(frozen=True)
class Traced:
    """A value, what set it, and what it was laid over, the nearest first. `items` are those of a map or list; a
    `secret` value must not be shown."""

    value: Any
    origin: Origin
    overrode: tuple["Traced", ...] = ()
    items: "Mapping[str, Traced] | list[Traced] | None" = None
    secret: bool = False

    def over(self, below: "Traced | None") -> "Traced":
        """This value in the place of another one.

        What stands in one place is told once: a container's `env` is laid over what a source made of the same `env`.
        """
        told = [self, *self.overrode]
        for one in (below, *below.overrode) if below is not None else ():
            if not any(_same(one.origin, other.origin) for other in told):
                told.append(one)
        return replace(self, overrode=tuple(told[1:]))

    def get(self, key: str) -> "Traced | None":
        """An entry of a map."""
        return self.items.get(key) if isinstance(self.items, Mapping) else None

    def leaves(self, path: Keys = ()) -> Iterator[tuple[Keys, "Traced"]]:
        """Every value that is no map or list with something in it, with its path; what such a map or list as a whole
        was laid over counts for each of them."""
        if not self.items:
            yield path, self
            return
        items = self.items.items() if isinstance(self.items, Mapping) else enumerate(self.items)
        for key, item in items:
            for below, leaf in item.leaves((*path, key)):
                yield below, replace(leaf, overrode=(*leaf.overrode, *self.overrode)) if self.overrode else leaf


def _same(one: Origin, other: Origin) -> bool:
    if isinstance(one, Place) and isinstance(other, Place):
        return one.file is other.file and one.keys == other.keys
    return False


def count_of(value: Any, known: dict[int, int] | None = None) -> int:
    """How many values are in `value`, each alias counted as what it stands for. Takes time for what is written only."""
    known = {} if known is None else known
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(count_of(item, known) for item in items)
    return known[id(value)]


def traced(value: Any, origin: Origin) -> Traced:
    """`value` with everything in it, as it stands in one place."""
    if isinstance(value, dict):
        return Traced(value, origin, (), {key: traced(item, _below(origin, key)) for key, item in value.items()})
    if isinstance(value, list):
        return Traced(value, origin, (), [traced(item, _below(origin, index)) for index, item in enumerate(value)])
    return Traced(value, origin)


def _below(origin: Origin, key: str | int) -> Origin:
    return replace(origin, keys=(*origin.keys, key)) if isinstance(origin, Place) else origin


def as_map(items: Mapping[str, Traced], origin: Origin, overrode: tuple[Traced, ...] = ()) -> Traced:
    """A map of these entries."""
    return Traced({key: item.value for key, item in items.items()}, origin, overrode, items)


def as_list(items: list[Traced], origin: Origin, overrode: tuple[Traced, ...] = ()) -> Traced:
    """A list of these items."""
    return Traced([item.value for item in items], origin, overrode, items)


def merge_traced(base: Traced, over: Traced, key: str | int = "") -> Traced:
    """What `merge.merge` makes of the two values."""
    if over.value is None:
        return base
    if isinstance(over.items, Mapping) and isinstance(base.items, Mapping):
        merged = dict(base.items)
        for name, item in over.items.items():
            merged[name] = merge_traced(merged[name], item, name) if name in merged else item
        return as_map(merged, over.origin, over.overrode)
    if isinstance(over.items, list) and isinstance(base.items, list):
        if key == ENV:
            return as_list(merge_env_traced(base.items, over.items), over.origin, over.overrode)
        pairs = zip(base.items, over.items, strict=False)
        tail = base.items[len(over.items) :] or over.items[len(base.items) :]
        return as_list([merge_traced(below, above) for below, above in pairs] + tail, over.origin, over.overrode)
    return over.over(base)


def merge_env_traced(base: list[Traced], over: list[Traced]) -> list[Traced]:
    """What `merge.merge_env` makes of the two lists."""
    waiting: dict[Any, list[int]] = {}
    for index, entry in enumerate(over):
        name = entry_name(entry.value)
        if name is not None:
            waiting.setdefault(name, []).append(index)
    used: set[int] = set()
    merged = []
    for entry in base:
        matches = waiting.get(entry_name(entry.value))
        if matches:
            index = matches.pop(0)
            used.add(index)
            merged.append(_keys_win(entry, over[index]))
        else:
            merged.append(entry)
    return merged + [entry for index, entry in enumerate(over) if index not in used]


def _keys_win(entry: Traced, over: Traced) -> Traced:
    """One entry of an `env` list over another of the same name: key by key, whatever the value. The name stays where
    it was said first."""
    assert isinstance(entry.items, Mapping)
    assert isinstance(over.items, Mapping)
    keys = {key: item.over(entry.items.get(key)) for key, item in over.items.items() if key != "name"}
    return as_map({**entry.items, **keys}, over.origin)
