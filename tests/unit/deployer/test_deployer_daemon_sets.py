# SPDX-License-Identifier: MIT
"""When a DaemonSet is done: nodes that are down or cordoned must not hold a deploy up, and nothing else be forgiven."""

from __future__ import annotations

from typing import Any

import pytest

from kit_deployer.objects import Json
from kit_deployer.server.watching import slim
from tests.unit.deployer.kubelet import make, pod, watch

GENERATION = {"deprecated.daemonset.template.generation": "2"}


def daemons(wanted: int, updated: int, available: int, *, misscheduled: int = 0, **strategy: Any) -> Json:
    status = {
        "observedGeneration": 1, "desiredNumberScheduled": wanted, "updatedNumberScheduled": updated,
        "numberAvailable": available, "numberMisscheduled": misscheduled,
    }  # fmt: skip
    spec = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": strategy}}
    return make("DaemonSet", "log", status=status, spec=spec, annotations=GENERATION)


def node(name: str, *, ready: bool = True, cordoned: bool = False) -> Json:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    spec = {"unschedulable": True} if cordoned else {}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec, "status": status}


def on(body: Json, where: str, *, generation: int = 2, **facts: Any) -> Json:
    labels = {"pod-template-generation": str(generation)}
    found = pod(body, f"log-{where}", labels=labels, **facts)
    found["spec"]["nodeName"] = where
    return found


@pytest.mark.parametrize(
    ("body", "state", "why"),
    [
        (daemons(3, 3, 3), "ready", "available on 3 of 3 nodes"),
        (daemons(3, 3, 2), "ready", "available on 2 of 3 nodes"),
        (daemons(3, 3, 1), "waiting", "available on 1 of 3 nodes"),
        (daemons(3, 2, 3), "waiting", "updated on 2 of 3 nodes"),
        (daemons(3, 3, 2, maxUnavailable=0, maxSurge=1), "waiting", "available on 2 of 3 nodes"),
        (daemons(10, 10, 8, maxUnavailable="20%"), "ready", "available on 8 of 10 nodes"),
        (daemons(10, 10, 7, maxUnavailable="20%"), "waiting", "available on 7 of 10 nodes"),
        (daemons(1, 1, 0), "waiting", "available on 0 of 1 nodes"),
        (daemons(2, 2, 0, maxUnavailable="100%"), "waiting", "available on 0 of 2 nodes"),
        (daemons(0, 0, 0), "ready", "available on 0 of 0 nodes"),
        (make("DaemonSet", "log", status={"observedGeneration": 0}), "waiting", "has not seen the change yet"),
        (
            make("DaemonSet", "log", spec={"updateStrategy": {"type": "OnDelete"}}, status={
                "observedGeneration": 1, "desiredNumberScheduled": 2, "numberAvailable": 2}),
            "ready", "available on 2 of 2 nodes",
        ),
    ],
)  # fmt: skip
def test_updated_and_unavailable_within_what_the_strategy_allows(body: Json, state: str, why: str) -> None:
    """Never without any pod: a DaemonSet that runs nowhere is not healthy, whatever `maxUnavailable` says."""
    verdict = watch(body).at(0, body)
    assert verdict.state == state
    assert why in verdict.why


def test_pods_on_nodes_that_are_down_or_cordoned_are_left_out() -> None:
    body = daemons(3, 2, 2, maxUnavailable=0, maxSurge=1)
    pods = [on(body, "a", ready=True), on(body, "b", ready=True), on(body, "c", generation=1)]
    nodes = [node("a"), node("b")]
    for lame in (node("c", ready=False), node("c", cordoned=True)):
        assert watch(body).at(0, body, *pods, *nodes, lame).state == "ready"
    assert watch(body).at(0, body, *pods, *nodes, node("c")).state == "waiting"
    assert watch(body).at(0, body, *pods).state == "waiting", "nobody may read nodes: all are awaited"


def test_a_pod_that_the_controller_does_not_count_excuses_no_other() -> None:
    """Pods that do not tolerate a node's taint are misscheduled there, and not among the wanted."""
    body = daemons(2, 1, 1, misscheduled=1, maxUnavailable=0, maxSurge=1)
    pods = [on(body, "a", ready=True), on(body, "b", generation=1, ready=True), on(body, "c", generation=1)]
    nodes = [node("a"), node("b"), node("c", ready=False)]
    assert watch(body).at(0, body, *pods, *nodes).state == "waiting"


def test_a_pod_that_cannot_even_get_to_its_lame_node_is_left_out_too() -> None:
    body = daemons(2, 2, 1, maxUnavailable=0, maxSurge=1)
    unbound = on(body, "b", conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}])
    field = {"key": "metadata.name", "operator": "In", "values": ["b"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    unbound["spec"] = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}
    pods = [on(body, "a", ready=True), slim(unbound)]
    for found, state in ((node("b", ready=False), "ready"), (node("b"), "waiting")):
        assert watch(body).at(0, body, *pods, node("a"), found).state == state


def test_a_doomed_pod_ends_it_unless_its_node_is_to_blame() -> None:
    body = daemons(2, 2, 0)
    pods = [on(body, "a", waiting="InvalidImageName"), on(body, "b")]
    for found, state in ((node("a"), "failed"), (node("a", ready=False), "waiting")):
        looks = watch(body)
        looks.at(0, body, *pods, found, node("b"))
        assert looks.at(20, body, *pods, found, node("b")).state == state
