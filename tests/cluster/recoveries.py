# SPDX-License-Identifier: MIT
"""Deploys that look ill for a while and get well: none of them may fail, with the limits as they are for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.cluster.desk import autoscaler, documents
from tests.cluster.manifests import (
    CLAIMED,
    LIVE,
    MOUNTS,
    PROBED,
    VOLUMES,
    claim,
    daemon_set,
    stateful_set,
    web,
)

Objects = list[dict[str, Any]]
APPLIED: Final = "kit-deployer/last-updated"
SELECTED: Final = "selector: {matchLabels: {name: web}}"
ENVIRONMENT: Final = "envFrom: [{configMapRef: {name: settings}}]"


@dataclass(frozen=True)
class Recovery:
    """What is deployed, and what is done for it once `ill` is seen: kubectl with each of `help`, then `special`.

    `prior` manifests are there beforehand. All of them contain IMAGE and NAMESPACE.
    """

    name: str
    manifests: str
    prior: str = ""
    ill: Callable[[Objects], bool] | None = None
    help: tuple[tuple[str, ...], ...] = ()
    special: str = ""


def _statuses(objects: Objects) -> Objects:
    return [
        status for body in objects if body["kind"] == "Pod" for status in body["status"].get("containerStatuses") or []
    ]


def waits(*reasons: str) -> Callable[[Objects], bool]:
    """A container waits for one of these reasons."""
    return lambda objects: any(
        (status["state"].get("waiting") or {}).get("reason") in reasons for status in _statuses(objects)
    )


def restarted(objects: Objects) -> bool:
    """A container was restarted."""
    return any(status["restartCount"] for status in _statuses(objects))


def runs(objects: Objects) -> bool:
    """A container runs."""
    return any("running" in status["state"] for status in _statuses(objects))


def failed(objects: Objects) -> bool:
    """A pod has failed."""
    return any(body["kind"] == "Pod" and body["status"]["phase"] == "Failed" for body in objects)


def has(kind: str, name: str, status: str) -> Callable[[Objects], bool]:
    """An object of the kind has this condition."""
    return lambda objects: any(
        (found["type"], found["status"]) == (name, status)
        for body in objects
        if body["kind"] == kind
        for found in body["status"].get("conditions") or []
    )


def applied(kind: str) -> Callable[[Objects], bool]:
    """The deploy has written an object of the kind."""
    return lambda objects: any(
        body["kind"] == kind and APPLIED in body["metadata"].get("annotations", {}) for body in objects
    )


def settings(**data: str) -> str:
    """The ConfigMap whose values are the containers' environment, also of one that is started again."""
    pairs = ", ".join(f"{name}: '{value}'" for name, value in data.items())
    return f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: settings}}, data: {{{pairs}}}}}"


def _set(**data: str) -> tuple[str, ...]:
    pairs = ", ".join(f'"{name}": "{value}"' for name, value in data.items())
    return ("patch", "configmap/settings", "--type=merge", f'--patch={{"data": {{{pairs}}}}}')


