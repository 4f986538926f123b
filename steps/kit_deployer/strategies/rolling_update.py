# SPDX-License-Identifier: MIT
"""rolling-update: a Deployment replaces its own pods; what another strategy deployed under its name goes afterwards."""

from collections.abc import Iterable, Sequence

from kit_deployer.desired.annotate import Declared
from kit_deployer.desired.scaling import Scaled
from kit_deployer.objects import Json, Key, key_of
from kit_deployer.strategies.model import OTHER, others, serving_replicas


class RollingUpdate:
    """See the module and `Strategy`."""

    name = "rolling-update"
    guarded = False

    def switches(self, item: Declared, live: Json | None) -> bool:
        """An existing Service in front of Deployments waits for them; a new one has nobody to disappoint."""
        return item.serves and live is not None

    def settled(self, item: Declared, live: Json, scaled: frozenset[Scaled]) -> str:  # noqa: ARG002 - the protocol's
        """Everything may be applied again."""
        return ""

    def replicas(self, item: Declared, deployments: Iterable[Json], services: Iterable[Json]) -> int | None:
        """As many as the version of another strategy that it takes over from."""
        return serving_replicas(item, deployments, services)

    def outdated(self, items: Sequence[Declared], deployments: Sequence[Json]) -> dict[Key, str]:
        """Deployments of the same `name` and original name, deployed with another strategy."""
        return {key_of(live): OTHER for live in others(items, deployments, self.name)}

    def versions(self, items: Sequence[Declared], deployments: Iterable[Json]) -> list[Json]:  # noqa: ARG002 - as above
        """There is one version only."""
        return []
