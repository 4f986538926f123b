# SPDX-License-Identifier: MIT
"""Which values of the base are overridden for nothing: by the same value, or everywhere by one other value. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kit_deploymentizer.inputs.reading import Layers, YamlFile
from kit_deploymentizer.rendering.merge import ENV

Keys = tuple[str | int, ...]

_LABELS: Final = {("name",), ("external",), ("encoding",)}
"""What is written again to say what an entry is about, and not to change it."""


@dataclass(frozen=True)
class Leaf:
    """A value of a file: where it stands there."""

    file: YamlFile
    keys: Keys
    value: Any

    def same(self, other: "Leaf") -> bool:
        """Whether both say the same; 1, 1.0 and true are three values."""
        return repr(self.value) == repr(other.value)


@dataclass(frozen=True)
class Repeat:
    """A value of the base and those that override it. `equal`: they all say what the base says; else they are all that
    is ever seen, and all say the same."""

    name: str
    base: Leaf
    overrides: tuple[Leaf, ...]
    equal: bool


def repeats(fleet: Sequence[Layers], below: Keys = (), skip: frozenset[str] = frozenset()) -> Iterator[Repeat]:
    """The base's values that are overridden for nothing. `fleet` has each cluster's files, the strongest first and the
    base last; only what lies at `below` is looked at, without the keys in `skip`."""
    if not fleet:
        return
    known: dict[str, dict[Keys, Leaf]] = {}
    for layers in fleet:
        for file in layers.files:
            if file.shown not in known:
                known[file.shown] = dict(_leaves(file, below, skip))
    base = fleet[0].files[-1]
    for path, leaf in known[base.shown].items():
        strongest: dict[str, Leaf] = {}
        overrides: dict[str, Leaf] = {}
        everywhere = True
        for layers in fleet:
            found = [known[file.shown][path] for file in layers.files[:-1] if path in known[file.shown]]
            overrides |= {one.file.shown: one for one in found}
            strongest |= {one.file.shown: one for one in found[:1]}
            everywhere = everywhere and bool(found)
        told = tuple(overrides[name] for name in sorted(overrides))
        if not told:
            continue
        name = ".".join(map(str, path))
        if all(one.same(leaf) for one in told):
            yield Repeat(name, leaf, told, True)
        elif everywhere and len(strongest) > 1:
            shown = tuple(strongest[name] for name in sorted(strongest))
            if all(one.same(shown[0]) for one in shown):
                yield Repeat(name, leaf, shown, False)


def _leaves(file: YamlFile, below: Keys, skip: frozenset[str]) -> Iterator[tuple[Keys, Leaf]]:
    value: Any = file.value
    for key in below:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        yield from _walk(file, {key: item for key, item in value.items() if key not in skip}, (), below)


def _walk(file: YamlFile, value: Any, path: Keys, keys: Keys) -> Iterator[tuple[Keys, Leaf]]:
    """Path (entries of an `env` by their names) and place of each value; null overrides nothing, so it is none."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(file, item, (*path, key), (*keys, key))
    elif isinstance(value, list) and path[-1:] == (ENV,):
        for index, item in enumerate(value):
            name = item.get("name") if isinstance(item, Mapping) else None
            if isinstance(name, str):
                yield from _walk(file, item, (*path, name), (*keys, index))
    elif value is not None and path[-1:] not in _LABELS:
        yield path, Leaf(file, keys, value)
