# SPDX-License-Identifier: MIT
"""Everything that goes wrong on a real node or control plane, and what a person must be told of it.

Each ailment is a cluster folder of its own; `docs/troubleshooting.md` explains each of their reasons.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from tests.cluster.desk import documents, job
from tests.cluster.manifests import (
    BAD_JOB,
    CLAIMED,
    LIVE,
    MOUNTS,
    PROBED,
    SHORT,
    VOLUMES,
    claim,
    daemon_set,
    definition,
    policy,
    stateful_set,
    web,
    webhook,
)


@dataclass(frozen=True)
class Ailment:
    """What is deployed, and what has to be said: the failure's reason and, of the rest, parts of the texts.

    `pod` is how its name begins. `prior` manifests are there beforehand, then kubectl is run with each of `commands`.
    All of them contain IMAGE and NAMESPACE.
    """

    name: str
    manifests: str
    reason: str
    says: tuple[str, ...]
    object: str = "Deployment/web"
    code: int = 1
    pod: str = ""
    container: str = ""
    event: str = ""
    logs: str = ""
    prior: str = ""
    commands: tuple[tuple[str, ...], ...] = ()


IMAGE_AND_CONFIGURATION: Final = (
    Ailment(
        "image-missing", web("IMAGE-no-such-tag"), "ErrImagePull", ("not found", "no-such-tag", "imagePullSecrets"),
        pod="web-", container="main", event="Failed to pull image",
    ),
    Ailment("image-name", web("UPPER case"), "InvalidImageName", ("UPPER case",), pod="web-", container="main"),
    Ailment(
        "image-never", web("nowhere:1", container="imagePullPolicy: Never"), "ErrImageNeverPull",
        ("imagePullPolicy is Never",), pod="web-", container="main", event="ErrImageNeverPull",
    ),
    Ailment(
        "registry-down", web("dead.example.com/shop/web:1"), "ErrImagePull", ("connection refused",),
        pod="web-", container="main", event="Failed to pull image",
    ),
    Ailment(
        "config-map", web(container="envFrom: [{configMapRef: {name: nowhere}}]"), "CreateContainerConfigError",
        ('configmap "nowhere" not found',), pod="web-", container="main", event="nowhere",
    ),
    Ailment(
        "config-key",
        documents(
            web(container="envFrom: [{secretRef: {name: some, optional: true}}]").replace(
                "env: []", "env: [{name: A, valueFrom: {configMapKeyRef: {name: some, key: absent}}}]"
            ),
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: some}, data: {present: x}}",
        ),
        "CreateContainerConfigError", ("couldn't find key absent in ConfigMap",), pod="web-", container="main",
    ),
    Ailment(
        "secret", web(container="envFrom: [{secretRef: {name: nowhere}}]"), "CreateContainerConfigError",
        ('secret "nowhere" not found',), pod="web-", container="main",
    ),
    Ailment(
        "secret-volume", web(pod=VOLUMES, container=MOUNTS), "FailedMount", ('secret "nowhere" not found',),
        pod="web-", event="FailedMount",
    ),
)  # fmt: skip
CONTAINERS: Final = (
    Ailment(
        "crash", web(CRASH="cannot open the database"), "CrashLoopBackOff", ("exit code 1", "restarts"),
        pod="web-", container="main", event="BackOff", logs="cannot open the database",
    ),
    Ailment(
        "command", web(container="command: [/nowhere]"), "CrashLoopBackOff", ("/nowhere", "no such file or directory"),
        pod="web-", container="main",
    ),
    Ailment(
        "memory", web(container="resources: {limits: {memory: 24Mi}}", EAT_MEMORY="200"), "OOMKilled",
        ("more memory than its limit allows", "resources.limits.memory"), pod="web-", container="main",
    ),
    Ailment(
        "liveness", web(container=f"{LIVE}\n        {PROBED}", UNHEALTHY_AFTER="1", NOT_READY="true"),
        "CrashLoopBackOff", ("because of its liveness probe", "statuscode: 500"), pod="web-", container="main",
        event="Liveness probe failed",
    ),
    Ailment(
        "init", web(pod="initContainers: [{name: prepare, image: 'IMAGE', env: [{name: EXIT, value: '3'}]}]"),
        "CrashLoopBackOff", ("exit code 3",), pod="web-", container="prepare", logs="exit code 3",
    ),
    Ailment(
        "readiness", web(container=PROBED, NOT_READY="true", annotations=SHORT), "NotReady",
        ("was not healthy after 2", "Readiness probe failed"), code=70, pod="web-", container="main",
        event="Readiness probe failed", logs="listening",
    ),
    Ailment(
        "deadline", web(container=PROBED, NOT_READY="true", spec="progressDeadlineSeconds: 3"),
        "ProgressDeadlineExceeded", ("has timed out progressing",), pod="web-", container="main",
    ),
    Ailment("paused", web(spec="paused: true"), "Paused", ("spec.paused",)),
    Ailment(
        "bare-pod",
        """
