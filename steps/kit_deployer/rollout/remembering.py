# SPDX-License-Identifier: MIT
"""A folder's inventory on its cluster: written in one ConfigMap or in several, and only where it changed."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kit_core.errors import WorkError
from kit_deployer.objects import Json, Key, at
from kit_deployer.plan.inventory import Inventory, to_configmaps
from kit_deployer.plan.jobs import JOB
from kit_deployer.result import ObjectResult
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError

CONFIG_MAP: Final = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)


@dataclass
class Memory:
    """What the cluster remembers now: the inventory, and the parts that it is in where one ConfigMap does not do."""

    cluster: Cluster
    namespace: str
    inventory: Inventory | None = None
    parts: tuple[Json, ...] = ()

    def write(self, inventory: Inventory) -> None:
        """Write it, unless nothing changed. The head is written last, and only then parts go that it does not name."""
        if self.inventory is not None and inventory.same_as(self.inventory):
            return
        *parts, head = to_configmaps(inventory, self.namespace)
        there = {part["metadata"]["name"]: part for part in self.parts}
        written = [there.get(part["metadata"]["name"]) or self._apply(part) for part in parts]
        self._apply(head)
        names = {part["metadata"]["name"] for part in parts}
        for name, part in there.items():
            if name not in names:
                with contextlib.suppress(ApiError):  # it takes some room, and does no harm
                    self.cluster.delete(CONFIG_MAP, part)
        self.inventory, self.parts = inventory, tuple(written)

    def _apply(self, body: Json) -> Json:
        """Raises `WorkError` where the folder's namespace is not there: nothing of it could be applied either."""
        try:
            return self.cluster.apply(CONFIG_MAP, body)
        except ApiError as error:
            if error.status != 404 or at(error.details, "kind") != "namespaces":
                raise
            raise WorkError(
                f"Namespace {self.namespace}, where the kubeconfig leads, does not exist",
                where=self.cluster.name,
                why=error.message,
                hint="Put a manifest of it into this cluster's folder below NAMESPACES_DIR (created first), or correct"
                " the namespace of the kubeconfig's context.",
            ) from error

    def finish(self, inventory: Inventory, results: Iterable[ObjectResult], removed: Iterable[Key], now: str) -> None:
        """What was deleted is ours no more; Jobs that completed while the run waited need not run again, also when a
        TTL has removed them.
        """
        done = [
            item.key
            for item in results
            if item.key.group_kind == JOB and item.health == "ready" and item.health_why == "completed"
        ]
        self.write(inventory.with_jobs(done, now).without(removed))
