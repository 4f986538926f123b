# SPDX-License-Identifier: MIT
"""When each kind is done, what it waits for, when it has failed for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit_deployer.health.judge import begin, checked, judge
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Event, Expected, Snapshot
from kit_deployer.objects import GroupKind, Json, key_of
from tests.unit.deployer.kubelet import (
    DONE,
    LATE,
    POLICY,
    deployment,
    event,
    make,
    pod,
    watch,
)

READY = [
    deployment(updated=1, available=1, conditions=[DONE]),
    deployment(updated=1, available=1),
    deployment(replicas=0, conditions=[DONE]),
    deployment(updated=1, available=1, conditions=[DONE], paused=True),
    make("StatefulSet", "db", spec={"replicas": 2}, status={
        "observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 2, "replicas": 2,
        "currentRevision": "b", "updateRevision": "b"}),
    make("StatefulSet", "db", spec={"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}, status={
        "observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 3, "replicas": 3,
        "currentRevision": "a", "updateRevision": "b"}),
    make("StatefulSet", "db", spec={"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, status={
        "observedGeneration": 1, "updatedReplicas": 0, "availableReplicas": 2, "replicas": 2,
        "currentRevision": "a", "updateRevision": "b"}),
    make("Job", "migrate", status={"conditions": [{"type": "Complete", "status": "True"}]}),
    make("Job", "migrate", spec={"suspend": True}),
    make("Pod", "one", status={"phase": "Succeeded"}),
    make("Pod", "one", status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
    make("PersistentVolumeClaim", "data", status={"phase": "Bound"}),
    make("Service", "web", spec={"type": "ClusterIP"}),
    make("Service", "web", spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "1"}]}}),
    make("CustomResourceDefinition", "x", status={"conditions": [{"type": "Established", "status": "True"}]}),
]  # fmt: skip


@pytest.mark.parametrize("body", READY, ids=lambda body: body["kind"])
def test_ready(body: Json) -> None:
    assert watch(body).at(0, body).state == "ready"


WAITING = [
    (deployment(observed=0, updated=1, available=1, conditions=[DONE]), "has not seen the change yet"),
    (deployment(replicas=3, updated=1, available=3, total=4), "1 of 3 pods updated"),
    (deployment(updated=1, available=1, total=2), "1 pod of the previous version still to go"),
    (deployment(replicas=3, updated=3, available=2), "2 of 3 pods available"),
    (
        deployment(updated=1, available=1, conditions=[{**DONE, "reason": "ReplicaSetUpdated"}]),
        "the controller has not finished the rollout",
    ),
    (make("StatefulSet", "db", status={"observedGeneration": 0}), "has not seen the change yet"),
    (make("StatefulSet", "db", spec={"replicas": 2}, status={"observedGeneration": 1, "updatedReplicas": 1}),
     "1 of 2 pods updated"),
    (make("StatefulSet", "db", spec={"replicas": 2}, status={
        "observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 2, "currentRevision": "a",
        "updateRevision": "b"}), "has not finished the rollout"),
    (make("StatefulSet", "db", spec={"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}}, status={
        "observedGeneration": 1, "updatedReplicas": 0, "availableReplicas": 2}), "0 of 1 pods updated"),
    (make("Job", "migrate", status={"active": 1}), "running"),
    (make("Pod", "one", status={"phase": "Pending"}), "pending"),
    (make("PersistentVolumeClaim", "data", status={"phase": "Pending"}), "not bound yet"),
    (make("Service", "web", spec={"type": "LoadBalancer"}), "no address yet"),
    (make("CustomResourceDefinition", "x"), "not established yet"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "why"), WAITING, ids=[f"{body['kind']}: {why}" for body, why in WAITING])
def test_waiting_and_what_for(body: Json, why: str) -> None:
    looks = watch(body)
    verdict = looks.at(0, body)
    assert verdict.state == "waiting"
    assert why in verdict.why
    assert looks.at(599, body).state == "waiting", "nothing is wrong with it"
    assert looks.at(600, body).state == "timeout"


def test_an_older_view_than_what_we_applied_says_nothing() -> None:
    body = deployment(updated=1, available=1, conditions=[DONE])
    snapshot = Snapshot.of([body])
    newer = Expected(generation=2)
    verdict, _ = judge(key_of(body), snapshot, begin(0), 0, policy=POLICY, limits=Limits(), expected=newer)
    assert verdict.state == "waiting"


def test_without_a_probe_it_must_stay_up_for_a_moment() -> None:
    up = deployment(updated=1, available=1, conditions=[DONE], probed=False)
    looks = watch(up)
    assert looks.at(0, up).state == "waiting"
    assert looks.at(2, deployment(updated=1, available=0, probed=False)).state == "waiting"
    assert looks.at(3, up).state == "waiting", "it was down in between"
    assert looks.at(5.9, up).state == "waiting"
    assert looks.at(6, up).state == "ready"


def test_a_claim_that_waits_for_its_first_pod_is_fine() -> None:
    """By its storage class, or, where that may not be read, by its events; not once the pod has got its node."""
    body = make("PersistentVolumeClaim", "data", status={"phase": "Pending"}, spec={"storageClassName": "local"})
    for reason in ("WaitForFirstConsumer", "WaitForPodScheduled"):
        assert watch(body).at(0, body, events=[event(body, reason)]).state == "ready"
    meta = {"name": "local", "namespace": ""}
    patient = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta}
    at_once = {**patient, "volumeBindingMode": "Immediate"}
    patient["volumeBindingMode"] = "WaitForFirstConsumer"
    assert watch(body).at(0, body, patient).state == "ready"
    assert watch(body).at(0, body, at_once).state == "waiting"
    chosen = {**body, "metadata": {**body["metadata"], "annotations": {
        "volume.kubernetes.io/selected-node": "a"}}}  # fmt: skip
    assert watch(body).at(0, chosen, patient).state == "waiting"


def test_what_somebody_deletes_meanwhile() -> None:
    body = deployment(updated=1, available=1, conditions=[DONE])
    held = {**body, "metadata": {**body["metadata"], "deletionTimestamp": "T", "finalizers": ["shop/keep"]}}
    looks = watch(body)
    looks.at(0, held)
    verdict = looks.at(119, held)
    assert (verdict.state, verdict.why) == ("waiting", "it is being deleted")
    verdict = looks.at(120, held)
    assert verdict.state == "timeout", "a limit of time: exit code 70"
    assert "shop/keep" in verdict.findings[0].cause.message
    looks = watch(body)
    assert looks.at(0).state == "waiting"
    assert looks.at(10).findings[0].cause.reason == "Deleted"
    looks = watch(body, expected=Expected(uid="another"))
    looks.at(0, body)
    assert looks.at(10, body).findings[0].cause.reason == "Deleted", "one of the same name is not what we applied"


def test_a_job_that_its_ttl_removed_before_anybody_looked() -> None:
    body = make("Job", "migrate")
    uid = body["metadata"]["uid"]
    done, lost = event(body, "Completed", "Job completed"), event(body, "BackoffLimitExceeded", "often")
    assert watch(body, expected=Expected(uid=uid)).at(0, events=[done]).state == "ready"
    going = make(
        "Job", "migrate", deletionTimestamp="T", status={"conditions": [{"type": "Complete", "status": "True"}]}
    )
    assert watch(going).at(0, going).state == "ready", "its time to live is over as soon as it is complete"
    looks = watch(body, expected=Expected(uid=uid))
    looks.at(0, events=[lost])
    assert looks.at(10, events=[lost]).findings[0].cause.reason == "BackoffLimitExceeded"


def test_a_stateful_set_whose_broken_pod_blocks_its_update() -> None:
    status = {"observedGeneration": 1, "updatedReplicas": 0, "updateRevision": "b", "currentRevision": "a"}
    body = make("StatefulSet", "db", spec={"replicas": 2}, status=status)
    broken = pod(body, "db-0", labels={"controller-revision-hash": "a"})
    assert "pod db-0 of the previous version blocks the update" in watch(body).at(0, body, broken).why
    assert (
        "blocks" not in watch(body).at(0, body, pod(body, "db-0", ready=True, labels=broken["metadata"]["labels"])).why
    )
    parallel = {**body, "spec": {**body["spec"], "podManagementPolicy": "Parallel"}}
    assert "blocks" not in watch(body).at(0, parallel, broken).why


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (deployment(conditions=[LATE]), "ProgressDeadlineExceeded"),
        (deployment(paused=True), "Paused"),
        (
            make("Job", "migrate", status={"conditions": [
                {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "often"}]}),
            "BackoffLimitExceeded",
        ),
        (
            make("Job", "migrate", status={"conditions": [
                {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}),
            "DeadlineExceeded",
        ),
        (make("Pod", "one", status={"phase": "Failed", "reason": "Evicted"}), "Evicted"),
        (make("PersistentVolumeClaim", "data", status={"phase": "Lost"}), "Lost"),
    ],
)  # fmt: skip
def test_failed_for_good(body: Json, cause: str) -> None:
    looks = watch(body)
    looks.at(0, body)
    assert looks.at(9, body).state == "waiting"
    verdict = looks.at(10, body)
    assert verdict.state == "failed"
    assert verdict.findings[0].cause.reason == cause


def test_a_failed_job_points_at_its_last_pods_log() -> None:
    body = make("Job", "migrate", status={"conditions": [{"type": "Failed", "status": "True", "reason": "X"}]})
    pods = [
        pod(body, "old", terminated={"exitCode": 1}, phase="Failed", creationTimestamp="1"),
        pod(body, "new", terminated={"exitCode": 1}, phase="Failed", creationTimestamp="2"),
    ]
    looks = watch(body, replace(POLICY, grace=0))
    verdict = looks.at(0, body, *pods)
    assert len(verdict.findings) == 2, "pods that have ended are no causes of their own"
    finding = verdict.findings[-1]
    assert finding.pod is not None
    assert (finding.pod["metadata"]["name"], finding.cause.container, finding.cause.logs) == ("new", "main", "current")


def test_which_kinds_take_time() -> None:
    assert checked(GroupKind("apps", "Deployment"))
    assert not checked(GroupKind("", "ConfigMap"))
    assert not checked(GroupKind("batch", "CronJob"))


@pytest.mark.parametrize(
    ("body", "count", "last"),
    [
        ({"count": 3, "lastTimestamp": "A", "eventTime": None}, 3, "A"),
        ({"series": {"count": 5, "lastObservedTime": "B"}, "eventTime": "A", "count": None}, 5, "B"),
        ({"eventTime": "A"}, 1, "A"),
    ],
)
def test_both_forms_of_events(body: Json, count: int, last: str) -> None:
    found = Event.of({"involvedObject": {"uid": "u"}, "reason": "R", "type": "Normal", **body})
    assert (found.about, found.count, found.last, found.warning) == ("u", count, last, False)
