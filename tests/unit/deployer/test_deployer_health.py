# SPDX-License-Identifier: MIT
"""Verdicts by table, with a clock of the test's own: what fails, when, with which cause; what must not fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_deployer.objects import Json
from tests.unit.deployer.kubelet import (
    CRASHED,
    MISSING,
    POLICY,
    PULL,
    UNSCHEDULABLE,
    deployment,
    event,
    failing,
    make,
    pod,
    replica_set,
    watch,
)

# (facts of the pod, its events, cause, last second at which there is hope, first at which there is none)
CAUSES: list[tuple[str, Json, list[tuple[str, str, int]], str, float, float]] = [
    ("invalid image name", {"waiting": "InvalidImageName"}, [], "InvalidImageName", 9.9, 10),
    ("image may never be pulled", {"waiting": "ErrImageNeverPull"}, [], "ErrImageNeverPull", 9.9, 10),
    ("second failed pull", {"waiting": "ImagePullBackOff"}, [("Failed", PULL, 2)], "ErrImagePull", 9.9, 10),
    (
        "access denied",
        {"waiting": "ErrImagePull", "message": "x"},
        [("Failed", PULL.replace("not found", "pull access denied"), 3)],
        "ErrImagePull",
        9.9,
        10,
    ),
    ("pulls that cannot be counted", {"waiting": "ErrImagePull", "message": MISSING}, [], "ErrImagePull", 29.9, 30),
    (
        "registry unreachable",
        {"waiting": "ErrImagePull", "message": "dial tcp: lookup r: no such host"},
        [("Failed", 'Failed to pull image "shop/web:2": dial tcp: lookup r: no such host', 9)],
        "ErrImagePull",
        299.9,
        300,
    ),
    (
        "rate limit",
        {"waiting": "ImagePullBackOff"},
        [("Failed", 'Failed to pull image "shop/web:2": 429 toomanyrequests', 4)],
        "ErrImagePull",
        299.9,
        300,
    ),
    (
        "missing key",
        {"waiting": "CreateContainerConfigError", "message": 'configmap "c" not found'},
        [],
        "CreateContainerConfigError",
        29.9,
        30,
    ),
    (
        "third restart",
        {"waiting": "CrashLoopBackOff", "restarts": 3, "last": CRASHED},
        [],
        "CrashLoopBackOff",
        9.9,
        10,
    ),
    ("crashed again", {"terminated": CRASHED, "restarts": 3}, [], "CrashLoopBackOff", 9.9, 10),
    (
        "init container",
        {"waiting": "CrashLoopBackOff", "restarts": 4, "last": CRASHED, "init": True},
        [],
        "CrashLoopBackOff",
        9.9,
        10,
    ),
    (
        "memory",
        {"waiting": "CrashLoopBackOff", "restarts": 3, "last": {"exitCode": 137, "reason": "OOMKilled"}},
        [],
        "OOMKilled",
        9.9,
        10,
    ),
    (
        "mount",
        {"waiting": "ContainerCreating"},
        [("FailedMount", 'secret "s" not found', 3)],
        "FailedMount",
        119.9,
        120,
    ),
]


@pytest.mark.parametrize(("name", "facts", "events", "cause", "hope", "lost"), CAUSES, ids=[row[0] for row in CAUSES])
def test_when_a_cause_ends_the_rollout(
    name: str, facts: Json, events: list[tuple[str, str, int]], cause: str, hope: float, lost: float
) -> None:
    bodies = failing(**facts)
    told = [event(bodies[-1], reason, message, count) for reason, message, count in events]
    looks = watch(bodies[0])
    assert looks.at(0, *bodies, events=told).state == "waiting"
    assert looks.at(hope, *bodies, events=told).state == "waiting"
    verdict = looks.at(lost, *bodies, events=told)
    assert verdict.state == "failed"
    (finding,) = verdict.findings
    assert finding.cause.reason == cause
    assert finding.pod is not None
    assert finding.pod["metadata"]["name"] == "web-2-a"


HOPEFUL: list[tuple[str, Json, list[tuple[str, str, int]]]] = [
    ("first failed pull", {"waiting": "ImagePullBackOff"}, [("Failed", PULL, 1)]),
    ("second restart", {"waiting": "CrashLoopBackOff", "restarts": 2, "last": CRASHED}, []),
    ("running after restarts", {"restarts": 9, "last": CRASHED}, []),
    ("no node fits", {"conditions": [UNSCHEDULABLE]}, [("FailedScheduling", "0/3 nodes", 9)]),
    ("not ready yet", {}, [("Unhealthy", "Readiness probe failed", 30)]),
    ("init container done after restarts", {"terminated": {"exitCode": 0}, "restarts": 5, "init": True}, []),
    ("creating", {"waiting": "ContainerCreating"}, []),
    ("being killed", {"waiting": "InvalidImageName", "deletionTimestamp": "T"}, []),
    ("failed and to be replaced", {"waiting": "InvalidImageName", "phase": "Failed"}, []),
]


@pytest.mark.parametrize(("name", "facts", "events"), HOPEFUL, ids=[row[0] for row in HOPEFUL])
def test_what_does_not_end_a_rollout_early(name: str, facts: Json, events: list[tuple[str, str, int]]) -> None:
    bodies = failing(**facts)
    told = [event(bodies[-1], reason, message, count) for reason, message, count in events]
    looks = watch(bodies[0])
    for now in (0, 10, 60, 300, 599):
        assert looks.at(now, *bodies, events=told).state == "waiting"
    assert looks.at(600, *bodies, events=told).state == "timeout"


def test_ignored_causes_are_named_at_the_timeout() -> None:
    bodies = failing(conditions=[UNSCHEDULABLE])
    looks = watch(bodies[0])
    looks.at(0, *bodies)
    verdict = looks.at(600, *bodies)
    assert verdict.state == "timeout"
    assert [finding.cause.reason for finding in verdict.findings] == ["FailedScheduling"]
    assert "0/3 nodes" in verdict.findings[0].cause.message


def test_unschedulable_fails_after_five_minutes_where_it_is_not_ignored() -> None:
    bodies = failing(conditions=[UNSCHEDULABLE])
    looks = watch(bodies[0], replace(POLICY, ignored=frozenset()))
    looks.at(0, *bodies)
    assert looks.at(299, *bodies).state == "waiting"
    assert looks.at(300, *bodies).state == "failed"


def test_any_cause_can_be_ignored_by_its_reason_or_its_events_reason() -> None:
    bodies = failing(waiting="CrashLoopBackOff", restarts=5, last=CRASHED)
    for word in ("CrashLoopBackOff", "BackOff"):
        looks = watch(bodies[0], replace(POLICY, ignored=frozenset({word})))
        looks.at(0, *bodies)
        assert looks.at(100, *bodies).state == "waiting"


def test_the_grace_period_is_the_least_of_every_limit() -> None:
    bodies = failing(waiting="CreateContainerConfigError")
    looks = watch(bodies[0], replace(POLICY, grace=45))
    looks.at(0, *bodies)
    assert looks.at(44, *bodies).state == "waiting"
    assert looks.at(45, *bodies).state == "failed"


def test_without_health_check_only_the_timeout_ends_it() -> None:
    bodies = failing(waiting="InvalidImageName")
    looks = watch(bodies[0], replace(POLICY, fail_early=False))
    looks.at(0, *bodies)
    assert looks.at(599, *bodies).state == "waiting"
    assert looks.at(600, *bodies).findings[0].cause.reason == "InvalidImageName"


def test_every_pod_of_a_deployment_must_be_lost_and_any_of_a_stateful_set() -> None:
    body = deployment(replicas=2)
    owner_set = replica_set(body)
    bad, fine = pod(owner_set, "a", waiting="InvalidImageName"), pod(owner_set, "b", waiting="ContainerCreating")
    looks = watch(body)
    looks.at(0, body, owner_set, bad, fine)
    assert looks.at(20, body, owner_set, bad, fine).state == "waiting"

    db = make("StatefulSet", "db", spec={"replicas": 2},
              status={"observedGeneration": 1, "updateRevision": "b", "replicas": 2})  # fmt: skip
    label = {"controller-revision-hash": "b"}
    pods = [pod(db, "db-0", waiting="InvalidImageName", labels=label), pod(db, "db-1", labels=label)]
    looks = watch(db)
    looks.at(0, db, *pods)
    assert looks.at(20, db, *pods).state == "failed"
    old = [pod(db, "db-0", waiting="InvalidImageName", labels={"controller-revision-hash": "a"})]
    looks = watch(db)
    looks.at(0, db, *old)
    assert looks.at(20, db, *old).state == "waiting"


def test_the_threshold_tolerates_so_many_pods() -> None:
    body = deployment(replicas=2)
    owner_set = replica_set(body)
    pods = [pod(owner_set, name, waiting="InvalidImageName") for name in ("a", "b")]
    for threshold, state in ((1, "failed"), (2, "waiting")):
        looks = watch(body, replace(POLICY, threshold=threshold))
        looks.at(0, body, owner_set, *pods)
        assert looks.at(20, body, owner_set, *pods).state == state


def test_only_this_rollouts_pods_count() -> None:
    """By owner, never by name: an older ReplicaSet, and another workload with the same prefix."""
    body = deployment()
    new, old = replica_set(body), replica_set(body, "1")
    stranger = make("Deployment", "web-2")
    theirs = pod(stranger, "web-2-x", waiting="InvalidImageName")
    bodies = [body, new, old, stranger, theirs, pod(old, "web-1-a", waiting="InvalidImageName"), pod(new, "web-2-a")]
    looks = watch(body)
    looks.at(0, *bodies)
    verdict = looks.at(100, *bodies, events=[event(theirs, "Failed", PULL, 9)])
    assert verdict.state == "waiting"
    assert verdict.findings == ()


def test_the_new_replica_set_is_told_by_revision() -> None:
    """Also when the old one's pods, which still run the crashing version, come first."""
    body = deployment()
    old, new = replica_set(body, "1"), replica_set(body, "2")
    crashing = pod(old, "web-1-a", waiting="CrashLoopBackOff", restarts=9, last=CRASHED)
    looks = watch(body)
    for now in (0, 100):
        assert looks.at(now, body, old, new, crashing, pod(new, "web-2-a")).state == "waiting"
    unknown = {**body, "metadata": {**body["metadata"], "annotations": {}}}
    looks = watch(unknown)
    for now in (0, 100):
        assert looks.at(now, unknown, old, crashing).state == "waiting", "whose pods these are is not known yet"


