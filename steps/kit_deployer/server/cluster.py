# SPDX-License-Identifier: MIT
"""The one place that talks to an API server: every request of a deploy is one of these (`sending` has its retries).

Plain JSON over pooled connections; the generated classes of the kubernetes client are not used, since any kind must
pass and nothing may be lost. A `Cluster` may be used from several threads.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlencode

from kit_deployer.objects import Json, at, key_of
from kit_deployer.plan.managedfields import MANAGER
from kit_deployer.server.connection import Connection, Response
from kit_deployer.server.discovery import (
    AGGREGATED,
    Kinds,
    Resource,
    aggregated_resources,
    is_aggregated,
    listed_resources,
)
from kit_deployer.server.failures import ApiError, api_error
from kit_deployer.server.sending import Backoff, Sender

PAGE: Final = 500
WATCH_SECONDS: Final = 240
"""How long the server keeps a watch; it is renewed without a gap."""

_APPLY: Final = "application/apply-patch+yaml"
_JSON_PATCH: Final = "application/json-patch+json"


class Cluster:
    """One cluster's API. `tell` is given a line for the log where a person should know why nothing happens.

    `rate` is how many requests a second it gets at most (0: no limit); after `deadline` none is sent again.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        backoff: Backoff,
        stop: threading.Event,
        tell: Callable[[str], None] = lambda _text: None,
        rate: float = 0.0,
        deadline: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._sender = Sender(
            name, connection, backoff=backoff, stop=stop, tell=tell, rate=rate, deadline=deadline, clock=clock
        )

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._sender.server

    @property
    def server_time(self) -> float:
        """What the server's clock says now, in seconds since 1970."""
        return self._sender.server_time

    @property
    def stopping(self) -> bool:
        """Whether the run was told to end."""
        return self._sender.stopping

    @property
    def requests(self) -> int:
        """How many requests have been sent."""
        return self._sender.requests

    def discover(self, api_versions: set[str]) -> Kinds:
        """The kinds of the cluster; where it cannot tell all at once, those of `api_versions`."""
        headers = {"Accept": AGGREGATED}
        answers = [self._sender.json("GET", path, doing="Discovery", headers=headers) for path in ("/api", "/apis")]
        if all(map(is_aggregated, answers)):
            return Kinds(resource for answer in answers for resource in aggregated_resources(answer))
        found: list[Resource] = []
        for version in sorted(api_versions | {"v1"}):
            path = f"/apis/{version}" if "/" in version else f"/api/{version}"
            answer = self._sender.found("GET", path, doing=f"Discovery of {version}")
            found += listed_resources(answer, version) if answer else []
        return Kinds(found)

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """One object, or None where there is none."""
        return self._sender.found("GET", resource.path(namespace, name), doing=f"Reading {resource.kind} {name}")

    def list_all(self, resource: Resource, namespace: str = "", *, labels: str = "") -> tuple[list[Json], str]:
        """All objects of a kind (in a namespace) and the version of the list. Pages of 500."""
        items: list[Json] = []
        query: dict[str, str] = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            path = f"{resource.path(namespace)}?{urlencode(query)}"
            page = self._sender.json("GET", path, doing=f"Listing {resource.plural}")
            # Lists leave these two out of their items.
            typed = {"apiVersion": resource.api_version, "kind": resource.kind}
            items += [{**typed, **item} for item in page.get("items") or []]
            following = at(page, "metadata", "continue")
            if not following:
                return items, at(page, "metadata", "resourceVersion") or ""
            query["continue"] = following

    def apply(self, resource: Resource, body: Json, *, dry_run: bool = False, force: bool = True) -> Json:
        """Server-side apply: what the server made of it. Without `force` a field that others own is a conflict."""
        metadata = body["metadata"]
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        return self._sender.json(
            "PATCH",
            f"{path}?{urlencode(query)}",
            body=body,
            headers={"Content-Type": _APPLY},
            doing=f"Applying {resource.kind} {metadata['name']}",
        )

    def replace(self, resource: Resource, body: Json, *, dry_run: bool) -> Json:
        """Write a whole object in place of the one that has its version: what the server made of it."""
        metadata = body["metadata"]
        query = {"fieldManager": MANAGER} | ({"dryRun": "All"} if dry_run else {})
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        doing = f"Replacing {resource.kind} {metadata['name']}"
        return self._sender.json("PUT", f"{path}?{urlencode(query)}", body=body, doing=doing)

    def take_over(self, resource: Resource, live: Json, managed_fields: list[Json]) -> Json:
        """Replace `managedFields`, provided that the object is still the one that was read; the object after that."""
        metadata = live["metadata"]
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": managed_fields},
        ]
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        return self._sender.json(
            "PATCH",
            f"{path}?{urlencode({'fieldManager': MANAGER})}",
            body=patch,
            headers={"Content-Type": _JSON_PATCH},
            doing=f"Taking over the fields of {resource.kind} {metadata['name']}",
        )

    def create(self, resource: Resource, body: Json, *, dry_run: bool = False) -> Json | None:
        """Create an object; None where it exists already."""
        query = {"fieldManager": MANAGER} | ({"dryRun": "All"} if dry_run else {})
        metadata = body["metadata"]
        try:
            return self._sender.json(
                "POST",
                f"{resource.path(metadata.get('namespace', ''))}?{urlencode(query)}",
                body=body,
                doing=f"Creating {resource.kind} {metadata['name']}",
            )
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return None
            raise

    def delete(self, resource: Resource, live: Json, *, propagation: str = "Background", dry_run: bool = False) -> None:
        """Delete the very object that was read (by uid); one that is gone already is fine."""
        key = key_of(live)
        body: Json = {"propagationPolicy": propagation, "preconditions": {"uid": live["metadata"]["uid"]}}
        if dry_run:
            body["dryRun"] = ["All"]
        try:
            self._sender.found("DELETE", resource.path(key.namespace, key.name), body=body, doing=f"Deleting {key}")
        except ApiError as error:
            if error.reason != "Conflict":
                raise

    def logs(self, pods: Resource, pod: Json, container: str, *, previous: bool, lines: int) -> str:
        """The last lines of a container's log. Raises `ApiError` where there is none to be had."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": "65536"}
        query |= {"previous": "true"} if previous else {}
        key = key_of(pod)
        path = f"{pods.path(key.namespace, key.name, 'log')}?{urlencode(query)}"
        response = self._sender.send("GET", path, doing=f"Reading the log of {key}", headers={"Accept": "*/*"}, tries=1)
        return response.data.decode("utf-8", "replace")

    def watch(
        self, resource: Resource, namespace: str, version: str, opened: Callable[[Response], None]
    ) -> Iterator[Json]:
        """Watch events after `version` until the server ends the stream. `opened` gets what can be shut down.

        Raises `ApiError` (410: list again) and urllib3's errors for a stream that breaks.
        """
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        path = f"{resource.path(namespace)}?{urlencode(query)}"
        response = self._sender.send(
            "GET", path, doing=f"Watching {resource.plural}", stream_seconds=WATCH_SECONDS + 30.0
        )
        opened(response)
        try:
            rest = b""
            for piece in response.stream(65536):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = at(event, "object", "code") or 500
                        raise api_error(
                            status, json.dumps(event["object"]).encode(), where=self.name, doing="Watching", json=json
                        )
                    yield event
        finally:
            response.close()
