# SPDX-License-Identifier: MIT
"""What a cluster folder has put on its cluster, remembered there in a ConfigMap.

It is written before anything is applied, so that a run that is killed leaves nothing unknown behind. From it come the
leftovers (objects that the folder no longer holds), the Jobs that need not run again although a TTL has removed them,
and the certainty that a kubeconfig still leads to the same cluster. Pure.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kit_core.errors import WorkError
from kit_deployer.objects import Json, Key, at

LABEL: Final = "kit-deployer/inventory"
_DATA: Final = "inventory.json"
_LONGEST: Final = 200


@dataclass(frozen=True)
class Inventory:
    """`identity` is the uid of the namespace kube-system; `jobs` the completed ones by `namespace/name`."""

    cluster: str
    identity: str | None = None
    commit: str | None = None
    objects: frozenset[Key] = frozenset()
    jobs: Mapping[str, str] = field(default_factory=dict)
    updated: str = ""

    def completed(self, key: Key) -> bool:
        """Whether this Job is known to have completed."""
        return f"{key.namespace}/{key.name}" in self.jobs

    def with_jobs(self, keys: Iterable[Key], now: str) -> "Inventory":
        """The inventory that also knows these Jobs to be completed."""
        names = {f"{key.namespace}/{key.name}" for key in keys}
        return replace(self, jobs={**dict.fromkeys(sorted(names), now), **self.jobs})

    def without(self, keys: Iterable[Key]) -> "Inventory":
        """The inventory when these objects have been deleted."""
        return replace(self, objects=self.objects - frozenset(keys))

    def same_as(self, other: "Inventory") -> bool:
        """Whether nothing but the time differs."""
        return replace(self, updated="") == replace(other, updated="")


def name_of(cluster: str) -> str:
    """The ConfigMap's name for a cluster folder: its name, made one that Kubernetes accepts."""
    plain = re.sub(r"[^a-z0-9-]+", "-", cluster.lower()).strip("-")[:_LONGEST]
    if plain != cluster:
        plain = f"{plain}-{hashlib.sha256(cluster.encode()).hexdigest()[:8]}".lstrip("-")
    return f"kit-deployer-{plain}"


def to_configmap(inventory: Inventory, namespace: str) -> Json:
    """The ConfigMap that keeps the inventory."""
    content = {
        "version": 1,
        "cluster": inventory.cluster,
        "identity": inventory.identity,
        "commit": inventory.commit,
        "updated": inventory.updated,
        "objects": [[key.group, key.kind, key.namespace, key.name] for key in sorted(inventory.objects)],
        "jobs": dict(inventory.jobs),
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name_of(inventory.cluster),
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "kit-deployer", LABEL: "v1"},
        },
        "data": {_DATA: json.dumps(content, separators=(",", ":"))},
    }


def from_configmap(body: Json) -> Inventory:
    """The inventory that a ConfigMap keeps. Raises `WorkError` where it is not one that this version wrote."""
    try:
        content = json.loads(at(body, "data", _DATA) or "")
        if content["version"] != 1:
            raise ValueError(f"it is of version {content['version']}")
        return Inventory(
            cluster=content["cluster"],
            identity=content.get("identity"),
            commit=content.get("commit"),
            objects=frozenset(Key(*parts) for parts in content["objects"]),
            jobs=content.get("jobs") or {},
            updated=content.get("updated") or "",
        )
    except (ValueError, KeyError, TypeError) as error:
        metadata = body["metadata"]
        raise WorkError(
            "The inventory cannot be read",
            where=f"ConfigMap {metadata.get('namespace')}/{metadata.get('name')}",
            why=str(error),
            hint="Delete the ConfigMap to begin a new one: leftovers and completed Jobs are forgotten then.",
        ) from error


def check_identity(
    found: Iterable[Inventory], *, cluster: str, identity: str | None, namespace: str, adopt: bool
) -> Inventory | None:
    """Our inventory among those found in the namespace, or None where there is none yet.

    Raises `WorkError` where the kubeconfig leads to another cluster than before: the inventory was written on a cluster
    with another identity, or the namespace belongs to another folder. `adopt` accepts both.
    """
    inventories = list(found)
    ours = next((inventory for inventory in inventories if inventory.cluster == cluster), None)
    if adopt:
        return ours
    if ours is not None and ours.identity and identity and ours.identity != identity:
        raise WorkError(
            "The kubeconfig leads to another cluster than before",
            where=cluster,
            why=f"the inventory was written on cluster {ours.identity}, this one is {identity}"
            " (the uid of its namespace kube-system)",
            hint="Check the kubeconfig; if the cluster was really moved, run once with KIT_ADOPT=true.",
        )
    if ours is None and inventories:
        other = inventories[0].cluster
        raise WorkError(
            "The kubeconfig leads where another folder is deployed",
            where=cluster,
            why=f"namespace {namespace} of this cluster belongs to the folder {other}",
            hint="Check the kubeconfig's server and namespace; if the folder got another name, run once with"
            " KIT_ADOPT=true.",
        )
    return ours
