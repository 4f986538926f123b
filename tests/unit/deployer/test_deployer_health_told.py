# SPDX-License-Identifier: MIT
"""What a person is told of a rollout that failed, or that came to its timeout."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit_deployer.health.explain import error_of, failure_of
from kit_deployer.objects import Json, Place, key_of
from tests.unit.deployer.kubelet import (
    CRASHED,
    MISSING,
    POLICY,
    PULL,
    UNSCHEDULABLE,
    event,
    failing,
    watch,
)


def test_events_of_what_went_wrong_are_shown_before_those_of_what_did_not() -> None:
    bodies = failing(waiting="CrashLoopBackOff", restarts=3, last=CRASHED)
    told = [replace(event(bodies[-1], "BackOff"), last="1")]
    told += [replace(event(bodies[-1], f"Normal{number}"), warning=False, last=f"2{number}") for number in range(9)]
    looks = watch(bodies[0])
    looks.at(0, *bodies, events=told)
    (finding,) = looks.at(10, *bodies, events=told).findings
    assert [found.reason for found in finding.events] == ["BackOff", "Normal5", "Normal6", "Normal7", "Normal8"]


def test_an_autoscaler_that_will_not_help_is_quoted() -> None:
    bodies = failing(conditions=[UNSCHEDULABLE])
    looks = watch(bodies[0])
    told = [event(bodies[-1], "NotTriggerScaleUp", "max node group size reached")]
    assert "max node group size reached" in looks.at(600, *bodies, events=told).findings[0].cause.message


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
