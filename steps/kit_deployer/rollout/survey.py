# SPDX-License-Identifier: MIT
"""What a rollout must know of a cluster before it decides anything: read only, a LIST per kind and namespace."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kit_core.errors import WorkError
from kit_deployer import parallel
from kit_deployer.desired.annotate import STRATEGY
from kit_deployer.desired.scaling import SCALABLE, SCALERS, Scaled, scaled
from kit_deployer.objects import ORIGINAL_NAME, Json, Key, Manifest, annotations_of, at, key_of, labels_of
from kit_deployer.plan.inventory import LABEL, Inventory, check_identity, from_configmaps, is_part_of
from kit_deployer.plan.jobs import JOB
from kit_deployer.plan.order import CRD
from kit_deployer.rollout.remembering import CONFIG_MAP
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Kinds, Resource
from kit_deployer.server.failures import ApiError

NAMESPACE: Final = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
DEPLOYMENT: Final = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
REPLICA_SET: Final = Resource("apps", "v1", "ReplicaSet", "replicasets", namespaced=True)
SERVICE_KIND: Final = "Service"

_WORKERS: Final = 8
_FEW: Final = 2
"""Up to so many objects of a kind are read one by one: some lists (definitions, roles) are long and rarely needed."""


@dataclass(frozen=True)
class Resolved:
    """The manifests with their keys, and where each kind is found."""

    keyed: tuple[tuple[Key, Manifest], ...]
    resources: dict[Key, Resource]


@dataclass(frozen=True)
class Ground:
    """What holds for the whole cluster: its kinds, its identity, what the folder put there before.

    `parts` are the ConfigMaps that an inventory too large for one is cut into.
    """

    kinds: Kinds
    identity: str | None
    inventory: Inventory | None
    parts: tuple[Json, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Live:
    """The live objects that matter to a run; `unreadable` are those that the account may not see."""

    objects: dict[Key, Json] = field(default_factory=dict)
    scaled: frozenset[Scaled] = frozenset()
    deployments: tuple[Json, ...] = ()
    replica_sets: tuple[Json, ...] = ()
    unreadable: set[Key] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def look_around(cluster: Cluster, manifests: Iterable[Manifest], *, folder: str, namespace: str, adopt: bool) -> Ground:
    """Discovery, identity and inventory. Raises `WorkError` where the kubeconfig leads to another cluster."""
    bodies = [manifest.body for manifest in manifests]
    kinds = cluster.discover({body["apiVersion"] for body in bodies})
    kinds = kinds.with_definitions(body for body in bodies if body["kind"] == CRD.kind)
    notes = []
    identity = None
    try:
        system = cluster.get(NAMESPACE, "", "kube-system")
        identity = system["metadata"]["uid"] if system else None
    except ApiError as error:
        if error.status != 403:
            raise
        notes.append("the account may not read namespace kube-system, so a swapped cluster would not be noticed")
    found, _ = cluster.list_all(CONFIG_MAP, namespace, labels=LABEL)
    inventory = check_identity(
        from_configmaps(found), cluster=folder, identity=identity, namespace=namespace, adopt=adopt
    )
    parts = tuple(body for body in found if is_part_of(folder, body))
    return Ground(kinds, identity, inventory, parts, tuple(notes))


def resolve(manifests: Sequence[Manifest], kinds: Kinds, *, namespace: str, cluster: str) -> Resolved:
    """Give every manifest its key. Raises `WorkError` naming every kind that the cluster does not know."""
    keyed, resources, unknown = [], {}, []
    for manifest in manifests:
        body = manifest.body
        resource = kinds.find(body["apiVersion"], body["kind"])
        if resource is None:
            unknown.append(_unknown(manifest, kinds))
            continue
        place = (body["metadata"].get("namespace") or namespace) if resource.namespaced else ""
        key = Key(resource.group, resource.kind, place, manifest.name)
        keyed.append((key, manifest))
        resources[key] = resource
    if unknown:
        first = next(item for item in manifests if kinds.find(item.body["apiVersion"], item.body["kind"]) is None)
        raise WorkError(
            "The cluster does not know every kind",
            where=cluster,
            why="; ".join(dict.fromkeys(unknown)),
            hint="Correct apiVersion and kind, or deploy the CustomResourceDefinition with (or before) them."
            " Nothing was touched on this cluster.",
            file=first.place.file,
            line=first.place.line,
        )
    return Resolved(tuple(keyed), resources)


def _unknown(manifest: Manifest, kinds: Kinds) -> str:
    text = f"{manifest.body['kind']} in {manifest.body['apiVersion']} ({manifest.place})"
    others = kinds.versions(manifest.group_kind)
    return f"{text}; it knows it in {', '.join(others)}" if others else text


@dataclass(frozen=True)
class _ToRead:
    """What a run has to read: the keys `wanted` by kind and namespace, which of these are listed whole, which keys are
    read one by one, and where there may be Deployments that decide about others.
    """

    wanted: dict[tuple[Resource, str], list[Key]]
    whole: set[tuple[Resource, str]]
    single: list[Key]
    deployment_places: set[str]


def _to_read(resolved: Resolved, kinds: Kinds, *, raw: bool) -> _ToRead:
    wanted: dict[tuple[Resource, str], list[Key]] = {}
    for key, _ in resolved.keyed:
        wanted.setdefault((resolved.resources[key], key.namespace), []).append(key)
    workload_places = {
        key.namespace
        for key, manifest in resolved.keyed
        if key.namespace and (key.group_kind in SCALABLE or at(manifest.body, "spec", "replicas") is not None)
    }
    deployment_places = set()
    if not raw:
        deployment_places = {
            key.namespace for key, _ in resolved.keyed if key.kind in {"Deployment", SERVICE_KIND} and key.namespace
        }
    # Jobs get a name of their own later, so they are always listed; so is what more than one decision needs.
    whole = {(DEPLOYMENT, place) for place in deployment_places}
    whole |= {pair for pair, keys in wanted.items() if len(keys) > _FEW or pair[0].group_kind == JOB}
    scalers = [resource for kind in SCALERS if (resource := kinds.preferred(kind))]
    whole |= {(resource, place) for resource in scalers for place in workload_places}
    single = [key for pair, keys in wanted.items() if pair not in whole for key in keys]
    return _ToRead(wanted, whole, single, deployment_places)


def look_at(
    cluster: Cluster,
    resolved: Resolved,
    kinds: Kinds,
    *,
    raw: bool,
    strategy: str,
    versions: bool = False,
    lenient: bool = False,
) -> Live:
    """The live objects of every kind and namespace that the manifests name, and what decides about them.

    With `versions` Deployments have names that only a list of all can tell. What the account may not read is an error
    unless `lenient`.
    """
    asked = _to_read(resolved, kinds, raw=raw)
    live = Live()

    def read(key: Key) -> Json | None:
        try:
            return cluster.get(resolved.resources[key], key.namespace, key.name)
        except ApiError as error:
            if error.status != 403 or not lenient:
                raise
            live.unreadable.add(key)
            return None

    lists = parallel.each(
        _lister(cluster, asked.wanted, read, live.notes, whole=versions),
        sorted(asked.whole, key=str),
        workers=_WORKERS,
        name=cluster.name,
    )
    ones = parallel.each(read, asked.single, workers=_WORKERS, name=cluster.name)
    for body in [*(body for bodies in lists for body in bodies), *(body for body in ones if body)]:
        live.objects[key_of(body)] = body
    declared = [(key.namespace, manifest.body) for key, manifest in resolved.keyed]
    live.scaled = scaled([*((key.namespace, body) for key, body in live.objects.items()), *declared])
    live.deployments = tuple(body for key, body in live.objects.items() if key.group_kind == DEPLOYMENT.group_kind)
    if any(labels_of(body).get(STRATEGY) not in {None, strategy} for body in live.deployments):
        pairs = [(REPLICA_SET, place) for place in sorted(asked.deployment_places)]
        found = parallel.each(
            _lister(cluster, {}, read, live.notes, whole=False), pairs, workers=_WORKERS, name=cluster.name
        )
        live.replica_sets = tuple(body for bodies in found for body in bodies)
    return live


def _lister(
    cluster: Cluster,
    wanted: dict[tuple[Resource, str], list[Key]],
    read_one: Callable[[Key], Json | None],
    notes: list[str],
    *,
    whole: bool,
) -> Callable[[tuple[Resource, str]], list[Json]]:
    def read(pair: tuple[Resource, str]) -> list[Json]:
        resource, namespace = pair
        try:
            return cluster.list_all(resource, namespace)[0]
        except ApiError as error:
            if error.status == 404:
                return []  # a kind that the run itself will define
            if error.status != 403 or resource.group_kind == JOB or (whole and resource == DEPLOYMENT):
                raise
            if resource.group_kind in SCALERS:
                notes.append(
                    f"the account may not list {resource.plural} in {namespace}, so replicas are written as the"
                    " manifests say, also where something scales them"
                )
            # An account may read single objects only.
            found = [read_one(key) for key in wanted.get(pair, [])]
            return [body for body in found if body]

    return read


def find_leftovers(cluster: Cluster, inventory: Inventory | None, current: Iterable[Key], kinds: Kinds) -> list[Key]:
    """What an earlier run applied, the folder no longer holds, and the cluster still has.

    An older generation of a Job that the folder still holds is none.
    """
    present = set(current)
    candidates = sorted((inventory.objects if inventory else frozenset()) - present)

    places: dict[tuple[Resource, str], list[Key]] = {}
    for key in candidates:
        resource = kinds.preferred(key.group_kind)
        if resource is not None:
            places.setdefault((resource, key.namespace), []).append(key)

    def still_there(place: tuple[tuple[Resource, str], list[Key]]) -> list[Key]:
        (resource, namespace), keys = place
        bodies = _read_some(cluster, resource, namespace, keys)
        return [key for key in keys if key in bodies and not _is_old_job(key, bodies[key], present)]

    found = parallel.each(still_there, places.items(), workers=_WORKERS, name=cluster.name)
    return sorted(key for keys in found for key in keys)


def _read_some(cluster: Cluster, resource: Resource, namespace: str, keys: list[Key]) -> dict[Key, Json]:
    """These objects, as far as they are there: one by one where they are few, else by one list."""
    if len(keys) > _FEW:
        try:
            return {key_of(body): body for body in cluster.list_all(resource, namespace)[0]}
        except ApiError as error:
            if error.status not in {403, 404}:
                raise
    try:
        bodies = [cluster.get(resource, namespace, key.name) for key in keys]
    except ApiError as error:
        if error.status != 403:
            raise
        return {}  # what the account may not see may still be there; nobody can say
    return {key_of(body): body for body in bodies if body is not None}


def _is_old_job(key: Key, body: Json, present: set[Key]) -> bool:
    """Whether this is an older generation of a Job that the folder still holds."""
    if key.group_kind != JOB:
        return False
    name = annotations_of(body).get(ORIGINAL_NAME)
    return any(other.group_kind == JOB and _is_generation(other, key, name) for other in present)


def _is_generation(current: Key, old: Key, original_name: str | None) -> bool:
    """Whether `current` is a later generation of the Job whose original name is given."""
    return (
        original_name is not None
        and current.namespace == old.namespace
        and current.name.rpartition("-")[0] == old.name.rpartition("-")[0]
    )
