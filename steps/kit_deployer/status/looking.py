# SPDX-License-Identifier: MIT
"""One look at one cluster: what a deploy of the folder would find, and whether everything is healthy now."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kit_deployer import parallel
from kit_deployer.health.asked import asked_of
from kit_deployer.health.judge import begin, judge
from kit_deployer.health.model import Snapshot, Verdict
from kit_deployer.inputs.reading import Inputs
from kit_deployer.objects import Json, Key
from kit_deployer.options import Options
from kit_deployer.plan.order import is_workload
from kit_deployer.plan.plan import Action, to_await
from kit_deployer.rollout.preparing import Prepared, prepare
from kit_deployer.rollout.survey import REPLICA_SET
from kit_deployer.rollout.waiting import Awaited
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.failures import ApiError
from kit_deployer.server.watching import EVENTS, PODS, Pair, slim
from kit_deployer.status.model import ClusterStatus, Remark
from kit_deployer.status.telling import said

_WORKERS = 8
_PATHS = 5


def look(cluster: Cluster, inputs: Inputs, options: Options) -> ClusterStatus:
    """How the cluster is. Every request reads. Raises `WorkError` where that cannot be said."""
    options = replace(options, dry_run="read", drift="warn", force=False, create_only=False)
    prepared = prepare(cluster, inputs, options, workers=_WORKERS)
    plan, before = prepared.plan, prepared.before
    unhealthy, notes = _unhealthy(cluster, prepared, options)
    return ClusterStatus(
        name=inputs.target.name,
        server=inputs.target.server,
        namespace=inputs.target.namespace,
        commit=before.commit if before else None,
        deployed=before.updated or None if before else None,
        objects=len(plan.actions),
        unhealthy=tuple(unhealthy),
        drifted=tuple(Remark(action.key, _drift(action)) for action in plan.actions if action.state == "drifted"),
        undeployed=(
            *(Remark(item.key, "is not there") for item in plan.namespaces),
            *(Remark(action.key, _undeployed(action)) for action in plan.actions if action.do != "keep"),
        ),
        leftovers=() if inputs.index.partial else plan.leftovers,
        frozen=tuple(Remark(action.key, action.why) for action in plan.actions if action.state == "frozen"),
        notes=tuple(dict.fromkeys([*prepared.notes, *notes])),
    )


def _drift(action: Action) -> str:
    paths = ", ".join(action.paths[:_PATHS])
    more = f" and {len(action.paths) - _PATHS} more" if len(action.paths) > _PATHS else ""
    return f"{paths}{more} is not as it was applied" if paths else "is not as it was applied"


def _undeployed(action: Action) -> str:
    return "is not there" if action.do == "create" else action.why or "differs from the folder"


def _unhealthy(cluster: Cluster, prepared: Prepared, options: Options) -> tuple[list[Remark], list[str]]:
    """What is there and not healthy, with the cause; and what could not be read."""
    actions = {action.key: action for action in prepared.plan.actions}
    keys = [key for key in to_await(prepared.plan, everything=True) if actions[key].live is not None]
    awaited = {
        key: Awaited(prepared.resources[key], fresh=False, asked=asked_of(actions[key].item.manifest.body))
        for key in keys
    }
    notes: list[str] = []
    # As they are now, and not as they were when the plan was made.
    bodies = _read(cluster, {(value.resource, key.namespace) for key, value in awaited.items()}, notes)
    lost = _judged(cluster, awaited, bodies, options)
    if lost:
        bodies += _read(cluster, _behind(lost), notes)
        lost = _judged(cluster, {key: awaited[key] for key in lost}, bodies, options)
    return [Remark(key, said(verdict)) for key, verdict in sorted(lost.items())], notes


def _judged(
    cluster: Cluster, awaited: Mapping[Key, Awaited], bodies: Iterable[Json], options: Options
) -> dict[Key, Verdict]:
    """Those that are not healthy."""
    now, snapshot = time.monotonic(), Snapshot.of(bodies)
    found = {}
    for key, value in awaited.items():
        verdict, _ = judge(
            key,
            snapshot,
            begin(now),
            now,
            policy=options.waiting.policy,
            limits=options.waiting.limits,
            expected=value.expected(now, cluster.server_time, fresh=False),
        )
        if verdict.state != "ready":
            found[key] = verdict
    return found


def _behind(lost: Iterable[Key]) -> set[Pair]:
    """Where the cause of an object's state may be: its pods, who makes them, and what was told of them."""
    places = {key.namespace for key in lost if is_workload(key.group_kind)}
    return {(resource, place) for resource in (PODS, REPLICA_SET, EVENTS) for place in places}


def _read(cluster: Cluster, pairs: Iterable[Pair], notes: list[str]) -> list[Json]:
    def read(pair: Pair) -> list[Json]:
        resource, namespace = pair
        try:
            return [slim(body) for body in cluster.list_all(resource, namespace)[0]]
        except ApiError as error:
            if error.status not in {403, 404}:
                raise
            if error.status == 403:
                notes.append(f"the account may not list {resource.plural} in {namespace or 'the cluster'}")
            return []

    found = parallel.each(read, sorted(pairs, key=str), workers=_WORKERS, name=cluster.name)
    return [body for bodies in found for body in bodies]