def test_how_often_a_jobs_containers_may_end_is_its_own_affair() -> None:
    """A migration that waits for its database by failing six times is given the six times."""
    cases: list[tuple[int, Json]] = [(6, {}), (5, {"backoffLimit": 5}), (3, {"backoffLimit": 1})]
    for limit, spec in cases:
        body = make("Job", "migrate", spec=spec, status={"active": 1})
        for restarts, state in ((limit - 1, "waiting"), (limit, "failed")):
            crashing = pod(body, "migrate-a", waiting="CrashLoopBackOff", restarts=restarts, last=CRASHED)
            looks = watch(body)
            looks.at(0, body, crashing)
            assert looks.at(100, body, crashing).state == state


MOODS: list[Json] = [
    {"waiting": "ContainerCreating"},
    {"ready": True},
    {},
    {"waiting": "InvalidImageName"},
    {"waiting": "CreateContainerConfigError"},
    {"waiting": "CrashLoopBackOff", "restarts": 5, "last": CRASHED},
    {"waiting": "CrashLoopBackOff", "restarts": 1, "last": CRASHED},
    {"waiting": "InvalidImageName", "deletionTimestamp": "T"},
    {"conditions": [UNSCHEDULABLE]},
]


@given(
    looks=st.lists(st.tuples(st.floats(0.1, 40), st.lists(st.sampled_from(MOODS), max_size=3)), min_size=1, max_size=12)
)
def test_whatever_pods_do_a_deployment_fails_early_only_when_all_are_doomed_and_nothing_moved(
    looks: list[tuple[float, list[Json]]],
) -> None:
    body = deployment(replicas=3)
    owner_set = replica_set(body)
    watched, now, ready, moved = watch(body), 0.0, set[str](), 0.0
    for pause, moods in looks:
        now += pause
        pods = [pod(owner_set, f"web-{index}", **mood) for index, mood in enumerate(moods)]
        up = {f"web-{index}" for index, mood in enumerate(moods) if mood.get("ready")}
        moved, ready = (now if up - ready else moved), ready | up
        verdict = watched.at(now, body, owner_set, *pods)
        if now >= POLICY.timeout:
            return
        if verdict.state == "failed":
            alive = [mood for mood in moods if "deletionTimestamp" not in mood]
            assert alive
            assert all(mood in MOODS[3:6] for mood in alive), "a pod that may still become ready is hope"
            assert now - moved >= POLICY.grace
            return
        assert verdict.state == "waiting"
