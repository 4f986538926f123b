# SPDX-License-Identifier: MIT
"""What differs between two renders: unified, masked, and the same change told once for all clusters that have it. Pure.

`masking` says what of a file may be seen. Changes are the same where the lines that come and go are: what stands around
them may differ from cluster to cluster, and is shown of the first. Between a value and a placeholder no change is told.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from kit_deploymentizer.diff.masking import masked_pair

_LONGEST: Final = 20_000
"""Lines of a file that are compared one by one."""

Kind = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class Shown:
    """A manifest as one side has it. `pointers` lead to values from secret sources; `blind`: to placeholders."""

    content: bytes
    pointers: tuple[str, ...] = ()
    blind: bool = False


Side = Mapping[str, Mapping[str, Shown]]
"""Files by cluster and path."""


@dataclass(frozen=True)
class Change:
    """A change of one file in one or more clusters; `lines` are those of a unified diff below its heads."""

    path: str
    kind: Kind
    clusters: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """All changes, by file and then by cluster. `new` and `gone` are clusters that only one side has."""

    changes: tuple[Change, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def clusters(self) -> tuple[str, ...]:
        """Those in which anything changes."""
        named = {cluster for change in self.changes for cluster in change.clusters}
        return tuple(sorted(named | set(self.new) | set(self.gone)))

    @property
    def files(self) -> int:
        """How many files change, each cluster's counted."""
        return sum(len(change.clusters) for change in self.changes)

    def __bool__(self) -> bool:
        return bool(self.changes or self.new or self.gone)


def compare(before: Side, after: Side) -> Difference:
    """What must change to come from one side to the other."""
    found: dict[tuple[str, Kind, tuple[str, ...]], tuple[list[str], tuple[str, ...]]] = {}
    for cluster, path, old, new in _different(before, after):
        kind: Kind = "added" if old is None else "removed" if new is None else "changed"
        lines = _lines(old, new)
        if not lines:  # a placeholder in the place of a value, or the other way
            continue
        telling = tuple(line for line in lines if line[:1] in {"+", "-"})
        found.setdefault((path, kind, telling), ([], lines))[0].append(cluster)
    changes = [Change(path, kind, tuple(clusters), lines) for (path, kind, _), (clusters, lines) in found.items()]
    return Difference(
        tuple(sorted(changes, key=lambda change: (change.path, change.clusters))),
        new=tuple(sorted(after.keys() - before.keys())),
        gone=tuple(sorted(before.keys() - after.keys())),
    )


def _different(before: Side, after: Side) -> Iterator[tuple[str, str, Shown | None, Shown | None]]:
    for cluster in sorted(before.keys() | after.keys()):
        old, new = before.get(cluster, {}), after.get(cluster, {})
        for path in sorted(old.keys() | new.keys()):
            one, other = old.get(path), new.get(path)
            if one is None or other is None or one.content != other.content:
                yield cluster, path, one, other


@lru_cache(maxsize=256)
def _lines(old: Shown | None, new: Shown | None) -> tuple[str, ...]:
    comparable = old is None or new is None or old.blind == new.blind
    pointers = [side.pointers if side else () for side in (old, new)]
    before, after = masked_pair(_text(old), _text(new), *pointers, comparable=comparable)
    one, other = _split(before), _split(after)
    if max(len(one), len(other)) > _LONGEST:
        return (f"@@ {len(one)} lines before, {len(other)} after: too many to compare @@",)
    return tuple(difflib.unified_diff(one, other, lineterm=""))[2:]


def _text(side: Shown | None) -> str | None:
    return side.content.decode("utf-8", "replace") if side else None


def _split(text: str) -> list[str]:
    """Lines at line feeds only; a text that does not end with one says so, as git does."""
    lines = text.split("\n")
    if lines[-1]:
        return [*lines[:-1], f"{lines[-1]} \\ no newline at the end"]
    return lines[:-1]
