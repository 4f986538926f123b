# SPDX-License-Identifier: MIT
"""The fleet as a matrix: a row a cluster, failures first, and a column an object; each cell says what became of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from kit_deployer.objects import Key
from kit_deployer.plan.order import phase_of
from kit_deployer.report.same import general_name
from kit_deployer.report.table import by_outcome
from kit_deployer.result import ClusterResult, ObjectResult, RunResult

SIGNS: Final[Mapping[str, str]] = {
    "failed": "✕",
    "not done": "…",
    "created": "+",
    "changed": "~",
    "deleted": "−",
    "drifted": "!",
    "unchanged": "=",
}
"""What stands in a cell for each word: not only its colour."""

CELLS: Final = 60_000
_WIDEST: Final = 200

Name: TypeAlias = tuple[str, str, str]
"""Group, kind and name: an object as a column, in whichever namespace each cluster has it."""


@dataclass(frozen=True)
class Cell:
    """What became of an object. `target` is the part of the page that tells more, or empty."""

    word: str
    target: str


@dataclass(frozen=True)
class Row:
    """A cluster: its cells, None where it has no such object, and how many objects no column shows."""

    cluster: ClusterResult
    cells: tuple[Cell | None, ...]
    others: int


@dataclass(frozen=True)
class Matrix:
    """`left_out` is how many objects have no column of their own."""

    columns: tuple[Name, ...]
    rows: tuple[Row, ...]
    left_out: int


def outcome(item: ObjectResult) -> str:
    """The word for a cell: an object that was applied and is not healthy has failed."""
    return "failed" if item.health in {"failed", "timeout"} else item.did


def matrix(result: RunResult, targets: Mapping[tuple[str, Key], str]) -> Matrix:
    """The matrix of a run. `targets` names the part of the page for a cluster's object."""
    wide = min(_WIDEST, max(1, CELLS // max(1, len(result.clusters))))
    names = _columns(result.clusters, wide)
    places = {name: index for index, name in enumerate(names)}
    rows = []
    for cluster in by_outcome(result.clusters):
        cells: list[Cell | None] = [None] * len(names)
        others = 0
        for item in cluster.objects:
            index = places.get(general_name(cluster, item.key))
            if index is None:
                others += 1
                continue
            cell = Cell(outcome(item), targets.get((cluster.name, item.key), ""))
            # One name in two namespaces of a cluster is one column: the worse of both stands there.
            before = cells[index]
            if before is None or _severity(cell.word) < _severity(before.word):
                cells[index] = cell
        rows.append(Row(cluster, tuple(cells), others))
    every = {general_name(cluster, item.key) for cluster in result.clusters for item in cluster.objects}
    return Matrix(names, tuple(rows), len(every) - len(names))


def _columns(clusters: Iterable[ClusterResult], wide: int) -> tuple[Name, ...]:
    """The objects that say most, where there are too many: what failed, then what most clusters have."""
    seen: Counter[Name] = Counter()
    worst: dict[Name, int] = {}
    for cluster in clusters:
        for item in cluster.objects:
            name = general_name(cluster, item.key)
            seen[name] += 1
            worst[name] = min(_severity(outcome(item)), worst.get(name, len(SIGNS)))
    failed = _severity("failed")
    chosen = sorted(seen, key=lambda name: (worst[name] != failed, -seen[name], name))[:wide]
    return tuple(sorted(chosen, key=_in_order))


def _in_order(name: Name) -> tuple[int, str, str, str]:
    group, kind, own = name
    return phase_of(Key(group, kind, "", own).group_kind), kind, group, own


def _severity(word: str) -> int:
    return list(SIGNS).index(word)
