# SPDX-License-Identifier: MIT
"""Verdicts by table, with a clock of the test's own: what fails, when, with which cause; what must not fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_deployer.health.explain import error_of, failure_of
from kit_deployer.health.model import Expected
from kit_deployer.objects import Json, Place, key_of
from tests.unit.deployer.kubelet import (
    POLICY,
    deployment,
    event,
    failing,
    make,
    pod,
    replica_set,
    watch,
)

MISSING = 'failed to resolve reference "shop/web:2": shop/web:2: not found'
PULL = f'Failed to pull image "shop/web:2": rpc error: code = NotFound desc = {MISSING}'
CRASHED = {"exitCode": 1, "reason": "Error"}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}

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


def test_events_of_what_went_wrong_are_shown_before_those_of_what_did_not() -> None:
    bodies = failing(waiting="CrashLoopBackOff", restarts=3, last=CRASHED)
    told = [replace(event(bodies[-1], "BackOff"), last="1")]
    told += [replace(event(bodies[-1], f"Normal{number}"), warning=False, last=f"2{number}") for number in range(9)]
    looks = watch(bodies[0])
    looks.at(0, *bodies, events=told)
    (finding,) = looks.at(10, *bodies, events=told).findings
    assert [found.reason for found in finding.events] == ["BackOff", "Normal5", "Normal6", "Normal7", "Normal8"]


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


def test_an_autoscaler_that_will_not_help_is_quoted() -> None:
    bodies = failing(conditions=[UNSCHEDULABLE])
    looks = watch(bodies[0])
    told = [event(bodies[-1], "NotTriggerScaleUp", "max node group size reached")]
    assert "max node group size reached" in looks.at(600, *bodies, events=told).findings[0].cause.message


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


def test_a_container_that_its_probe_kills_is_told_with_what_the_probe_said() -> None:
    ended = {"exitCode": 0, "reason": "Completed"}
    bodies = failing(waiting="CrashLoopBackOff", restarts=3, last=ended)
    told = [
        event(bodies[-1], "Unhealthy", "Readiness probe failed: 503", 9),
        event(bodies[-1], "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 9),
        event(bodies[-1], "Killing", "Container main failed liveness probe, will be restarted", 3),
    ]
    looks = watch(bodies[0])
    looks.at(0, *bodies, events=told)
    (finding,) = looks.at(10, *bodies, events=told).findings
    assert finding.cause.reason == "CrashLoopBackOff"
    assert "because of its liveness probe (3 restarts): Liveness probe failed: HTTP probe" in finding.cause.message
    other = [event(bodies[-1], "Killing", "Container proxy failed liveness probe, will be restarted", 3)]
    (finding,) = looks.at(11, *bodies, events=other).findings
    assert "liveness" not in finding.cause.message


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


@pytest.mark.parametrize(
    ("facts", "events", "why"),
    [
        ({}, [], "its containers run, and it is not ready"),
        ({"waiting": "ContainerCreating"}, [("FailedCreatePodSandBox", "no IP left")], "no IP left"),
        ({"waiting": "PodInitializing"}, [], "it is Pending, and nothing tells why"),
    ],
)
def test_a_pod_without_a_known_cause_is_described_at_the_timeout(
    facts: Json, events: list[tuple[str, str]], why: str
) -> None:
    bodies = failing(**facts)
    verdict = watch(bodies[0]).at(600, *bodies, events=[event(bodies[-1], *told) for told in events])
    assert why in verdict.findings[0].cause.message


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


def test_the_sentence() -> None:
    bodies = failing(waiting="ImagePullBackOff")
    told = [event(bodies[-1], "Failed", PULL, 2)]
    looks = watch(bodies[0], replace(POLICY, grace=0))
    verdict = looks.at(1, *bodies, events=told)
    place = Place("shop/web.yaml", 3)
    error = error_of(key_of(bodies[0]), verdict, cluster="east", place=place)
    assert str(error) == (
        f"east: Deployment shop/web failed: pod web-2-a, container main: ErrImagePull: {MISSING}; 0 of 1 pods updated."
        " Check that the image and its tag exist in the registry and that the cluster may pull it (imagePullSecrets)."
    )
    assert (error.file, error.line, error.exit_code) == ("shop/web.yaml", 3, 1)
    failure = failure_of(key_of(bodies[0]), verdict, cluster="east", place=place, logs="x")
    assert (failure.pod, failure.container, failure.reason) == ("web-2-a", "main", "ErrImagePull")
    assert failure.events == (f"Failed: {PULL} (2 times)",)


def test_the_sentence_at_a_timeout() -> None:
    bodies = failing()
    looks = watch(bodies[0])
    looks.at(0, *bodies)
    verdict = looks.at(600, *bodies, events=[event(bodies[-1], "Unhealthy", "Readiness probe failed: 503", 99)])
    error = error_of(key_of(bodies[0]), verdict, cluster="east", place=None)
    assert error.exit_code == 70
    assert "was not healthy after 600 s" in str(error)
    assert "Unhealthy: Readiness probe failed: 503 (99 times)" in str(error)
    assert "container main" in str(error)
    assert verdict.findings[0].cause.logs == "current"
