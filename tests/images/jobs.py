# SPDX-License-Identifier: MIT
"""A job for each step that goes on until somebody ends it: the other side takes the connection and never answers."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.docker import docker
from tests.images.running import Image, eventually

KUBECONFIG = """apiVersion: v1
kind: Config
metadata: {name: one}
clusters: [{name: one, cluster: {server: "https://localhost:8443", insecure-skip-tls-verify: true}}]
contexts: [{name: one, context: {cluster: one, user: one, namespace: shop}}]
current-context: one
users: [{name: one, user: {token: %s}}]
"""
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {greeting: hello}\n"
KIT = """base: {path: .}
images: {path: images, property: image}
type: {path: type}
cluster: {path: clusters}
resources: {path: resources}
output: {path: generated}
"""
PLUGIN = """plugin: {path: plugins/env-api-client-v3, options: {apiUrl: "http://localhost:8443"}}
"""
REPOSITORY = {
    "kit.yaml": KIT,
    "base-cluster.yaml": """kind: ClusterNamespace
metadata: {branch: master}
resources:
  settings:
    file: settings.mustache
    image: registry.example/shop/web:1
    annotations: {kit-deploymentizer/env-api-service: settings}
""",
    "base-var.yaml": "kind: ResourceConfig\n",
    "clusters/one/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: one, type: test}\n",
    "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\n",
    "resources/settings.mustache": MANIFEST,
}
"""What kit-deploymentizer renders one file of: generated/one/settings.yaml."""


@dataclass(frozen=True)
class Job:
    """Options of `docker run`, how to see that the step waits, and what it is told to do where it has to be."""

    options: tuple[str, ...]
    peer: str
    arguments: tuple[str, ...] = ()

    def wait_until_under_way(self, container: str) -> None:
        """Wait until the step has turned to the side that does not answer."""
        eventually(
            lambda: "asked" in docker("logs", self.peer).stdout,
            "the step to ask",
            otherwise=lambda: docker("logs", container).stderr,
        )


def endless_job(image: Image, *, token: str = "nothing") -> Job:
    """What makes this image's step wait. `token` is a credential that it needs on the way."""
    script = "while true; do nc -l -p 8443 -e sh -c 'echo asked > /proc/1/fd/1; exec sleep 600'; done"
    peer = image.start("-c", script, options=("--entrypoint", "/bin/sh"))
    arguments = ("cleanup",) if image.name == "kit-pipeline" else ()
    return Job(("--network", f"container:{peer}", *_work(image, token)), peer, arguments)


def _work(image: Image, token: str) -> tuple[str, ...]:
    if image.name == "kit-deploymentizer":
        work = image.owned(0)
        for name, text in {**REPOSITORY, "kit.yaml": KIT + PLUGIN}.items():
            image.write(work, name, text, uid=0)
        return ("-v", f"{work}:/manifests", "-w", "/manifests", "-e", f"ENVAPI_ACCESS_TOKEN={token}")
    if image.name == "kit-pipeline":
        return ("-e", "DOCKER_HOST=tcp://localhost:8443", "-e", f"CODESHIP_AES_KEY={token}")
    if image.name == "kit-deployer":
        manifests, configs = image.owned(0), image.owned(0, name="configs")
        image.write(manifests, "one/settings.yaml", MANIFEST, uid=0)
        image.write(configs, "one/kubeconfig", KUBECONFIG % token, uid=0)
        return ("-v", f"{manifests}:/manifests", "-v", f"{configs}:/configs")
    settings = {
        "KIT_GIT_URL": "http://localhost:8443/deployments.git",
        "KIT_GIT_USERNAME": "service",
        "KIT_GIT_PASSWORD": token,
        "DOCKER_REPO": "shop/web",
        "CI_BRANCH": "master",
        "IMAGE": "registry.example/shop/web:1",
        "COMMIT": "true",
    }
    return tuple(part for item in settings.items() for part in ("-e", "=".join(item)))
