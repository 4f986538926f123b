# SPDX-License-Identifier: MIT
"""How a new version takes over from the old one: decisions only, each strategy a file and a line here.

What they all share: Services switch and old Deployments go only when the new ones are healthy.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol

from kit_deployer.annotate import Declared
from kit_deployer.objects import Json, Key
from kit_deployer.strategies.rolling_update import RollingUpdate

StrategyName = Literal["rolling-update", "fast-rollback"]


class Strategy(Protocol):
    """What a rollout asks its strategy. Bodies are those of the cluster, read before anything was applied."""

    name: str

    def switches(self, item: Declared, live: Json | None) -> bool:
        """Whether this Service may change only when all Deployments of the run are available."""
        ...

    def outdated(self, items: Sequence[Declared], deployments: Iterable[Json]) -> list[Key]:
        """The Deployments that are no longer needed once everything is healthy."""
        ...

    def orphans(self, outdated: Sequence[Key], deployments: Iterable[Json], replica_sets: Iterable[Json]) -> list[Key]:
        """The ReplicaSets that such Deployments left behind earlier."""
        ...


STRATEGIES: Final[dict[str, Strategy]] = {"rolling-update": RollingUpdate()}
