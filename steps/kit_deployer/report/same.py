# SPDX-License-Identifier: MIT
"""What happened in the same way on several clusters, found once: the same change, the same failure.

Namespaces are left out of the comparison: a fleet often differs in nothing else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from kit_deployer.objects import Key
from kit_deployer.report.table import by_outcome
from kit_deployer.result import ClusterResult, Did, Failure, ObjectResult, RunResult

_WRITTEN: Final = frozenset({"created", "changed", "deleted"})


_NUMBERS: Final = re.compile(r"^@@ [-+0-9, ]+ @@", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change (or a shown drift) of one object on `clusters`. `key` and `diff` are those of the first; the diff's head
    is left out.

    `id` is what `change_id` says of each of the objects.
    """

    id: tuple[Any, ...]
    key: Key
    did: Did
    why: str
    diff: str
    unchecked: str
    clusters: tuple[str, ...]
    one_namespace: bool

    @property
    def title(self) -> str:
        """The object, with its namespace where that is the same everywhere."""
        if self.one_namespace:
            return str(self.key)
        return f"{self.key.kind} {self.id[2]}".strip()


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A failure that `clusters` have in common; `failure` is that of the first, with its log."""

    failure: Failure
    clusters: tuple[str, ...]


def changes(result: RunResult) -> list[Change]:
    """Every change of the run, most clusters first, then as the clusters have them.

    Where no diff was asked for, the same result for the same object is the same change.
    """
    found: dict[tuple[Any, ...], list[tuple[str, ObjectResult]]] = {}
    for cluster in result.clusters:
        for item in cluster.objects:
            if _is_shown(item):
                found.setdefault(_change(cluster, item), []).append((cluster.name, item))
    grouped = [_grouped(id_, members) for id_, members in found.items()]
    return sorted(grouped, key=lambda change: -len(change.clusters))


def change_id(cluster: ClusterResult, item: ObjectResult) -> tuple[Any, ...] | None:
    """What an object's change has in common with the same change elsewhere; None where nothing changed."""
    return _change(cluster, item) if _is_shown(item) else None


def general_name(cluster: ClusterResult, key: Key) -> tuple[str, str, str]:
    """Group, kind and name of an object, whichever namespace it is in; the cluster's own namespace has no name."""
    own = key.kind == "Namespace" and not key.group and key.name == cluster.namespace
    return key.group, key.kind, "" if own else key.name


def troubles(result: RunResult) -> list[Trouble]:
    """Every failure of the run, failed clusters in the order of the table."""
    found: dict[tuple[Any, ...], list[tuple[ClusterResult, Failure]]] = {}
    for cluster in by_outcome(result.clusters):
        for failure in cluster.failures:
            found.setdefault(_failure(failure, cluster), []).append((cluster, failure))
    return [
        Trouble(failure=members[0][1], clusters=_names(cluster.name for cluster, _ in members))
        for members in found.values()
    ]


def unchecked(result: RunResult) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What no server was asked about in a dry run: why, the objects, and the clusters."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for cluster in result.clusters:
        for item in cluster.objects:
            if not item.checked:
                keys, clusters = found.setdefault(item.unchecked, ({}, {}))
                keys[str(item.key)] = clusters[cluster.name] = None
    return [(why, tuple(keys), tuple(clusters)) for why, (keys, clusters) in found.items()]


def _is_shown(item: ObjectResult) -> bool:
    return item.did in _WRITTEN or (item.did == "drifted" and bool(item.diff))


def _change(cluster: ClusterResult, item: ObjectResult) -> tuple[Any, ...]:
    name = general_name(cluster, item.key)
    diff = _general(item.diff, item.key.namespace or cluster.namespace)
    if not name[2]:
        diff = diff.replace(f"name: {item.key.name}\n", "name: \n")
    return *name, item.did, item.unchecked, item.why, diff


def _grouped(id_: tuple[Any, ...], members: list[tuple[str, ObjectResult]]) -> Change:
    item = members[0][1]
    return Change(
        id=id_,
        key=item.key,
        did=item.did,
        why=item.why,
        diff=_body(item.diff),
        unchecked=item.unchecked,
        clusters=_names(name for name, _ in members),
        one_namespace=len({(item.key.namespace, item.key.name) for _, item in members}) == 1,
    )


def _failure(failure: Failure, cluster: ClusterResult) -> tuple[Any, ...]:
    key, message = failure.object, failure.message
    message = message.removeprefix(f"{cluster.name}: ").replace(cluster.server, "")
    if failure.pod:
        message = message.replace(failure.pod, "")
    if key:
        message = _anywhere(message, key.namespace)
    return key and (key.group, key.kind, key.name), failure.reason, failure.container, message


def _body(diff: str) -> str:
    """The diff without the two lines that only name its sides."""
    return diff.split("\n", 2)[2] if diff.count("\n") > 1 else diff


@lru_cache(maxsize=10_000)
def _general(diff: str, namespace: str) -> str:
    """The diff as it reads anywhere: without its head, a namespace, and where in the object it stands."""
    return _NUMBERS.sub("@@", _anywhere(_body(diff), namespace))


def _anywhere(text: str, namespace: str) -> str:
    if not namespace or namespace not in text:
        return text
    return text.replace(f"namespace: {namespace}\n", "namespace: \n").replace(f" {namespace}/", " /")


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
