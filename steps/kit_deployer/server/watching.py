# SPDX-License-Identifier: MIT
"""A picture of a cluster that keeps itself up to date: one watch per kind and namespace, each in its thread."""

import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kit_core.errors import KitError, WorkError
from kit_deployer.health.model import JOB, Event, Snapshot
from kit_deployer.health.pods import condition
from kit_deployer.objects import Json, Key, key_of
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.connection import Response
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, Stopped

PODS: Final = Resource("", "v1", "Pod", "pods", namespaced=True)
EVENTS: Final = Resource("", "v1", "Event", "events", namespaced=True)
NODES: Final = Resource("", "v1", "Node", "nodes", namespaced=False)
STORAGE_CLASSES: Final = Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)

_DISPENSABLE: Final = {
    EVENTS: "events in {place}, so causes may stay unknown",
    NODES: "nodes, so a DaemonSet's pods on nodes that are down are awaited too",
    STORAGE_CLASSES: "storage classes, so whether a claim waits for its first pod is known from its events only",
}
"""What health can do without where the account may not read it, and what is missing then."""

Pair = tuple[Resource, str]


class Picture:
    """The objects of some kinds and namespaces, kept up to date until `close`. `notes` tell what may not be read."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._changed = threading.Condition()
        self._objects: dict[Pair, dict[Key, Json]] = {}
        self._events: dict[tuple[str, str], Event] = {}
        self._errors: list[KitError] = []
        self._streams: dict[Pair, Response] = {}
        self._closed = threading.Event()
        self.notes: list[str] = []

    def open(self, pairs: Sequence[Pair]) -> None:
        """Begin to watch; returns when everything has been read once."""
        ready = [self._start(pair) for pair in pairs if pair not in self._objects]
        for begun in ready:
            while not begun.wait(0.2):
                if self._cluster.stopping or self._errors:
                    break
        self._raise()

    def _start(self, pair: Pair) -> threading.Event:
        self._objects[pair] = {}
        begun = threading.Event()
        name = f"{self._cluster.name}-watch-{pair[0].plural}"
        threading.Thread(target=self._keep, args=(pair, begun), name=name, daemon=True).start()
        return begun

    def snapshot(self) -> Snapshot:
        """Everything as it is known now. Raises the error that ended a watch."""
        self._raise()
        with self._changed:
            objects: dict[Key, Json] = {}
            for found in self._objects.values():
                objects |= found
            return Snapshot(objects, tuple(self._events.values()))

    def wait(self, seconds: float) -> bool:
        """Until something changes, at most so long; whether it did."""
        with self._changed:
            return self._changed.wait(seconds)

    def close(self) -> None:
        """End all watches."""
        self._closed.set()
        for stream in list(self._streams.values()):
            with contextlib.suppress(Exception):
                stream.shutdown()

    def _raise(self) -> None:
        if self._errors:
            raise self._errors[0]

    def _keep(self, pair: Pair, begun: threading.Event) -> None:
        """List, then watch from there; again from the list when the server has forgotten where we were."""
        import urllib3

        version = ""
        while not self._closed.is_set():
            try:
                if not version:
                    version = self._list(pair)
                    begun.set()
                version = self._follow(pair, version)
            except Stopped:
                break
            except ApiError as error:
                if error.status == 410:
                    version = ""
                elif error.status == 403 and pair[0] in _DISPENSABLE:
                    self.notes.append(f"the account may not read {_DISPENSABLE[pair[0]].format(place=pair[1])}")
                    break
                else:
                    self._fail(error)
                    break
            except KitError as error:
                self._fail(error)
                break
            except (urllib3.exceptions.HTTPError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                if not begun.is_set():
                    self._fail(_senseless(pair, self._cluster.name, error))
                    break
                # A stream that breaks is read anew: the list tells what was missed.
                version = ""
                self._closed.wait(0.2)
        begun.set()

    def _fail(self, error: KitError) -> None:
        with self._changed:
            if not self._closed.is_set():
                self._errors.append(error)
            self._changed.notify_all()

    def _list(self, pair: Pair) -> str:
        items, version = self._cluster.list_all(*pair)
        with self._changed:
            if pair[0] == EVENTS:
                for item in items:
                    self._put_event(item)
            else:
                self._objects[pair] = {key_of(item): slim(item) for item in items}
            self._changed.notify_all()
        return version

    def _follow(self, pair: Pair, version: str) -> str:
        typed = {"apiVersion": pair[0].api_version, "kind": pair[0].kind}

        def opened(stream: Response) -> None:
            self._streams[pair] = stream
            if self._closed.is_set():
                stream.shutdown()

        try:
            for event in self._cluster.watch(*pair, version, opened):
                body = {**typed, **event["object"]}
                version = body["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._take(pair, event["type"], body)
                if self._closed.is_set():
                    break
        finally:
            self._streams.pop(pair, None)
        return version

    def _take(self, pair: Pair, change: str, body: Json) -> None:
        with self._changed:
            if pair[0] == EVENTS:
                if change != "DELETED":
                    self._put_event(body)
            elif change == "DELETED" and not _completed_job(body):
                self._objects[pair].pop(key_of(body), None)
            else:
                self._objects[pair][key_of(body)] = slim(body)
            self._changed.notify_all()

    def _put_event(self, body: Json) -> None:
        metadata = body["metadata"]
        self._events[(metadata.get("namespace", ""), metadata["name"])] = Event.of(body)


def _senseless(pair: Pair, cluster: str, error: Exception) -> WorkError:
    return WorkError(
        f"The list of {pair[0].plural} in {pair[1] or 'the cluster'} makes no sense",
        where=cluster,
        why=f"{type(error).__name__}: {error}",
        hint="Check that the kubeconfig's server is an API server and that nothing on the way changes answers.",
    )


def _completed_job(body: Json) -> bool:
    """A Job whose TTL removes it the moment it completes: what it was at the end is what counts."""
    return key_of(body).group_kind == JOB and condition(body, "Complete") == "True"


def slim(body: Json) -> Json:
    """What health needs of an object: a thousand pods are watched, and nobody asks for their volumes."""
    metadata: Mapping[str, Any] = body["metadata"]
    kept: Json = {**body, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}
    if body["kind"] == "Pod":
        spec = body.get("spec") or {}
        # Where a DaemonSet's pod shall run is known before it has got there.
        aim = {} if spec.get("nodeName") else {"affinity": spec.get("affinity")}
        kept["spec"] = {"nodeName": spec.get("nodeName"), **aim}
    elif body["kind"] == "Node":
        kept["spec"] = {"unschedulable": (body.get("spec") or {}).get("unschedulable")}
        kept["status"] = {"conditions": (body.get("status") or {}).get("conditions")}
    elif body["kind"] == "ReplicaSet":
        kept["spec"] = {"replicas": (body.get("spec") or {}).get("replicas")}
    return kept
