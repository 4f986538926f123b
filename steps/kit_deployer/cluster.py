# SPDX-License-Identifier: MIT
"""The one place that talks to an API server: every request of a deploy passes here, with its retries and limits.

Plain JSON over pooled connections; the generated classes of the kubernetes client are not used, since any kind must
pass and nothing may be lost. A `Cluster` may be used from several threads.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from kit_core.errors import WorkError
from kit_deployer.connection import Connection, Response
from kit_deployer.discovery import (
    AGGREGATED,
    Kinds,
    Resource,
    aggregated_resources,
    is_aggregated,
    listed_resources,
)
from kit_deployer.failures import RETRIED_STATUS, ApiError, Stopped, api_error, retried, transport_error
from kit_deployer.managedfields import MANAGER
from kit_deployer.objects import Json, at, key_of

PAGE: Final = 500
WATCH_SECONDS: Final = 240
"""How long the server keeps a watch; it is renewed without a gap."""

_APPLY: Final = "application/apply-patch+yaml"
_JSON_PATCH: Final = "application/json-patch+json"


@dataclass(frozen=True)
class Backoff:
    """How often and how patiently a failed request is sent again: `tries` more times, `first` to `longest` seconds."""

    tries: int = 10
    first: float = 1.0
    longest: float = 30.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (1 is the first)."""
        return float(min(self.longest, self.first * 2 ** (failures - 1)))


