# SPDX-License-Identifier: MIT
"""Which clusters a run is about: CLUSTER_NAME, CLUSTER_TYPE, and one part of a fleet (KIT_SHARD). Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_deploymentizer.settings import DeploymentizerSettings

T = TypeVar("T")

_WRITTEN: Final = re.compile(r"\s*([0-9]{1,9})\s*/\s*([0-9]{1,9})\s*")


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, both from 1.

    Clusters are dealt out by the order of their names, one to each part in turn: each part has as many as the others or
    one more, whatever a fleet's size, and each cluster is in exactly one. Which part that is may change when clusters
    come and go; all parts of one run look at the same commit.
    """

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @property
    def is_first(self) -> bool:
        """Whether this is the part that looks after what belongs to no cluster any more."""
        return self.index == 1

    def of(self, clusters: Iterable[T], name: Callable[[T], str]) -> Sequence[T]:
        """Those of `clusters` that are in this part, in the order of their names."""
        return sorted(clusters, key=name)[self.index - 1 :: self.count]


def shard_of(text: str | None) -> Shard | None:
    """What KIT_SHARD says; None where it is not set. Raises `InputError`.

    Parts count from 1, as GitLab has them; where they count from 0, as in an indexed Job of Kubernetes, `0/5` stands
    for the fifth, so that 0 to 4 are all five as well.
    """
    if text is None:
        return None
    found = _WRITTEN.fullmatch(text)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not count or index > count:
        raise InputError(
            f"KIT_SHARD={text} is no part of a fleet",
            why="expected PART/PARTS" if not found else "there is no such part" if count else "there are no parts of 0",
            hint="Write 2/5 for the second of five parts (1/5 to 5/5; 0/5 is 5/5, for what counts from 0).",
        )
    return Shard(index or count, count)


def check_combination(settings: DeploymentizerSettings) -> None:
    """Which settings need or exclude each other. Raises `InputError`."""
    wrong = []
    if settings.cluster_name and settings.cluster_type:
        wrong.append(("CLUSTER_NAME and CLUSTER_TYPE exclude each other", "Unset one of them."))
    if settings.cluster_name and settings.shard:
        wrong.append(("CLUSTER_NAME and KIT_SHARD exclude each other", "Unset one of them."))
    if settings.deploy_id and not settings.resource:
        wrong.append(("DEPLOY_ID needs RESOURCE", "A deploy id belongs to one resource: set RESOURCE to it."))
    if settings.fast_rollback and not settings.deploy_id:
        wrong.append(("FAST_ROLLBACK needs DEPLOY_ID", "Set DEPLOY_ID (and RESOURCE), or unset FAST_ROLLBACK."))
    if wrong:
        raise InputError(
            "The settings do not fit together",
            why="; ".join(what for what, _ in wrong),
            hint=" ".join(hint for _, hint in wrong) + " Nothing was touched.",
        )


def nothing_there(settings: DeploymentizerSettings, names: Iterable[str]) -> str | None:
    """What to warn of where a run is about no cluster; `names` are all that there are. None where a shard is merely
    empty, since there are fewer clusters than parts."""
    known, name = sorted(names), settings.cluster_name
    if settings.shard and known and not settings.cluster_type:
        return None
    meant = nearest(name, known) if name else None
    told = f"cluster {name}" if name else f"cluster of type {settings.cluster_type}"
    if settings.shard and settings.cluster_type:
        told += f" in part {settings.shard}"
    limited = name or settings.cluster_type
    return f"there is no {told}" + (f"; is {meant} meant?" if meant else "") if limited else "there is no cluster"