GADGET: Final = "{apiVersion: recoveries.kit.example.com/v1, kind: Gadget, metadata: {name: one, annotations: %s}}"
VOLUME: Final = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: late-NAMESPACE}
spec:
  capacity: {storage: 1Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: NAMESPACE
  hostPath: {path: /tmp/late-NAMESPACE, type: DirectoryOrCreate}
"""
PATIENT: Final = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: NAMESPACE}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
"""
RETRIED: Final = """
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 3
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: IMAGE, envFrom: [{configMapRef: {name: settings}}]}]
"""

RECOVERIES: Final = (
    Recovery("slow-start", web(container=PROBED, SLOW_START="20")),
    Recovery(
        "restarted-once",
        documents(settings(CRASH="no database yet"), web(container=f"{ENVIRONMENT}\n        {PROBED}")),
        ill=restarted, help=(_set(CRASH=""),),
    ),
    Recovery(
        "killed-once",
        documents(settings(UNHEALTHY_AFTER="1"), web(container=f"{ENVIRONMENT}\n        {PROBED}\n        {LIVE}")),
        ill=restarted, help=(_set(UNHEALTHY_AFTER="0"),),
    ),
    Recovery(
        "pulled-again", web("IMAGE-NAMESPACE", container=PROBED), ill=waits("ErrImagePull", "ImagePullBackOff"),
        special="push",
    ),
    Recovery(
        "configured-late", web(container=ENVIRONMENT), ill=waits("CreateContainerConfigError"),
        help=(("create", "configmap", "settings", "--from-literal=A=b"),),
    ),
    Recovery(
        "mounted-late", web(pod=VOLUMES, container=MOUNTS), ill=waits("ContainerCreating"),
        help=(("create", "secret", "generic", "nowhere", "--from-literal=A=b"),),
    ),
    Recovery(
        "quota-raised", web(), ill=has("ReplicaSet", "ReplicaFailure", "True"),
        prior="{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: '0'}}}",
        help=(("delete", "resourcequota", "none"),),
    ),
    Recovery(
        "scheduled-late", web(pod="nodeSelector: {late: NAMESPACE}"), ill=has("Pod", "PodScheduled", "False"),
        help=(("label", "nodes", "--selector=!ghost", "late=NAMESPACE", "--overwrite"),),
    ),
    Recovery("scaled-by-an-autoscaler", documents(web(container=PROBED, SLOW_START="3"), autoscaler("web", 3))),
    Recovery(
        "scaled-by-hand", web(container=PROBED, SLOW_START="8"), ill=runs,
        help=(("scale", "deployment/web", "--replicas=3"),),
    ),
    Recovery(
        "surge-zero",
        web(
            container=PROBED, SLOW_START="3", replicas=2,
            spec="strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
        ),
        prior=web(container=PROBED, replicas=2, spec=SELECTED),
    ),
    Recovery(
        "prefix-of-another", web(container=PROBED, SLOW_START="15"),
        prior=web(spec="selector: {matchLabels: {name: web-api}}", CRASH="always").replace(
            "name: web", "name: web-api"
        ).replace("web-api-api", "web-api"),
    ),
    Recovery(
        "old-pods-crash", web(container=PROBED, SLOW_START="15"),
        prior=web(spec=SELECTED, CRASH="always", container=PROBED),
    ),
    Recovery(
        "job-retried", documents(settings(EXIT="1"), RETRIED), ill=failed, help=(_set(EXIT="0"),),
    ),
    Recovery(
        "node-not-ready", web(container=PROBED, SLOW_START="10"), ill=runs, special="node",
    ),
    Recovery(
        "daemon-beside-a-dead-node",
        daemon_set(
            spec="updateStrategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}", container=PROBED,
            pod="tolerations: [{operator: Exists}]",
        ),
    ),
    Recovery(
        "partition", stateful_set(spec="updateStrategy: {rollingUpdate: {partition: 1}}", container=PROBED, NEW="1"),
        prior=stateful_set(container=PROBED),
    ),
    Recovery(
        "on-delete", stateful_set(spec="updateStrategy: {type: OnDelete}", container=PROBED, NEW="1"),
        prior=stateful_set(container=PROBED),
    ),
    Recovery(
        "bound-late",
        documents(claim(spec="storageClassName: NAMESPACE"), web(pod=CLAIMED, container=MOUNTS)),
        ill=applied("PersistentVolumeClaim"), special="volume",
    ),
    Recovery("first-consumer", claim(spec="storageClassName: NAMESPACE"), prior=PATIENT),
    Recovery(
        "balanced-late",
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, ports: [{port: 80}],"
        " selector: {app: x}}}",
        ill=applied("Service"),
        help=((
            "patch", "service/web", "--subresource=status", "--type=merge",
            '--patch={"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}',
        ),),
    ),
    Recovery(
        "custom-late", GADGET % "{}", ill=applied("Gadget"),
        prior=GADGET % "{}",
        help=((
            "patch", "gadgets/one", "--subresource=status", "--type=merge",
            '--patch={"status": {"conditions": [{"type": "Ready", "status": "True"}]}}',
        ),),
    ),
    Recovery(
        "ready-when-late", GADGET % "{kit-deployer/ready-when: '{.status.phase}=Done'}", ill=applied("Gadget"),
        help=((
            "patch", "gadgets/one", "--subresource=status", "--type=merge", '--patch={"status": {"phase": "Done"}}',
        ),),
    ),
)  # fmt: skip