class Cluster:
    """One cluster's API. `tell` is given a line for the log where a person should know why nothing happens."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        backoff: Backoff,
        stop: threading.Event,
        tell: Callable[[str], None] = lambda _text: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.requests = 0
        self._connection = connection
        self._backoff = backoff
        self._stop = stop
        self._tell = tell
        self._clock = clock
        self._wall = wall
        self._ahead = 0.0
        self._not_before = 0.0

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._connection.server

    @property
    def server_time(self) -> float:
        """What the server's clock says now (seconds since 1970): objects carry its times, and clocks differ."""
        return self._wall() + self._ahead

    @property
    def stopping(self) -> bool:
        """Whether the run was told to end."""
        return self._stop.is_set()

    # What a deploy does

    def discover(self, api_versions: set[str]) -> Kinds:
        """The kinds of the cluster; where it cannot tell all at once, those of `api_versions`."""
        headers = {"Accept": AGGREGATED}
        answers = [self._json("GET", path, doing="Discovery", headers=headers) for path in ("/api", "/apis")]
        if all(map(is_aggregated, answers)):
            return Kinds(resource for answer in answers for resource in aggregated_resources(answer))
        found: list[Resource] = []
        for version in sorted(api_versions | {"v1"}):
            path = f"/apis/{version}" if "/" in version else f"/api/{version}"
            answer = self._found("GET", path, doing=f"Discovery of {version}")
            found += listed_resources(answer, version) if answer else []
        return Kinds(found)

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """One object, or None where there is none."""
        return self._found("GET", resource.path(namespace, name), doing=f"Reading {resource.kind} {name}")

    def list_all(self, resource: Resource, namespace: str = "", *, labels: str = "") -> tuple[list[Json], str]:
        """All objects of a kind (in a namespace) and the version of the list. Pages of 500."""
        items: list[Json] = []
        query: dict[str, str] = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            path = f"{resource.path(namespace)}?{urlencode(query)}"
            page = self._json("GET", path, doing=f"Listing {resource.plural}")
            # Lists leave these two out of their items.
            typed = {"apiVersion": resource.api_version, "kind": resource.kind}
            items += [{**typed, **item} for item in page.get("items") or []]
            following = at(page, "metadata", "continue")
            if not following:
                return items, at(page, "metadata", "resourceVersion") or ""
            query["continue"] = following

    def apply(self, resource: Resource, body: Json, *, dry_run: bool = False) -> Json:
        """Server-side apply, forced: what the server made of it."""
        metadata = body["metadata"]
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        return self._json(
            "PATCH",
            f"{path}?{urlencode(query)}",
            body=body,
            headers={"Content-Type": _APPLY},
            doing=f"Applying {resource.kind} {metadata['name']}",
        )

    def take_over(self, resource: Resource, live: Json, managed_fields: list[Json]) -> None:
        """Replace `managedFields`, provided that the object is still the one that was read."""
        metadata = live["metadata"]
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": managed_fields},
        ]
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        self._json(
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
            return self._json(
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
            self._found("DELETE", resource.path(key.namespace, key.name), body=body, doing=f"Deleting {key}")
        except ApiError as error:
            if error.reason != "Conflict":
                raise

    def logs(self, pods: Resource, pod: Json, container: str, *, previous: bool, lines: int) -> str:
        """The last lines of a container's log. Raises `ApiError` where there is none to be had."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": "65536"}
        query |= {"previous": "true"} if previous else {}
        key = key_of(pod)
        path = f"{pods.path(key.namespace, key.name, 'log')}?{urlencode(query)}"
        response = self._send("GET", path, doing=f"Reading the log of {key}", headers={"Accept": "*/*"})
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
        response = self._send("GET", path, doing=f"Watching {resource.plural}", stream_seconds=WATCH_SECONDS + 30.0)
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

    # How a request is sent

    def _json(self, method: str, path: str, **options: Any) -> Json:
        response = self._send(method, path, **options)
        try:
            return dict(json.loads(response.data))
        except ValueError as error:
            raise WorkError(
                f"{options['doing']} failed",
                where=self.name,
                why=f"{self.server} answered with something else than JSON",
                hint="Check that the kubeconfig's server is an API server and no login page of a proxy.",
            ) from error

    def _found(self, method: str, path: str, **options: Any) -> Json | None:
        try:
            return self._json(method, path, **options)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        stream_seconds: float | None = None,
    ) -> Response:
        """Send until there is an answer that sending again would not change."""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        sent = {"Content-Type": "application/json", **(headers or {})} if data is not None else headers
        failures = 0
        renewed = False
        while True:
            self._wait_for_turn()
            self.requests += 1
            response, token, error = self._once(method, path, data, sent, stream_seconds)
            if response is not None and 200 <= response.status < 300:
                return response
            if response is not None and response.status == 401 and not renewed:
                renewed = True
                if self._connection.credentials.renew(token):
                    continue
            failures += 1
            if not self._again(response, error, failures):
                raise self._failure(response, error, failures, doing)
            self._pause(response, error, failures)

    def _once(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str] | None, stream: float | None
    ) -> tuple[Response | None, str | None, Exception | None]:
        import urllib3

        try:
            response, token = self._connection.send(method, path, body=data, headers=headers, stream_seconds=stream)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return None, None, error
        date = response.headers.get("Date")
        if date:
            self._ahead = parsedate_to_datetime(date).timestamp() - self._wall()
        return response, token, None

    def _again(self, response: Response | None, error: Exception | None, failures: int) -> bool:
        if failures > self._backoff.tries:
            return False
        return response.status in RETRIED_STATUS if response is not None else error is not None and retried(error)

    def _failure(self, response: Response | None, error: Exception | None, failures: int, doing: str) -> Exception:
        tried = f" (tried {failures} times)" if failures > 1 else ""
        if response is not None:
            return api_error(response.status, response.data, where=self.name, doing=doing, json=json)
        assert error is not None
        return transport_error(error, cluster=self.name, server=self.server, tried=tried)

    def _pause(self, response: Response | None, error: Exception | None, failures: int) -> None:
        delay = self._backoff.delay(failures)
        asked = _retry_after(response)
        if asked is not None:
            # The server is overloaded for everybody, so all our connections to it hold back.
            delay = min(asked, self._backoff.longest)
            self._not_before = max(self._not_before, self._clock() + delay)
        if error is not None:
            reason = str(transport_error(error, cluster="", server=self.server, tried="").why)
        else:
            reason = f"{self.server} answered HTTP {response.status if response else 0}"
        if delay >= 1:
            self._tell(f"{reason}; trying again in {delay:.0f} s ({failures} of {self._backoff.tries})")
        if self._stop.wait(delay * random.uniform(0.9, 1.1)):  # noqa: S311 - spreads retries, guards nothing
            raise Stopped

    def _wait_for_turn(self) -> None:
        if self._stop.is_set():
            raise Stopped
        wait = self._not_before - self._clock()
        if wait > 0 and self._stop.wait(wait):
            raise Stopped


def _retry_after(response: Response | None) -> float | None:
    value = response.headers.get("Retry-After") if response is not None else None
    return float(value) if value and value.isdigit() else None
