# SPDX-License-Identifier: MIT
"""Sending one planned action to the server, and saying what came of it."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from kit_core.errors import TimeLimitError
from kit_deployer.desired.annotate import Writing, stamp
from kit_deployer.diff.foreseen import foresee, without_released
from kit_deployer.objects import Json, at, listed
from kit_deployer.plan.compare import result_differences
from kit_deployer.plan.plan import Action
from kit_deployer.plan.replacing import changed_fields, propagation, wants_replacing, why_not
from kit_deployer.plan.takeover import managers, takeover, takeover_of_the_unrecorded
from kit_deployer.rollout.refusals import READ_ONLY, conflicts, explained, refusing_webhook
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, Stopped

DELETION_SECONDS = 120.0
_POLL_SECONDS = 0.2
_NEW_KIND_SECONDS = 10.0
_UNKNOWN_KIND = "could not find the requested resource"


@dataclass(frozen=True)
class Applied:
    """What the server made of an action, and what it was sent."""

    action: Action
    result: Json
    seconds: float
    sent: Json


def apply_action(
    cluster: Cluster,
    resource: Resource,
    action: Action,
    writing: Writing,
    *,
    dry_run: bool,
    guarded: bool = False,
    force: bool = True,
    secrets: Iterable[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Applied:
    """Do (or with `dry_run` have the server check) what an action says. Raises `KitError` naming file and object.

    `guarded` writes only where the object still is `action.live`; without `force` fields that others own are conflicts.
    `secrets` are JSON pointers of values in the manifest that no message may show. The action in what is returned may
    say more than the one given.
    """
    begun = clock()
    sent = body = stamp(action.item, writing)
    if guarded and action.live is not None:
        body = _as_version(body, action.live)
    try:
        if action.do == "rerun" and action.live is not None and not dry_run:
            cluster.delete(resource, action.live)
            wait_until_gone(cluster, resource, action.live, clock=clock)
        elif action.managed_fields is not None and action.live is not None and not dry_run:
            taken = _take_over(cluster, resource, action, again=not guarded)
            body = _as_version(body, taken) if guarded and taken is not None else body
        if action.do == "rerun" and dry_run:
            # The live one is still there; as another object the server can check it all the same.
            body = _as_another(body)
        if dry_run:
            body = _with_kept_replicas(body, action)
        result = _apply(cluster, resource, body, action, dry_run=dry_run, force=force, clock=clock)
        if dry_run:
            action, result = _after_takeover(cluster, resource, body, action, result)
        else:
            result = _take_over_the_unrecorded(cluster, resource, body, action, result)
    except ApiError as error:
        if action.live is None or not _replaceable(error, action):
            raise explained(error, action, cluster.name, secrets) from error
        try:
            action, result = _replace(cluster, resource, action, action.live, body, error, dry_run=dry_run, clock=clock)
        except ApiError as again:
            raise explained(again, action, cluster.name, secrets) from again
    return Applied(action, result, clock() - begun, sent)


def _apply(
    cluster: Cluster,
    resource: Resource,
    body: Json,
    action: Action,
    *,
    dry_run: bool,
    force: bool,
    clock: Callable[[], float],
) -> Json:
    end = clock() + _NEW_KIND_SECONDS
    while True:
        try:
            return cluster.apply(resource, body, dry_run=dry_run, force=force)
        except ApiError as error:
            # Of several API servers not every one serves a new kind as soon as it is established.
            unknown = error.status == 404 and _UNKNOWN_KIND in error.message
            if not unknown or clock() >= end:
                return _apply_all_the_same(cluster, resource, body, action, error, dry_run=dry_run)
        if cluster.stopping:
            raise Stopped
        time.sleep(_POLL_SECONDS)


def _apply_all_the_same(
    cluster: Cluster, resource: Resource, body: Json, action: Action, error: ApiError, *, dry_run: bool
) -> Json:
    """A dry run takes nothing over: what a real one would take is no conflict. Raises the error for anything else."""
    others = {manager for manager, _ in conflicts(error)}
    if not dry_run or action.managed_fields is None or not others or others - managers(action.live or {}):
        raise error
    return cluster.apply(resource, body, dry_run=True)


def _take_over_the_unrecorded(cluster: Cluster, resource: Resource, body: Json, action: Action, result: Json) -> Json:
    """An object of old, of whose fields nobody had kept account: now that the server does, its removed keys go too."""
    if action.live is None or action.do != "change":
        return result
    keeps = "replicas" not in (body.get("spec") or {})
    fields = takeover_of_the_unrecorded(action.live, result, keep_replicas=keeps)
    if fields is None:
        return result
    cluster.take_over(resource, result, fields)
    return cluster.apply(resource, _unversioned(body))


def _after_takeover(
    cluster: Cluster, resource: Resource, body: Json, action: Action, result: Json
) -> tuple[Action, Json]:
    """What a dry run cannot show, since it takes nothing over: the object without what goes then, and a list of that.

    Where we may, the server is asked to fill in what it has defaults for; that is no change.
    """
    if action.live is None or action.managed_fields is None:
        return action, result
    result = without_released(result, body, action.live, action.managed_fields)
    with contextlib.suppress(ApiError):
        result = cluster.replace(resource, result, dry_run=True)
    paths = result_differences(action.live, result)
    return replace(action, why=f"{action.why}: {', '.join(paths)}" if paths else action.why), result


def _replaceable(error: ApiError, action: Action) -> bool:
    """Whether the object may be deleted and created anew, since the server does not change it in place."""
    if error.status != 422 or action.do != "change" or action.live is None:
        return False
    return wants_replacing(action.item.manifest) and not why_not(action.item.manifest, action.key, action.live)


def _replace(
    cluster: Cluster,
    resource: Resource,
    action: Action,
    live: Json,
    body: Json,
    refused: ApiError,
    *,
    dry_run: bool,
    clock: Callable[[], float],
) -> tuple[Action, Json]:
    """Delete the object and create it anew, once it is clear that the server takes the new one.

    A run that is killed in between leaves nothing behind that the next one would not create.
    """
    body = _unversioned(body)
    try:
        result = cluster.apply(resource, _as_another(body), dry_run=True)
    except ApiError as error:
        # An address or a port that the old object holds is free once that is gone; so is its share of a quota.
        if error.status == 422 and "already allocated" not in error.message:
            raise refused from error
        result = _as_another(body)
    changed = changed_fields(body, live, listed(refused.details, "causes"))
    action = replace(action, why=f"deleted and created anew: {changed or 'a field'} cannot be changed in place")
    if dry_run:
        return action, {**result, "metadata": {**result["metadata"], "name": action.key.name}}
    cluster.delete(resource, live, propagation=propagation(action.key))
    wait_until_gone(cluster, resource, live, clock=clock)
    return action, cluster.apply(resource, body)


def _take_over(cluster: Cluster, resource: Resource, action: Action, *, again: bool) -> Json | None:
    """Become the owner of what client-side tools wrote. With `again` somebody else's change meanwhile is read, once.

    Returns the object as it is then.
    """
    assert action.live is not None
    assert action.managed_fields is not None
    try:
        return cluster.take_over(resource, action.live, action.managed_fields)
    except ApiError as error:
        if error.status not in {409, 422} or not again:
            raise
        live = cluster.get(resource, action.key.namespace, action.key.name)
        keeps = "replicas" not in (action.item.body.get("spec") or {})
        fields = takeover(live, keep_replicas=keeps) if live else None
        return cluster.take_over(resource, live, fields) if live is not None and fields is not None else live


def _as_version(body: Json, live: Json) -> Json:
    """The body that the server takes only for this very version of the object."""
    return {**body, "metadata": {**body["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}}


def _unversioned(body: Json) -> Json:
    return {**body, "metadata": {name: value for name, value in body["metadata"].items() if name != "resourceVersion"}}


def _with_kept_replicas(body: Json, action: Action) -> Json:
    """For a dry run, which writes no managedFields: `replicas` that the real run would let go of keep their number."""
    replicas = at(action.live, "spec", "replicas")
    if action.managed_fields is None or replicas is None or at(body, "spec", "replicas") is not None:
        return body
    return {**body, "spec": {**(body.get("spec") or {}), "replicas": replicas}}


def wait_until_gone(
    cluster: Cluster, resource: Resource, body: Json, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Until the very object that was deleted is gone. Raises `TimeLimitError` naming what holds it."""
    metadata = body["metadata"]
    end = clock() + DELETION_SECONDS
    while True:
        live = cluster.get(resource, metadata.get("namespace", ""), metadata["name"])
        if live is None or live["metadata"]["uid"] != metadata["uid"]:
            return
        if clock() >= end:
            finalizers = ", ".join(listed(live, "metadata", "finalizers")) or "none"
            raise TimeLimitError(
                f"{resource.kind} {metadata['name']} was deleted and is still there after {DELETION_SECONDS:.0f} s",
                where=cluster.name,
                why=f"its finalizers are: {finalizers}",
                hint="Whatever owns the finalizers has to finish, see its log; or run this again later.",
            )
        if cluster.stopping:
            raise Stopped
        time.sleep(_POLL_SECONDS)


def _as_another(body: Json) -> Json:
    metadata = {**body["metadata"], "name": f"{body['metadata']['name'][:55]}-dry-run"}
    return {**body, "metadata": metadata}


def settle(cluster: Cluster, resource: Resource, action: Action, writing: Writing, *, read_only: bool) -> Action:
    """Ask the server whether a suspect differs from what applying it again would make: drift, or its own spelling.

    With `read_only`, or where a webhook refuses dry runs, what is foreseen without the server decides.
    """
    assert action.live is not None
    body = _with_kept_replicas(stamp(action.item, writing), action)
    why = READ_ONLY if read_only else ""
    try:
        result = None if read_only else cluster.apply(resource, body, dry_run=True)
    except ApiError as error:
        result, why = None, refusing_webhook(error)
        if not why:
            return replace(action, state="drifted", why="differs from what was applied")
    if result is None:
        result = foresee(body, action.live, action.managed_fields)
        action = replace(action, unchecked=why)
    assert action.live is not None
    paths = result_differences(action.live, result)
    if not paths:
        return replace(action, state="same", paths=())
    return replace(action, state="drifted", why="differs from what was applied", paths=paths, settled=result)
