# SPDX-License-Identifier: MIT
"""Manifests of workloads, claims, policies and kinds, to be made wrong."""

from __future__ import annotations

from typing import Any, Final

from tests.cluster.desk import deployment, documents

PROBED: Final = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"
LIVE: Final = "livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 1}"


def web(image: str = "IMAGE", *, annotations: str = "{}", **parts: Any) -> str:
    """The manifest of Deployment web; `parts` are those of `deployment`."""
    manifest = deployment("web", image, **parts)
    return manifest.replace("labels: {name: web}}\n", f"labels: {{name: web}}, annotations: {annotations}}}\n", 1)


def stateful_set(name: str = "db", *, spec: str = "", container: str = "", **env: str) -> str:
    """A StatefulSet's manifest of two pods."""
    variables = ", ".join(f"{{name: {key}, value: '{value}'}}" for key, value in env.items())
    return f"""
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}}}
spec:
  serviceName: {name}
  replicas: 2
  {spec}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: IMAGE
        env: [{variables}]
        {container}
"""


def daemon_set(*, annotations: str = "{}", spec: str = "", pod: str = "", container: str = "", **env: str) -> str:
    """A DaemonSet's manifest, which wants a pod on every node, whatever its taints."""
    variables = ", ".join(f"{{name: {key}, value: '{value}'}}" for key, value in env.items())
    return f"""
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: agent, annotations: {annotations}}}
spec:
  {spec}
  selector: {{matchLabels: {{app: agent}}}}
  template:
    metadata: {{labels: {{app: agent}}}}
    spec:
      terminationGracePeriodSeconds: 1
      {pod}
      containers:
      - name: main
        image: IMAGE
        env: [{variables}]
        {container}
"""


def claim(annotations: str = "{}", spec: str = "") -> str:
    """A claim's manifest."""
    return f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data, annotations: {annotations}}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}, {spec}}}
"""


def definition(plural: str, kind: str, group: str) -> str:
    """A CustomResourceDefinition's manifest with a status of any content."""
    return f"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: {plural}, singular: {kind.lower()}, kind: {kind}}}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {{status: {{}}}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
          status: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


VOLUMES: Final = "volumes: [{name: v, secret: {secretName: nowhere}}]"
MOUNTS: Final = "volumeMounts: [{name: v, mountPath: /v}]"
CLAIMED: Final = "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]"
SHORT: Final = "{kit-deployer/timeout: 20s}"


def policy(name: str, resource: str, group: str, message: str) -> str:
    """An admission policy that refuses everything of a kind in NAMESPACE."""
    return documents(
        f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}-NAMESPACE}}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: NAMESPACE}}}}
    resourceRules: [{{apiGroups: ["{group}"], apiVersions: ["*"], operations: [CREATE], resources: [{resource}]}}]
  validations: [{{expression: "false", message: "{message}"}}]
""",
        f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}-NAMESPACE}}
spec: {{policyName: {name}-NAMESPACE, validationActions: [Deny]}}
""",
    )


def webhook(name: str, resource: str, group: str) -> str:
    """An admission webhook for a kind in NAMESPACE whose service is not there."""
    return f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {name}-NAMESPACE}}
webhooks:
- name: {name}.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 1
  clientConfig: {{service: {{name: nowhere, namespace: NAMESPACE}}}}
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: NAMESPACE}}}}
  rules: [{{apiGroups: ["{group}"], apiVersions: ["*"], operations: [CREATE], resources: [{resource}]}}]
"""


BAD_JOB: Final = """
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {kit-deployer/timeout: 1m}}
spec:
  activeDeadlineSeconds: 3
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: 'IMAGE', env: [{name: EXIT, value: '0'}, {name: RUN_FOR, value: '600'}]}]
"""
