# SPDX-License-Identifier: MIT
"""What a run that writes is about, and what it did."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """What a run is about, where that is not everything."""

    resource: str | None = None
    clusters: bool = False
    """Whether clusters were left out (CLUSTER_NAME, CLUSTER_TYPE, KIT_SHARD)."""
    gone: Callable[[str], bool] | None = None
    """Which names of clusters that are not rendered this run looks after all the same, to remove what they left."""


@dataclass
class Written:
    """What writing did, as paths below the output."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, frozenset[str]] = field(default_factory=dict)
    """By cluster, the files that were there before and hold something else now."""
