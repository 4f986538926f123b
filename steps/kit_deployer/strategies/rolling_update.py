# SPDX-License-Identifier: MIT
"""rolling-update: a Deployment replaces its own pods; what another strategy deployed under its name goes afterwards."""

from collections.abc import Iterable, Sequence

from kit_deployer.annotate import NAME, STRATEGY, Declared
from kit_deployer.objects import FREEZE, ORIGINAL_NAME, GroupKind, Json, Key, annotations_of, at, key_of, labels_of

_DEPLOYMENT = GroupKind("apps", "Deployment")
_BY_A_DEPLOYMENT = "pod-template-hash"  # the label that the Deployment controller gives its ReplicaSets


class RollingUpdate:
    """See the module."""

    name = "rolling-update"

    def switches(self, item: Declared, live: Json | None) -> bool:
        """An existing Service in front of Deployments waits for them; a new one has nobody to disappoint."""
        return item.serves and live is not None

    def outdated(self, items: Sequence[Declared], deployments: Iterable[Json]) -> list[Key]:
        """Deployments of the same `name` and original name, deployed with another strategy."""
        ours = {
            (item.key.namespace, labels_of(item.body).get(NAME), item.original_name)
            for item in items
            if item.key.group_kind == _DEPLOYMENT
        }
        kept = {item.key for item in items}
        return [
            key_of(live)
            for live in deployments
            if key_of(live) not in kept and self._other(labels_of(live)) and _identity(live) in ours
            if FREEZE not in annotations_of(live)
        ]

    def orphans(self, outdated: Sequence[Key], deployments: Iterable[Json], replica_sets: Iterable[Json]) -> list[Key]:
        """ReplicaSets of another strategy that no Deployment owns any more, of the names that go now."""
        gone = {
            (key_of(live).namespace, labels_of(live).get(NAME)) for live in deployments if key_of(live) in set(outdated)
        }
        return [
            key_of(live)
            for live in replica_sets
            if not at(live, "metadata", "ownerReferences")
            and _BY_A_DEPLOYMENT in labels_of(live)
            and self._other(labels_of(live))
            and (key_of(live).namespace, labels_of(live).get(NAME)) in gone
        ]

    def _other(self, labels: dict[str, str]) -> bool:
        return labels.get(STRATEGY) not in {None, self.name}


def _identity(live: Json) -> tuple[str, str | None, str | None]:
    return key_of(live).namespace, labels_of(live).get(NAME), annotations_of(live).get(ORIGINAL_NAME)
