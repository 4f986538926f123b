# SPDX-License-Identifier: MIT
"""A Kubernetes cluster in one container: control plane and one real node."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed import kubeconfig as kubeconfigs
from testbed.container import Container
from testbed.docker import docker
from testbed.kubeconfig import Credentials

_ADMIN = "/run/kit/conf/admin.yaml"

# What a node needs, spelt out for engines that themselves lack CAP_SYS_RESOURCE and so cannot grant --privileged.
_NEARLY_PRIVILEGED = (
    "--cap-add=ALL", "--cap-drop=SYS_RESOURCE",
    "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
    "--security-opt", "systempaths=unconfined", "--device-cgroup-rule", "a *:* rwm",
)  # fmt: skip


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    `name` is its host name in the testbed's network and its node's name; `port` is the API server's on 127.0.0.1.
    """

    container: Container
    name: str
    port: int
    credentials: Credentials = field(repr=False)

    @property
    def server_inside(self) -> str:
        """The API server's address in the testbed's network."""
        return f"https://{self.name}:6443"

    @property
    def server_outside(self) -> str:
        """The API server's address on this machine."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig_inside(self) -> str:
        """A kubeconfig (text) for containers in the testbed's network."""
        return self.kubeconfig()

    @property
    def kubeconfig_outside(self) -> str:
        """A kubeconfig (text) for programs on this machine."""
        return self.kubeconfig(inside=False)

    def kubeconfig(
        self,
        name: str | None = None,
        namespace: str | None = None,
        *,
        inside: bool = True,
        labels: dict[str, str] | None = None,
        token: str | None = None,
    ) -> str:
        """A kubeconfig (text) of the administrator, with `metadata.name` and the context's namespace where given.

        With `token` it is that of the account whose token it is.
        """
        server = self.server_inside if inside else self.server_outside
        return kubeconfigs.kubeconfig(
            self.name, server, self.credentials, name=name, namespace=namespace, labels=labels, token=token
        )

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the container as administrator.

        `timeout` is in seconds; raises TestbedError on failure when `check` is set.
        """
        return self.container.execute(
            "kubectl", f"--kubeconfig={_ADMIN}", *arguments, stdin=stdin, check=check, timeout=timeout
        )

    def get(self, *arguments: str) -> Any:
        """What `kubectl get ARGUMENTS` finds, as parsed JSON."""
        return json.loads(self.kubectl("get", *arguments, "--output=json").stdout)

    def apply(self, manifests: str, namespace: str | None = None) -> None:
        """Apply manifests (YAML or JSON text) by server-side apply, in a namespace or where each says it belongs."""
        where = ["--namespace", namespace] if namespace else []
        self.kubectl(*where, "apply", "--server-side", "--filename=-", stdin=manifests)

    def create_namespace(self, prefix: str = "test", labels: Mapping[str, str] | None = None) -> str:
        """Create a namespace with a name of its own, ready to run pods; returns the name."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.kubectl("create", "namespace", name)
        if labels:
            self.kubectl("label", "namespace", name, *(f"{key}={value}" for key, value in labels.items()))
        self.container.await_true(
            f"kubectl --kubeconfig={_ADMIN} -n {name} get serviceaccount default >/dev/null 2>&1",
            what=f"default service account in {name}",
            limit=30,
        )
        return name

    def delete_namespace(self, name: str) -> None:
        """Start deleting a namespace; what is in it goes on its own time."""
        self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")

    def fetch(
        self, service: str, path: str = "/", *, namespace: str = "default", port: int = 80, limit: float = 15
    ) -> str:
        """What a Service answers over HTTP at its cluster address, asked from the node.

        A Service that does not answer yet is asked again, for `limit` seconds (the node's rules follow the pods'
        readiness
        with a delay); then TestbedError.
        """
        address = self.kubectl(
            "--namespace", namespace, "get", "service", service, "--output=jsonpath={.spec.clusterIP}"
        ).stdout
        url = f"http://{address}:{port}{path}"
        return self.container.await_true(
            f"curl -sSf --max-time 3 '{url}'", what=f"answer of Service {namespace}/{service} at {url}", limit=limit
        )

    def token(self, account: str, namespace: str) -> str:
        """A token of a service account, good for a day."""
        return self.kubectl("--namespace", namespace, "create", "token", account, "--duration=24h").stdout.strip()

    def logs(self, part: str) -> str:
        """The log of a program in the container: etcd, kube-apiserver, kubelet, containerd, audit, …"""
        return self.container.execute("cat", f"/var/log/kit/{part}.log").stdout


def start(bed: str, image: str, name: str, *, registry: str, registry_names: str, privileged: bool) -> Cluster:
    """Start a cluster's container and wait until its node takes pods."""
    container = Container(bed, name)
    options = [
        *(["--privileged"] if privileged else _NEARLY_PRIVILEGED), "--cgroupns=private",
        "--tmpfs", "/run", "--tmpfs", "/tmp",
        *container.volume("/var/lib/containerd"), *container.volume("/var/lib/kubelet"),
        *container.volume("/var/lib/etcd"),
        "--env", f"REGISTRY={registry}", "--env", f"REGISTRY_NAMES={registry_names}",
    ]  # fmt: skip
    container.start(image, ["kit-cluster"], options=options, ports=[6443])
    container.await_true("[ -e /run/kit/ready ]", what="ready cluster", limit=180)
    return attach(bed, name)


def attach(bed: str, name: str) -> Cluster:
    """A cluster of a running testbed."""
    container = Container(bed, name)
    script = "cd /run/kit/pki && for f in ca.crt admin.crt admin.key; do base64 -w0 $f; echo; done"
    authority, certificate, key = container.execute("sh", "-c", script).stdout.split()
    return Cluster(container, name, container.port(6443), Credentials(authority, certificate, key))


def may_be_privileged(image: str) -> bool:
    """Whether the engine can grant --privileged.

    One that itself lacks a capability refuses to start such a container.
    """
    return docker("run", "--rm", "--privileged", "--entrypoint", "true", image, check=False).returncode == 0
