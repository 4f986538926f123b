# SPDX-License-Identifier: MIT
"""What a cluster folder has put on its cluster, remembered there in a ConfigMap.

It is written before anything is applied, so that a run that is killed leaves nothing unknown behind. From it come the
leftovers (objects that the folder no longer holds), the Jobs that need not run again although a TTL has removed them,
and the certainty that a kubeconfig still leads to the same cluster. Pure.

What is too large for a ConfigMap is cut into parts, each a ConfigMap of its own. Their names tell their content, and
the head that names them is written last: a run that is killed in between leaves the old inventory as it was.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kit_core.errors import WorkError
from kit_deployer.objects import Json, Key, annotations_of, at, labels_of

LABEL: Final = "kit-deployer/inventory"
LARGEST_PART: Final = 900_000
"""Bytes of the inventory in one ConfigMap, which may have 1 MiB."""

_DATA: Final = "inventory.json"
_LONGEST: Final = 200
_TOKEN: Final = 12
_PART: Final = "part"
_PART_OF: Final = "kit-deployer/part-of"


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


def to_configmaps(inventory: Inventory, namespace: str, *, largest: int = LARGEST_PART) -> list[Json]:
    """The ConfigMaps that keep the inventory, in the order in which they are written: the last is its head."""
    content = {
        "version": 1,
        "cluster": inventory.cluster,
        "identity": inventory.identity,
        "commit": inventory.commit,
        "updated": inventory.updated,
    }
    rest = {
        "objects": [[key.group, key.kind, key.namespace, key.name] for key in sorted(inventory.objects)],
        "jobs": dict(inventory.jobs),
    }
    text = _json(content | rest)
    name = name_of(inventory.cluster)
    if len(text) <= largest:
        return [_configmap(name, namespace, text)]
    text = _json(rest)
    token = hashlib.sha256(text.encode()).hexdigest()[:_TOKEN]
    pieces = [text[start : start + largest] for start in range(0, len(text), largest)]
    parts = [
        _configmap(f"{name}-{token}-{number}", namespace, piece, part_of=name)
        for number, piece in enumerate(pieces, start=1)
    ]
    names = [part["metadata"]["name"] for part in parts]
    return [*parts, _configmap(name, namespace, _json({**content, "parts": names}))]


def _json(content: Json) -> str:
    # In ASCII: a character is a byte, and a piece of it is text.
    return json.dumps(content, separators=(",", ":"))


def _configmap(name: str, namespace: str, text: str, *, part_of: str = "") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "kit-deployer", LABEL: _PART if part_of else "v1"},
            **({"annotations": {_PART_OF: part_of}} if part_of else {}),
        },
        "data": {_DATA: text},
    }


def from_configmaps(bodies: Iterable[Json]) -> list[Inventory]:
    """The inventories that these ConfigMaps keep. Raises `WorkError` where one is not what this version wrote."""
    bodies = list(bodies)
    texts = {body["metadata"]["name"]: str(at(body, "data", _DATA) or "") for body in bodies}
    return [_read(body, texts) for body in bodies if labels_of(body).get(LABEL) != _PART]


def is_part_of(cluster: str, body: Json) -> bool:
    """Whether a ConfigMap is a part of a folder's inventory, of the present one or of one before."""
    return labels_of(body).get(LABEL) == _PART and annotations_of(body).get(_PART_OF) == name_of(cluster)


def _read(body: Json, texts: Mapping[str, str]) -> Inventory:
    metadata = body["metadata"]
    try:
        content = json.loads(texts[metadata["name"]])
        if content["version"] != 1:
            raise ValueError(f"it is of version {content['version']}")
        if "parts" in content:
            lacking = [name for name in content["parts"] if name not in texts]
            if lacking:
                raise ValueError(f"its part {lacking[0]} is not there")
            content |= json.loads("".join(texts[name] for name in content["parts"]))
        return Inventory(
            cluster=content["cluster"],
            identity=content.get("identity"),
            commit=content.get("commit"),
            objects=frozenset(Key(*parts) for parts in content["objects"]),
            jobs=content.get("jobs") or {},
            updated=content.get("updated") or "",
        )
    except (ValueError, KeyError, TypeError) as error:
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
