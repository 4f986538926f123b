# SPDX-License-Identifier: MIT
"""The moment in which a new version takes over: Services switch only to pods that are ready, and only where no newer
run has switched them; what is deleted afterwards is needed by none of them.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from kit_core.errors import WorkError
from kit_deployer.health.pods import condition
from kit_deployer.objects import Json, Key, at, key_of, labels_of
from kit_deployer.options import Options
from kit_deployer.plan.plan import Action, Outdated
from kit_deployer.plan.takeover import takeover
from kit_deployer.rollout.applying import Applied, apply_action
from kit_deployer.rollout.refusals import conflicts
from kit_deployer.rollout.survey import DEPLOYMENT as DEPLOYMENTS
from kit_deployer.rollout.survey import REPLICA_SET
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, Stopped
from kit_deployer.server.watching import PODS
from kit_deployer.strategies.fast_rollback import refusal
from kit_deployer.strategies.model import DEPLOYMENT, users

SERVICES: Final = Resource("", "v1", "Service", "services", namespaced=True)
SLICES: Final = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", namespaced=True)

_TRIES: Final = 5
_ENDPOINTS_SECONDS: Final = 30.0
_NODES_SECONDS: Final = 3.0
"""How long nodes may take to learn of a Service's new pods after the control plane has written them down: kube-proxy
collects changes for a second, and nobody tells when the last node has followed."""
_POLL_SECONDS: Final = 0.2


def check_ready(cluster: Cluster, action: Action) -> None:
    """Raise `WorkError` where a Service's new selector matches no ready pod: it would answer nobody."""
    selector = at(action.item.body, "spec", "selector")
    if not action.item.serves or not selector:
        return
    wanted = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
    pods = cluster.list_all(PODS, action.key.namespace, labels=wanted)[0]
    if any(condition(pod, "Ready") == "True" and "deletionTimestamp" not in pod["metadata"] for pod in pods):
        return
    raise _kept(
        cluster,
        action,
        f"no ready pod has the labels of its new selector ({wanted}; pods with them: {len(pods)})",
        "Deploy the Deployment together with its Service; scale it up where it has no replicas.",
    )


def switch(
    cluster: Cluster,
    resource: Resource,
    action: Action,
    options: Options,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Applied:
    """Apply one that waited, provided that it still is what the decision was made on: compare and swap.

    Raises `WorkError` where a newer run, or somebody else, has changed it meanwhile.
    """
    seen = action.live
    assert seen is not None
    for _ in range(_TRIES):
        live = cluster.get(resource, action.key.namespace, action.key.name)
        why = refusal(seen, live, wanted=action.item.body, now=options.writing.now, force=options.force)
        if why:
            raise _kept(cluster, action, why, "Look at what it runs now; run this again if it shall replace that.")
        fields = takeover(live, keep_replicas=False) if live else None
        found = replace(action, live=live, managed_fields=fields)
        try:
            return apply_action(
                cluster,
                resource,
                found,
                options.writing,
                dry_run=False,
                guarded=True,
                force=options.conflicts == "force",
                clock=clock,
            )
        except WorkError as error:
            cause = error.__cause__
            # 422 is how the server says that a test in a patch failed: here, that of the version.
            if (
                not isinstance(cause, ApiError)
                or conflicts(cause)
                or cause.status not in ({409} if fields is None else {409, 422})
            ):
                raise
    raise _kept(cluster, action, f"it changed {_TRIES} times while it was being switched", "Run this again.")


def _kept(cluster: Cluster, action: Action, why: str, hint: str) -> WorkError:
    place = action.item.manifest.place
    return WorkError(
        f"{action.key} was not switched and stays as it is",
        where=f"{cluster.name}: {place}",
        why=why,
        hint=hint,
        file=place.file,
        line=place.line,
    )


def left_behind(switched: Iterable[Action], outdated: Iterable[Outdated]) -> list[Json]:
    """The Services that, until they were switched, sent their requests to what is about to go."""
    leaving = [gone.body for gone in outdated if gone.key.group_kind == DEPLOYMENT]
    return [
        action.item.body
        for action in switched
        if action.item.serves and action.live is not None
        if any(users(body, [(action.key, action.live)]) for body in leaving)
    ]


def await_endpoints(
    cluster: Cluster, services: Iterable[Json], gone: Iterable[Outdated], *, clock: Callable[[], float]
) -> None:
    """Until switched Services send nothing more to what is about to go, and the nodes have had time to follow."""
    leaving = [labels_of(at(outdated.body, "spec", "template") or {}) for outdated in gone]
    end = clock() + _ENDPOINTS_SECONDS
    for service in services:
        while _still_sent_to(cluster, service, leaving) and clock() < end:
            _pause(cluster, _POLL_SECONDS)
    until = clock() + _NODES_SECONDS
    while clock() < until:
        _pause(cluster, _POLL_SECONDS)


def _still_sent_to(cluster: Cluster, service: Json, leaving: list[dict[str, str]]) -> bool:
    key = key_of(service)
    try:
        slices = cluster.list_all(SLICES, key.namespace, labels=f"kubernetes.io/service-name={key.name}")[0]
        names = {at(endpoint, "targetRef", "name") for found in slices for endpoint in found.get("endpoints") or []}
        pods = cluster.list_all(PODS, key.namespace)[0] if names else []
    except ApiError as error:
        if error.status in {403, 404}:
            return False
        raise
    return any(
        pod["metadata"]["name"] in names and any(labels.items() <= labels_of(pod).items() for labels in leaving)
        for pod in pods
    )


def _pause(cluster: Cluster, seconds: float) -> None:
    if cluster.stopping:
        raise Stopped
    time.sleep(seconds)


def remove(cluster: Cluster, outdated: Iterable[Outdated]) -> tuple[list[Outdated], list[str]]:
    """Delete what is outdated, except what a Service needs by now; what went, and notes on what did not."""
    outdated = list(outdated)
    places = sorted({gone.key.namespace for gone in outdated})
    services: list[tuple[Key, Json]] = []
    went, notes = [], []
    for place in places:
        try:
            services += [(key_of(body), body) for body in cluster.list_all(SERVICES, place)[0]]
        except ApiError as error:
            if error.status != 403:
                raise
            notes.append(f"the account may not list services in {place}: who needs old Deployments is as it was before")
    for gone in outdated:
        needing = users(gone.body, services) if gone.key.group_kind == DEPLOYMENT else []
        if needing:
            notes.append(f"{gone.key} ({gone.why}) is kept: {needing[0]} needs its pods by now")
            continue
        cluster.delete(DEPLOYMENTS if gone.key.group_kind == DEPLOYMENT else REPLICA_SET, gone.body)
        went.append(gone)
    return went, notes
