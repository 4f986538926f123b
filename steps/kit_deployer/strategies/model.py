# SPDX-License-Identifier: MIT
"""What every strategy is asked, and what they have in common: which Deployments are versions of one, who needs them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from kit_deployer.desired.annotate import NAME, STRATEGY, Declared
from kit_deployer.desired.scaling import Scaled
from kit_deployer.objects import FREEZE, ORIGINAL_NAME, GroupKind, Json, Key, annotations_of, at, key_of, labels_of

DEPLOYMENT: Final = GroupKind("apps", "Deployment")
_BY_A_DEPLOYMENT: Final = "pod-template-hash"  # the label that the Deployment controller gives its ReplicaSets

OTHER: Final = "deployed with another strategy"


class Strategy(Protocol):
    """What a rollout asks its strategy. Bodies are those of the cluster, read before anything was applied."""

    name: str
    guarded: bool
    """Whether a Service changes only where its new pods are ready, and no newer run has changed it meanwhile."""

    def switches(self, item: Declared, live: Json | None) -> bool:
        """Whether this object may change only when all Deployments of the run are available."""
        ...

    def settled(self, item: Declared, live: Json, scaled: frozenset[Scaled]) -> str:
        """Why this live object is not applied again whatever it looks like; empty where it may be.

        Raises `InputError` where the strategy cannot deploy the item because of the live object.
        """
        ...

    def replicas(self, item: Declared, deployments: Iterable[Json], services: Iterable[Json]) -> int | None:
        """With how many pods a Deployment begins that something scales; None leaves that to whatever scales it."""
        ...

    def outdated(self, items: Sequence[Declared], deployments: Sequence[Json]) -> dict[Key, str]:
        """The Deployments that are no longer needed once everything is healthy, and why."""
        ...

    def versions(self, items: Sequence[Declared], deployments: Iterable[Json]) -> list[Json]:
        """The Deployments that this strategy keeps beside those of the run: theirs, and no leftovers."""
        ...


def identity(body: Json) -> tuple[str, str | None, str | None]:
    """What all versions of a Deployment share: namespace, label `name`, the name in the manifest."""
    return key_of(body).namespace, labels_of(body).get(NAME), annotations_of(body).get(ORIGINAL_NAME)


def identities(items: Iterable[Declared]) -> dict[tuple[str, str | None, str | None], Declared]:
    """The Deployments of a run by what their versions share."""
    return {
        (item.key.namespace, labels_of(item.body).get(NAME), item.original_name): item
        for item in items
        if item.key.group_kind == DEPLOYMENT
    }


def others(items: Sequence[Declared], deployments: Iterable[Json], strategy: str) -> Iterator[Json]:
    """The live versions of the run's Deployments that another strategy deployed. What is frozen stays out of it."""
    ours, kept = identities(items), {item.key for item in items}
    for live in deployments:
        if key_of(live) in kept or FREEZE in annotations_of(live):
            continue
        if _of_another(live, strategy) and identity(live) in ours:
            yield live


def orphans(
    outdated: Iterable[Key], deployments: Iterable[Json], replica_sets: Iterable[Json], strategy: str
) -> list[Key]:
    """ReplicaSets of another strategy that no Deployment owns any more, of the names that go now."""
    going = set(outdated)
    gone = {
        (key_of(live).namespace, labels_of(live).get(NAME))
        for live in deployments
        if key_of(live) in going and _of_another(live, strategy)
    }
    return [
        key_of(live)
        for live in replica_sets
        if not at(live, "metadata", "ownerReferences")
        and _BY_A_DEPLOYMENT in labels_of(live)
        and _of_another(live, strategy)
        and (key_of(live).namespace, labels_of(live).get(NAME)) in gone
    ]


def _of_another(live: Json, strategy: str) -> bool:
    return labels_of(live).get(STRATEGY) not in {None, strategy}


def serving_replicas(item: Declared, deployments: Iterable[Json], services: Iterable[Json]) -> int | None:
    """How many pods the version has that Services send their requests to now; None where there is none.

    On first contact that is the Deployment of this name that another tool made: it has no version.
    """
    selecting = [(key_of(body), body) for body in services]
    ours = identities([item])
    counts = [
        int(at(live, "spec", "replicas") or 0)
        for live in deployments
        if (identity(live) in ours and users(live, selecting)) or _is_foreign(live, item)
    ]
    return max(counts, default=0) or None


def _is_foreign(live: Json, item: Declared) -> bool:
    """Whether this is the item's Deployment as another tool deployed it."""
    key = key_of(live)
    return (key.namespace, key.name) == (item.key.namespace, item.original_name) and STRATEGY not in labels_of(live)


def users(deployment: Json, services: Iterable[tuple[Key, Json]]) -> list[Key]:
    """The Services that send their requests to this very version's pods: their selectors name a strategy."""
    namespace, pods = key_of(deployment).namespace, labels_of(at(deployment, "spec", "template") or {})
    return [key for key, body in services if key.namespace == namespace and picks(body, pods)]


def picks(body: Json, pods: Mapping[str, str]) -> bool:
    """Whether the selector of a Service or a disruption budget names a strategy, and picks pods with these labels."""
    selector = at(body, "spec", "selector")
    if isinstance(at(selector, "matchLabels"), Mapping):
        selector = selector["matchLabels"]
    return isinstance(selector, Mapping) and STRATEGY in selector and selector.items() <= pods.items()
