# SPDX-License-Identifier: MIT
"""What is movement and what is a cause no longer: pods that come, become ready, crash, wait for a node."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kit_deployer.health.model import Expected
from tests.unit.deployer.kubelet import (
    CRASHED,
    POLICY,
    UNSCHEDULABLE,
    deployment,
    event,
    failing,
    make,
    pod,
    replica_set,
    watch,
)


def test_a_pod_that_becomes_ready_is_movement() -> None:
    body = deployment(replicas=2)
    owner_set = replica_set(body)
    bad = pod(owner_set, "web-2-a", waiting="CreateContainerConfigError")
    other = pod(owner_set, "web-2-b")
    looks = watch(body)
    looks.at(0, body, owner_set, bad, other)
    ready = pod(owner_set, "web-2-b", ready=True)
    assert looks.at(25, body, owner_set, bad, ready).state == "waiting"
    worse = pod(owner_set, "web-2-b", waiting="CreateContainerConfigError")
    looks.at(26, body, owner_set, bad, worse)
    assert looks.at(54, body, owner_set, bad, worse).state == "waiting"
    assert looks.at(56, body, owner_set, bad, worse).state == "failed"


def test_nothing_ends_while_other_pods_become_ready() -> None:
    """A set of which one pod waits for its Secret, while another comes up: it is given the time once more."""
    status = {"observedGeneration": 1, "updateRevision": "b", "replicas": 2}
    db = make("StatefulSet", "db", spec={"replicas": 2}, status=status)
    label = {"controller-revision-hash": "b"}
    bad = pod(db, "db-0", waiting="CreateContainerConfigError", labels=label)
    looks = watch(db)
    looks.at(0, db, bad, pod(db, "db-1", labels=label))
    up = pod(db, "db-1", ready=True, labels=label)
    assert looks.at(25, db, bad, up).state == "waiting"
    assert looks.at(54.9, db, bad, up).state == "waiting"
    assert looks.at(55, db, bad, up).state == "failed"


def test_a_container_between_two_crashes_does_not_reset_the_clock() -> None:
    crashed = failing(waiting="CrashLoopBackOff", restarts=2, last=CRASHED)
    running = failing(restarts=3, last=CRASHED)
    again = failing(waiting="CrashLoopBackOff", restarts=3, last=CRASHED)
    looks = watch(crashed[0])
    looks.at(0, *crashed)
    looks.at(20, *running)
    assert looks.at(21, *again).state == "failed"


def test_pods_that_are_not_even_created() -> None:
    body = deployment()
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    for owner_set, events in (
        (replica_set(body, conditions=[condition]), []),
        (replica_set(body), [event(replica_set(body), "FailedCreate", "exceeded quota", 7)]),
    ):
        looks = watch(body)
        looks.at(0, body, owner_set, events=events)
        assert looks.at(59, body, owner_set, events=events).state == "waiting"
        verdict = looks.at(60, body, owner_set, events=events)
        assert verdict.state == "failed"
        assert verdict.findings[0].cause.reason == "FailedCreate"
        assert "exceeded quota" in verdict.findings[0].cause.message


def test_pods_that_are_created_after_all_are_movement() -> None:
    body = deployment()
    owner_set = replica_set(body)
    told = [event(owner_set, "FailedCreate", "webhook down", 2)]
    looks = watch(body)
    looks.at(0, body, owner_set, events=told)
    created = pod(owner_set, waiting="ContainerCreating")
    assert looks.at(70, body, owner_set, created, events=told).state == "waiting"


def test_what_was_told_of_a_set_before_this_run_changed_it_is_no_cause() -> None:
    """The set of an earlier, failed run lives on, and so do its events: a slow first pod is no failed creation."""
    status = {"observedGeneration": 1, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"}
    db = make("StatefulSet", "db", spec={"replicas": 2}, status=status)
    slow = pod(db, "db-1", labels={"controller-revision-hash": "b"})
    applied = datetime.fromisoformat("2026-01-01T10:00:00.700+00:00").timestamp()
    for last, fresh, state in (
        ("2026-01-01T09:59:59Z", True, "waiting"),
        ("2026-01-01T10:00:00Z", True, "failed"),
        ("2026-01-01T09:59:59Z", False, "failed"),
    ):
        told = [replace(event(db, "FailedCreate", "exceeded quota", 9), last=last)]
        looks = watch(db, expected=Expected(generation=1, applied=applied, fresh=fresh))
        for now in (0, 1, 120):
            verdict = looks.at(now, db, slow, events=told)
        assert verdict.state == state


def test_a_creation_that_failed_before_a_pod_came_after_all_is_no_cause_for_the_next_one() -> None:
    """A quota was raised; the first pod of a set starts slowly, and the second is created only after that."""
    status = {"observedGeneration": 1, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "b"}
    db = make("StatefulSet", "db", spec={"replicas": 2}, status=status)
    told = [replace(event(db, "FailedCreate", "exceeded quota", 3), last="2026-01-01T10:00:30Z")]
    for created, state in (("2026-01-01T10:00:40Z", "waiting"), ("2026-01-01T10:00:20Z", "failed")):
        slow = pod(db, "db-0", labels={"controller-revision-hash": "b"}, creationTimestamp=created)
        looks = watch(db)
        for now in (0, 1, 120):
            verdict = looks.at(now, db, slow, events=told)
        assert verdict.state == state


def test_a_node_that_is_on_its_way_gives_a_pod_its_five_minutes_anew() -> None:
    bodies = failing(conditions=[UNSCHEDULABLE])
    for reason in ("TriggeredScaleUp", "Nominated"):
        looks = watch(bodies[0], replace(POLICY, ignored=frozenset(), timeout=9000))
        looks.at(0, *bodies)
        told = [event(bodies[-1], reason, "1->2")]
        assert looks.at(299, *bodies, events=told).state == "waiting"
        assert looks.at(598, *bodies, events=told).state == "waiting"
        more = [event(bodies[-1], reason, "2->3", 2)]
        assert looks.at(598.5, *bodies, events=more).state == "waiting"
        assert looks.at(898, *bodies, events=more).state == "waiting"
        assert looks.at(898.5, *bodies, events=more).state == "failed"


def test_a_mount_that_came_after_all_is_no_cause_while_a_large_image_is_pulled() -> None:
    failed = ("FailedMount", 'secret "s" not found', 3)
    for after in ("Pulling", "Pulled"):
        bodies = failing(waiting="ContainerCreating")
        told = [event(bodies[-1], *failed), event(bodies[-1], after)]
        looks = watch(bodies[0])
        looks.at(0, *bodies, events=told)
        assert looks.at(300, *bodies, events=told).state == "waiting"
    mounted = failing(waiting="ContainerCreating", conditions=[{"type": "PodReadyToStartContainers", "status": "True"}])
    looks = watch(mounted[0])
    looks.at(0, *mounted, events=[event(mounted[-1], *failed)])
    assert looks.at(300, *mounted, events=[event(mounted[-1], *failed)]).state == "waiting"