apiVersion: v1
kind: Pod
metadata: {name: once}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: IMAGE
    env: [{name: EXIT, value: '5'}]
    readinessProbe: {httpGet: {path: /ready, port: 8080}}
""",
        "Failed", ("exit code 5",), object="Pod/once", pod="once", container="main", logs="exit code 5",
    ),
    Ailment(
        "stateful", stateful_set(CRASH="no disk"), "CrashLoopBackOff", ("of 2 pods",), object="StatefulSet/db",
        pod="db-0", container="main", logs="no disk",
    ),
    Ailment(
        "stateful-blocked",
        stateful_set().replace("metadata: {name: db}", f"metadata: {{name: db, annotations: {SHORT}}}"), "Timeout",
        ("pod db-0 of the previous version blocks the update",), object="StatefulSet/db", code=70,
        prior=stateful_set(container=PROBED, NOT_READY="true"),
        commands=(("wait", "--for=create", "pod/db-0", "--namespace=NAMESPACE", "--timeout=30s"),),
    ),
    Ailment(
        "daemon", daemon_set(container=PROBED, NOT_READY="true", annotations=SHORT), "NotReady",
        ("available on 0 of 1 nodes", "Readiness probe failed"), object="DaemonSet/agent", code=70,
        pod="agent-", container="main",
    ),
    Ailment(
        "daemon-partial",
        # The node that only exists in the API says that it is ready, and starts nothing.
        daemon_set(
            annotations=SHORT,
            spec="updateStrategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}",
            pod="tolerations: [{operator: Exists}]",
        ),
        "NotReady", ("available on 1 of 2 nodes", "on node ghost", "its node has not begun to start it"),
        object="DaemonSet/agent", code=70, pod="agent-",
    ),
)  # fmt: skip
CLUSTER: Final = (
    Ailment(
        "resources", web(container="resources: {requests: {cpu: 9999}}"), "FailedScheduling", ("Insufficient cpu",),
        pod="web-", event="FailedScheduling",
    ),
    Ailment(
        "selector", web(pod="nodeSelector: {disk: nowhere}"), "FailedScheduling",
        ("didn't match Pod's node affinity/selector",), pod="web-", event="FailedScheduling",
    ),
    Ailment(
        "taint", web(pod="nodeSelector: {ghost: 'true'}"), "FailedScheduling", ("untolerated taint",), pod="web-",
    ),
    Ailment(
        "quota",
        documents("{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: '0'}}}", web()),
        "FailedCreate", ("exceeded quota: none",),
    ),
    Ailment(
        "service-account", web(pod="serviceAccountName: nowhere"), "FailedCreate",
        ('serviceaccount "nowhere" not found',),
    ),
    Ailment(
        "admission", web(), "FailedCreate", ("denied request: no pods on Mondays",),
        prior=policy("pods", "pods", "", "no pods on Mondays"),
    ),
    Ailment(
        "admission-job", job("migrate", "IMAGE"), "FailedCreate", ("no pods on Mondays",), object="Job/migrate",
        event="FailedCreate", prior=policy("pods", "pods", "", "no pods on Mondays"),
    ),
    Ailment(
        "webhook-pods", web(), "FailedCreate", ('failed calling webhook "pods.example.com"',),
        prior=webhook("pods", "pods", ""),
    ),
    Ailment(
        "claim", claim(SHORT), "Timeout", ("not bound yet: FailedBinding", "no storage class is set"),
        object="PersistentVolumeClaim/data", code=70,
    ),
    Ailment(
        "claim-of-a-pod", documents(claim(), web(pod=CLAIMED, container=MOUNTS)), "FailedScheduling",
        ("unbound immediate PersistentVolumeClaims",), pod="web-",
    ),
    Ailment(
        "load-balancer",
        f"{{apiVersion: v1, kind: Service, metadata: {{name: web, annotations: {SHORT}}},"
        " spec: {type: LoadBalancer, selector: {app: x}, ports: [{port: 80}]}}",
        "Timeout", ("its load balancer has no address yet",), object="Service/web", code=70,
    ),
    Ailment(
        "job", job("migrate", "IMAGE", 4), "BackoffLimitExceeded", ("exit code 4", "backoff limit"),
        object="Job/migrate", pod="migrate-", container="main", logs="exit code 4",
    ),
    Ailment("job-deadline", BAD_JOB, "DeadlineExceeded", ("longer than specified deadline",), object="Job/migrate"),
    Ailment("deleted", web(container=PROBED, NOT_READY="true"), "Deleted", ("somebody deleted it",)),
    Ailment(
        "held",
        web(container=PROBED, NOT_READY="true").replace("metadata: {", "metadata: {finalizers: [shop/hold], ", 1),
        "Terminating", ("somebody deletes it", "shop/hold"), code=70,
    ),
)  # fmt: skip
HOLD: Final = '{"metadata": {"finalizers": ["example.com/hold"]}}'
REFUSED: Final = (
    Ailment("refused", web(), "", ("was refused by the server", "no Deployments here"),
            prior=policy("sets", "deployments", "apps", "no Deployments here")),
    Ailment("webhook", web(), "", ("was refused by the server", 'failed calling webhook "sets.example.com"'),
            prior=webhook("sets", "deployments", "apps")),
    Ailment(
        "terminating", web(), "", ("is being terminated",), object="",
        commands=(
            ("patch", "namespace", "NAMESPACE", "--type=merge", f"--patch={HOLD}"),
            ("delete", "namespace", "NAMESPACE", "--wait=false"),
        ),
    ),
)  # fmt: skip
"""What the server refuses when it is applied. The failure has no reason: the sentence is the server's."""
GROUP: Final = "ailments.kit.example.com"
GADGETS: Final = definition("gadgets", "Gadget", GROUP)
GADGET: Final = f"{{apiVersion: {GROUP}/v1, kind: Gadget, metadata: {{name: one, annotations: %s}}}}"


