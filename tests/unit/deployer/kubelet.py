# SPDX-License-Identifier: MIT
"""Objects as controllers and kubelets leave them, and a watch with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit_deployer.health.judge import begin, judge
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Event, Expected, Memory, Policy, Snapshot, Verdict
from kit_deployer.objects import Json, Key, key_of

REVISION = "deployment.kubernetes.io/revision"
PROBED = {"name": "main", "readinessProbe": {"tcpSocket": {"port": 80}}}
POLICY = Policy(grace=10, timeout=600)


def owner(body: Json) -> list[Json]:
    return [{"uid": body["metadata"]["uid"], "controller": True}]


def make(kind: str, name: str, *, status: Json | None = None, spec: Json | None = None, **metadata: Any) -> Json:
    api = {"Pod": "v1", "Job": "batch/v1", "PersistentVolumeClaim": "v1", "Service": "v1",
           "CustomResourceDefinition": "apiextensions.k8s.io/v1"}.get(kind, "apps/v1")  # fmt: skip
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{kind}-{name}", "generation": 1, **metadata}
    return {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec or {}, "status": status or {}}


def deployment(
    *, replicas: int = 1, updated: int = 0, available: int = 0, total: int | None = None, observed: int = 1,
    conditions: Iterable[Json] = (), probed: bool = True, **spec: Any,
) -> Json:  # fmt: skip
    status = {
        "observedGeneration": observed, "updatedReplicas": updated, "availableReplicas": available,
        "replicas": updated if total is None else total, "conditions": list(conditions),
    }  # fmt: skip
    template = {"spec": {"containers": [PROBED if probed else {"name": "main"}]}}
    spec = {"replicas": replicas, "template": template, **spec}
    return make("Deployment", "web", status=status, spec=spec, annotations={REVISION: "2"})


DONE = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too long"}


def replica_set(body: Json, revision: str = "2", **status: Any) -> Json:
    return make("ReplicaSet", f"web-{revision}", ownerReferences=owner(body), annotations={REVISION: revision},
                status=status)  # fmt: skip


def pod(
    body: Json,
    name: str = "web-2-a",
    *,
    waiting: str = "",
    message: str = "",
    restarts: int = 0,
    last: Json | None = None,
    terminated: Json | None = None,
    ready: bool = False,
    init: bool = False,
    conditions: Iterable[Json] = (),
    phase: str = "Pending",
    **metadata: Any,
) -> Json:
    state: Json = {"waiting": {"reason": waiting, "message": message}} if waiting else {"running": {}}
    if terminated is not None:
        state = {"terminated": terminated}
    container = {
        "name": "main", "image": "shop/web:2", "restartCount": restarts, "state": state, "ready": ready,
        "lastState": {"terminated": last} if last else {},
    }  # fmt: skip
    found = [*conditions, {"type": "Ready", "status": str(ready)}]
    status = {"phase": phase, "conditions": found,
              "initContainerStatuses" if init else "containerStatuses": [container]}  # fmt: skip
    return make("Pod", name, ownerReferences=owner(body), status=status, **metadata)


def event(about: Json, reason: str, message: str = "", count: int = 1) -> Event:
    return Event(about["metadata"]["uid"], reason, message, count, last="T")


class Watch:
    """Looks again and again at times that the test says."""

    def __init__(
        self, key: Key, policy: Policy = POLICY, limits: Limits | None = None, expected: Expected | None = None
    ) -> None:
        self.key, self.policy, self.limits = key, policy, limits or Limits()
        self.expected = expected or Expected(generation=1)
        self.memory: Memory = begin(0.0)

    def at(self, now: float, *bodies: Json, events: Iterable[Event] = ()) -> Verdict:
        snapshot = Snapshot.of(bodies, events)
        verdict, self.memory = judge(
            self.key, snapshot, self.memory, now, policy=self.policy, limits=self.limits, expected=self.expected
        )
        return verdict


def watch(body: Json, policy: Policy = POLICY, limits: Limits | None = None, expected: Expected | None = None) -> Watch:
    return Watch(key_of(body), policy, limits, expected)


def failing(**facts: Any) -> list[Json]:
    body = deployment(conditions=[])
    owner_set = replica_set(body)
    return [body, owner_set, pod(owner_set, **facts)]


MISSING = 'failed to resolve reference "shop/web:2": shop/web:2: not found'
PULL = f'Failed to pull image "shop/web:2": rpc error: code = NotFound desc = {MISSING}'
CRASHED = {"exitCode": 1, "reason": "Error"}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
