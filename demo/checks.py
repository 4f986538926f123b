# SPDX-License-Identifier: MIT
"""Asking the clusters: what a service answers, and what stands on its objects."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable
from typing import Any

from demo.shop import Place
from testbed.cluster import Cluster
from testbed.errors import TestbedError


class NotAsPromised(AssertionError):
    """A check of the show failed; the message says what was seen instead."""


def expect(truth: bool, otherwise: str) -> None:
    """Go on if it is true; else raise NotAsPromised."""
    if not truth:
        raise NotAsPromised(otherwise)


def page(cluster: Cluster, place: Place, service: str = "storefront") -> dict[str, Any]:
    """What a service of the shop answers over HTTP, asked at its Service's address from the node."""
    answer = json.loads(cluster.fetch(service, namespace=place.namespace))
    assert isinstance(answer, dict)
    return answer


def await_page(
    cluster: Cluster,
    place: Place,
    wanted: Callable[[dict[str, Any]], bool],
    *,
    service: str = "storefront",
    limit: float = 10,
) -> dict[str, Any]:
    """Ask until the answer is as wanted; the last answer in any case. `limit` is in seconds.

    Patience is for the node's own routing tables, which follow a Service's endpoints within a second or two.
    """
    end = time.monotonic() + limit
    while True:
        try:
            answer = page(cluster, place, service)
        except TestbedError:
            if time.monotonic() > end:
                raise
            answer = {}
        if wanted(answer) or time.monotonic() > end:
            return answer
        time.sleep(0.2)


def annotation(
    cluster: Cluster, place: Place, name: str, kind: str = "deployment", key: str = "kit-deployer/commit"
) -> Any:
    """The value of one of kit-deployer's annotations on an object, read as JSON where it is."""
    found = cluster.get(kind, name, "--namespace", place.namespace)["metadata"].get("annotations", {}).get(key)
    try:
        return json.loads(found)
    except (TypeError, ValueError):
        return found


def last_crash(cluster: Cluster, place: Place, service: str) -> datetime.datetime | None:
    """When a container of the service's pods last ended by itself (the kubelet's own record, to the second)."""
    pods = cluster.get("pods", "--namespace", place.namespace, "--selector", f"name={service}")["items"]
    ends = [
        status["lastState"]["terminated"]["finishedAt"]
        for pod in pods
        for status in pod["status"].get("containerStatuses", [])
        if status.get("lastState", {}).get("terminated")
    ] + [
        status["state"]["terminated"]["finishedAt"]
        for pod in pods
        for status in pod["status"].get("containerStatuses", [])
        if status.get("state", {}).get("terminated")
    ]
    return max((datetime.datetime.fromisoformat(end) for end in ends), default=None)
