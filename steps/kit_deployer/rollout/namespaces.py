# SPDX-License-Identifier: MIT
"""The namespaces of NAMESPACES_DIR: which are missing, and those that are just being deleted, which come first.

Nothing can be created in a namespace that is going, and what is still seen in it will be gone. So a run waits for its
end before it looks at anything else.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kit_core.errors import TimeLimitError
from kit_deployer import parallel
from kit_deployer.desired.annotate import Declared
from kit_deployer.objects import Json, at, key_of
from kit_deployer.rollout.survey import NAMESPACE, Live
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.failures import Stopped

DELETION_SECONDS = 120.0
_POLL_SECONDS = 0.5
_WORKERS = 8
_REMAINING = frozenset({"NamespaceContentRemaining", "NamespaceFinalizersRemaining"})


@dataclass(frozen=True)
class Namespaces:
    """`missing` are to be created. `going` are names of those that a dry run found being deleted."""

    missing: tuple[Declared, ...] = ()
    going: frozenset[str] = frozenset()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of them."""
        return tuple(
            f"namespace {name} is being deleted: a run would wait until it is gone and make it anew"
            for name in sorted(self.going)
        )


def look_for(
    cluster: Cluster,
    wanted: Sequence[Declared],
    *,
    wait: bool,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Namespaces:
    """Which of the wanted namespaces do not exist. With `wait` those that are being deleted are gone afterwards.

    Raises `TimeLimitError` for one that is still there after two minutes, naming what holds it.
    """

    def missing(item: Declared) -> tuple[bool, bool]:
        live = cluster.get(NAMESPACE, "", item.key.name)
        going = live is not None and at(live, "metadata", "deletionTimestamp") is not None
        if going and wait:
            say(f"waiting until namespace {item.key.name} is gone: it is being deleted")
            _await_end(cluster, item.key.name, clock)
        return live is None or going, going

    found = parallel.each(missing, wanted, workers=_WORKERS, name=cluster.name)
    pairs = list(zip(wanted, found, strict=True))
    return Namespaces(
        tuple(item for item, (absent, _) in pairs if absent),
        frozenset() if wait else frozenset(item.key.name for item, (_, going) in pairs if going),
    )


def without(live: Live, going: frozenset[str]) -> Live:
    """What was seen, without what goes together with its namespace."""
    if not going:
        return live
    objects = {key: body for key, body in live.objects.items() if key.namespace not in going}
    deployments, replica_sets = (
        tuple(body for body in bodies if key_of(body).namespace not in going)
        for bodies in (live.deployments, live.replica_sets)
    )
    return replace(live, objects=objects, deployments=deployments, replica_sets=replica_sets)


def _await_end(cluster: Cluster, name: str, clock: Callable[[], float]) -> None:
    end = clock() + DELETION_SECONDS
    while True:
        live = cluster.get(NAMESPACE, "", name)
        if live is None or at(live, "metadata", "deletionTimestamp") is None:
            return
        if clock() >= end:
            raise TimeLimitError(
                f"Namespace {name} is being deleted and is still there after {DELETION_SECONDS:.0f} s",
                where=cluster.name,
                why="; ".join(_holders(live)),
                hint="Whatever owns the finalizers has to finish (see its log), or they have to be removed by hand.",
            )
        if cluster.stopping:
            raise Stopped
        time.sleep(_POLL_SECONDS)


def _holders(live: Json) -> Iterator[str]:
    """What keeps a namespace, in the server's words where it has some."""
    finalizers = [*(at(live, "metadata", "finalizers") or []), *(at(live, "spec", "finalizers") or [])]
    yield f"its finalizers are: {', '.join(finalizers) or 'none'}"
    for condition in at(live, "status", "conditions") or []:
        if condition.get("type") in _REMAINING and condition.get("status") == "True":
            yield str(condition.get("message"))
