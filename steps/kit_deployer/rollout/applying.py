# SPDX-License-Identifier: MIT
"""Sending one planned action to the server, and saying what came of it."""

import base64
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from kit_core.errors import KitError, TimeLimitError, WorkError
from kit_core.secrets import Masker
from kit_deployer.desired.annotate import Writing, stamp
from kit_deployer.objects import Json, at, at_pointer
from kit_deployer.plan.compare import result_differences
from kit_deployer.plan.managedfields import takeover
from kit_deployer.plan.plan import Action
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, Stopped

DELETION_SECONDS = 120.0
_POLL_SECONDS = 0.2

_IMMUTABLE = "field is immutable"


@dataclass(frozen=True)
class Applied:
    """What the server made of an action."""

    action: Action
    result: Json
    seconds: float


def apply_action(
    cluster: Cluster,
    resource: Resource,
    action: Action,
    writing: Writing,
    *,
    dry_run: bool,
    guarded: bool = False,
    secrets: Iterable[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Applied:
    """Do (or with `dry_run` have the server check) what an action says. Raises `KitError` naming file and object.

    `guarded` writes only where the object still is `action.live`. `secrets` are JSON pointers of values in the manifest
    that no message may show.
    """
    begun = clock()
    body = stamp(action.item, writing)
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
        result = cluster.apply(resource, body, dry_run=dry_run)
    except ApiError as error:
        raise explained(error, action, cluster.name, secrets) from error
    return Applied(action, result, clock() - begun)


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
            finalizers = ", ".join(at(live, "metadata", "finalizers") or []) or "none"
            raise TimeLimitError(
                f"{resource.kind} {metadata['name']} was deleted and is still there",
                where=cluster.name,
                why=f"its finalizers are: {finalizers}",
                hint="Whatever owns the finalizers has to finish; see its log.",
            )
        if cluster.stopping:
            raise Stopped
        time.sleep(_POLL_SECONDS)


def _as_another(body: Json) -> Json:
    metadata = {**body["metadata"], "name": f"{body['metadata']['name'][:55]}-dry-run"}
    return {**body, "metadata": metadata}


def explained(error: ApiError, action: Action, cluster: str, secrets: Iterable[str] = ()) -> KitError:
    """The server's refusal with the manifest it is about, and what to do."""
    place = action.item.manifest.place
    hint = error.hint
    if error.status == 404 and at(error.details, "kind") == "namespaces":
        hint = f"Put a manifest of the namespace into NAMESPACES_DIR/{cluster}/ (created first), or correct its name."
    elif _IMMUTABLE in error.message:
        hint = "The field cannot be changed in place: delete the object by hand, or give the new one another name."
    elif "exceeded quota" in error.message:
        hint = "Raise the namespace's ResourceQuota, or ask for less."
    elif "failed calling webhook" in error.message:
        hint = "The admission webhook has to answer: look at its Service and its pods, or at its failurePolicy."
    elif error.status in {400, 422}:
        hint = f"Correct the manifest ({place})."
    return WorkError(
        f"{action.key} was refused by the server",
        where=f"{cluster}: {place}",
        why=_without_secrets(error.message, action, secrets),
        hint=hint,
        file=place.file,
        line=place.line,
    )


def _without_secrets(message: str, action: Action, secrets: Iterable[str]) -> str:
    """The server quotes values that it refuses; those of a Secret, or from a secret source, must not be seen."""
    body = action.item.manifest.body
    values = [at_pointer(body, pointer) for pointer in secrets]
    if action.key.kind == "Secret" and not action.key.group:
        values += (action.item.body.get("data") or {}).values()
    masker = Masker()
    for value in values:
        if isinstance(value, (str, int, float)):
            masker.add(str(value))
            with contextlib.suppress(ValueError):
                masker.add(base64.b64decode(str(value)).decode("utf-8"))
    return masker.mask(message)


def settle(cluster: Cluster, resource: Resource, action: Action, writing: Writing) -> Action:
    """Ask the server whether a suspect differs from what applying it again would make: drift, or its own spelling."""
    assert action.live is not None
    try:
        result = cluster.apply(resource, _with_kept_replicas(stamp(action.item, writing), action), dry_run=True)
    except ApiError:
        return replace(action, state="drifted", why="differs from what was applied")
    paths = result_differences(action.live, result)
    if not paths:
        return replace(action, state="same", paths=())
    return replace(action, state="drifted", why="differs from what was applied", paths=paths)