def _becomes(status: str) -> tuple[tuple[str, ...], ...]:
    patch = f'--patch={{"status": {status}}}'
    return (("patch", "gadgets/one", "--namespace=NAMESPACE", "--subresource=status", "--type=merge", patch),)


def _condition(name: str, value: str, reason: str, message: str) -> tuple[tuple[str, ...], ...]:
    found = json.dumps({"type": name, "status": value, "reason": reason, "message": message})
    return _becomes(f'{{"conditions": [{found}]}}')


CUSTOM: Final = (
    Ailment(
        "stalled", GADGET % "{}", "OutOfGadgets", ("there are no more",), object="Gadget/one",
        prior=GADGET % "{}",
        commands=_condition("Stalled", "True", "OutOfGadgets", "there are no more"),
    ),
    Ailment(
        "not-ready", GADGET % SHORT, "Timeout", ("it is not Ready: Baking: still in the oven",), object="Gadget/one",
        code=70, prior=GADGET % "{}",
        commands=_condition("Ready", "False", "Baking", "still in the oven"),
    ),
    Ailment(
        "failed-when", GADGET % "{kit-deployer/failed-when: '{.status.phase}=Burnt'}", "FailedWhen",
        ("{.status.phase}=Burnt holds",), object="Gadget/one", prior=GADGET % "{}",
        commands=_becomes('{"phase":"Burnt"}'),
    ),
    Ailment(
        "ready-when", GADGET % "{kit-deployer/ready-when: '{.status.phase}=Done', kit-deployer/timeout: 20s}",
        "Timeout", ("{.status.phase}=Done does not hold yet", "found: nothing"), object="Gadget/one", code=70,
    ),
    Ailment(
        "names-taken",
        definition("NAMESPACE", "Gadget", GROUP).replace("singular: gadget", "singular: NAMESPACE"),
        "ListKindConflict", ("is already in use",),
        object=f"CustomResourceDefinition/NAMESPACE.{GROUP}",
    ),
)  # fmt: skip
AILMENTS: Final = (*IMAGE_AND_CONFIGURATION, *CONTAINERS, *CLUSTER, *REFUSED, *CUSTOM)
