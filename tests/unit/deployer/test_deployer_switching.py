# SPDX-License-Identifier: MIT
"""Switching is compare and swap: what happens between reading a Service and writing it decides, not the plan."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from kit_core.errors import WorkError
from kit_deployer.desired.annotate import Writing
from kit_deployer.objects import Json
from kit_deployer.options import Options
from kit_deployer.plan.plan import Action, Outdated
from kit_deployer.rollout.applying import Applied
from kit_deployer.rollout.switching import SERVICES, await_endpoints, check_ready, left_behind, remove, switch
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.server.failures import ApiError, api_error
from tests.unit.deployer.words import DEPLOYMENT, SERVICE, declared, live

WRITING = Writing(strategy="fast-rollback", deploy_id="8", now="2026-11-23T12:00:00.000Z")
BEFORE = Writing(strategy="fast-rollback", deploy_id="7", now="2026-11-23T11:00:00.000Z")
WEB = f"{DEPLOYMENT}---\n{SERVICE}"


def service(writing: Writing = BEFORE) -> Json:
    return live(declared(WEB, writing)[1], writing)


def action(seen: Json | None = None) -> Action:
    return Action("change", declared(WEB, WRITING)[1], seen or service(), waits=True)


def conflict(status: int = 409) -> ApiError:
    return api_error(status, b'{"message": "changed meanwhile"}', where="shop", doing="Applying", json=json)


class Pretender:
    """A cluster with one Service and what else is put there; `meanwhile` happens just before each write."""

    name = "shop"
    stopping = False

    def __init__(self, body: Json, *meanwhile: Callable[[Json], None], **lists: list[Json]) -> None:
        self.body = copy.deepcopy(body)
        self.meanwhile = list(meanwhile)
        self.lists = lists
        self.sent: list[Json] = []
        self.deleted: list[str] = []

    def get(self, _resource: Resource, _namespace: str, _name: str) -> Json:
        return copy.deepcopy(self.body)

    def apply(self, _resource: Resource, body: Json, *, dry_run: bool = False, force: bool = True) -> Json:
        assert not dry_run
        self._happens(body["metadata"]["resourceVersion"], 409)
        self.sent.append(body)
        return body

    def take_over(self, _resource: Resource, seen: Json, _fields: list[Json]) -> Json:
        self._happens(seen["metadata"]["resourceVersion"], 422)
        self.body["metadata"]["resourceVersion"] += "+"
        return copy.deepcopy(self.body)

    def _happens(self, version: str, status: int) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)(self.body)
            self.body["metadata"]["resourceVersion"] += "+"
        if version != self.body["metadata"]["resourceVersion"]:
            raise conflict(status)

    def list_all(self, resource: Resource, _namespace: str, *, labels: str = "") -> tuple[list[Json], str]:
        wanted = dict(part.split("=") for part in labels.split(",")) if resource.plural == "pods" and labels else {}
        found = self.lists.get(resource.plural, [])
        return [body for body in found if wanted.items() <= (body["metadata"].get("labels") or {}).items()], "1"

    def delete(self, resource: Resource, body: Json) -> None:
        self.deleted.append(f"{resource.plural}/{body['metadata']['name']}")


def switched(cluster: Pretender, act: Action | None = None, *, force: bool = False) -> Applied:
    return switch(cast("Cluster", cluster), SERVICES, act or action(), Options(writing=WRITING, force=force))


def by_a_newer_run(body: Json) -> None:
    body["metadata"]["annotations"]["kit-deployer/last-updated"] = "2026-11-23T12:00:01.000Z"
    body["spec"]["selector"]["id"] = "9"


def by_a_controller(body: Json) -> None:
    body["metadata"]["annotations"]["example.com/address"] = "10.0.0.1"


def test_what_nobody_touched_is_switched_at_the_version_that_was_read() -> None:
    cluster = Pretender(service())
    assert switched(cluster).result["spec"]["selector"]["id"] == "8"
    assert [body["metadata"]["resourceVersion"] for body in cluster.sent] == ["7"]


def test_what_a_controller_touched_meanwhile_is_read_again_and_switched() -> None:
    cluster = Pretender(service(), by_a_controller, by_a_controller)
    switched(cluster)
    assert [body["metadata"]["resourceVersion"] for body in cluster.sent] == ["7++"]


def test_a_newer_run_in_the_last_moment_is_left_alone() -> None:
    for force in (False, True):
        cluster = Pretender(service(), by_a_newer_run)
        with pytest.raises(WorkError) as error:
            switched(cluster, force=force)
        assert "Service shop/web was not switched" in str(error.value)
        assert "a newer run changed it at 2026-11-23T12:00:01.000Z" in str(error.value)
        assert cluster.sent == []


def test_one_that_never_rests_is_given_up() -> None:
    cluster = Pretender(service(), *[by_a_controller] * 9)
    with pytest.raises(WorkError, match="it changed 5 times while it was being switched"):
        switched(cluster)


def test_what_the_original_wrote_is_taken_over_and_switched_at_that_version() -> None:
    theirs = service()
    theirs["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}
    ]
    cluster = Pretender(theirs)
    switched(cluster, action(theirs))
    assert [body["metadata"]["resourceVersion"] for body in cluster.sent] == ["7+"]
    with pytest.raises(WorkError, match="a newer run"):
        switched(Pretender(theirs, by_a_newer_run), action(theirs))


def test_a_refusal_is_no_conflict() -> None:
    class Strict(Pretender):
        def apply(self, _resource: Resource, body: Json, *, dry_run: bool = False, force: bool = True) -> Json:
            self.sent.append(body)
            raise conflict(422)

    cluster = Strict(service())
    with pytest.raises(WorkError, match="was refused by the server"):
        switched(cluster)
    assert len(cluster.sent) == 1


def pod(name: str, number: str, *, ready: str = "True", **metadata: Any) -> Json:
    labels = {"name": "web", "strategy": "fast-rollback", "id": number}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels, **metadata},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_only_ready_pods_get_a_service() -> None:
    def check(*pods: Json) -> None:
        check_ready(cast("Cluster", Pretender(service(), pods=list(pods))), action())

    check(pod("a", "8", ready="False"), pod("b", "8"))
    for pods in ((), (pod("a", "7"),), (pod("a", "8", ready="False"),), (pod("a", "8", deletionTimestamp="T"),)):
        with pytest.raises(WorkError, match="no ready pod has the labels of its new selector"):
            check(*pods)


def outdated(number: str) -> Outdated:
    writing = Writing(strategy="fast-rollback", deploy_id=number)
    return Outdated(live(declared(DEPLOYMENT, writing)[0], writing), "deployed later")


def test_what_a_service_needs_by_now_is_not_deleted() -> None:
    cluster = Pretender(service(), services=[service()])
    went, notes = remove(cast("Cluster", cluster), [outdated("7"), outdated("6")])
    assert cluster.deleted == ["deployments/web-6"]
    assert [gone.key.name for gone in went] == ["web-6"]
    assert notes == ["Deployment shop/web-7 (deployed later) is kept: Service shop/web needs its pods by now"]


def test_only_what_served_until_now_is_waited_for() -> None:
    assert left_behind([action()], [outdated("7")])
    assert left_behind([action()], [outdated("6")]) == []


def test_endpoints_are_awaited() -> None:
    """Until none of the Service's endpoints is a pod of what goes, and then as long as nodes may take."""
    times = iter(range(1000))
    slices = {"endpoints": [{"targetRef": {"name": "old"}}, {"targetRef": {"name": "new"}}], "metadata": {}}
    cluster = Pretender(service(), endpointslices=[slices], pods=[pod("old", "7"), pod("new", "8")])
    looks = []

    def clock() -> float:
        looks.append(len(slices["endpoints"]))
        if len(looks) == 3:
            slices["endpoints"] = [{"targetRef": {"name": "new"}}]
        return float(next(times))

    await_endpoints(cast("Cluster", cluster), [service(WRITING)], [outdated("7")], clock=clock)
    assert looks[:3] == [2, 2, 2]
    assert len(looks) >= 6
    assert set(looks[3:]) == {1}
