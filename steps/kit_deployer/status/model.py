# SPDX-License-Identifier: MIT
"""How clusters are, as values."""

from dataclasses import dataclass, field
from typing import Final, Literal

from kit_core.errors import worst_exit_code
from kit_deployer.objects import Key

DIFFERENT: Final = 3


@dataclass(frozen=True)
class Remark:
    """One object and what is to be said of it in a few words."""

    key: Key
    why: str


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """One cluster: `commit` is what was deployed last and `deployed` when (an ISO time); None where nobody knows.

    `unhealthy` are objects of the folder that are not as they should be, `drifted` those that somebody changed since
    they were applied, `leftovers` those that the folder no longer holds. `undeployed` is what a deploy of the folder
    would send. `error` is why nothing could be said.
    """

    name: str
    server: str
    namespace: str
    commit: str | None = None
    deployed: str | None = None
    objects: int = 0
    unhealthy: tuple[Remark, ...] = ()
    drifted: tuple[Remark, ...] = ()
    undeployed: tuple[Remark, ...] = ()
    leftovers: tuple[Key, ...] = ()
    frozen: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    exit_code: int = 0

    @property
    def health(self) -> Literal["healthy", "unhealthy", "unknown"]:
        """In one word."""
        if self.error:
            return "unknown"
        return "unhealthy" if self.unhealthy else "healthy"


@dataclass(frozen=True)
class FleetStatus:
    """All clusters, by name."""

    clusters: tuple[ClusterStatus, ...] = field(default=())

    @property
    def deviates(self) -> bool:
        """Whether anything has drifted or is not healthy."""
        return any(cluster.drifted or cluster.unhealthy for cluster in self.clusters)

    @property
    def exit_code(self) -> int:
        """0, or the worst of the clusters that could not be looked at."""
        return worst_exit_code(cluster.exit_code for cluster in self.clusters)
