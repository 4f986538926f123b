# SPDX-License-Identifier: MIT
"""A job for each step that goes on until somebody ends it: the other side takes the connection and never answers."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.docker import docker
from tests.images.running import Image, eventually

KUBECONFIG = """apiVersion: v1
kind: Config
metadata: {name: one}
clusters: [{name: one, cluster: {server: "https://silent:8443", insecure-skip-tls-verify: true}}]
contexts: [{name: one, context: {cluster: one, user: one, namespace: shop}}]
current-context: one
users: [{name: one, user: {token: %s}}]
"""
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {greeting: hello}\n"


@dataclass(frozen=True)
class Job:
    """Options of `docker run`, and how to see that the step waits."""

    options: tuple[str, ...]
    peer: str

    def wait_until_under_way(self) -> None:
        """Wait until the step has turned to the side that does not answer."""
        eventually(lambda: "asked" in docker("logs", self.peer).stdout, "the step to be waiting")


def endless_job(image: Image, network: str, *, token: str = "nothing") -> Job:
    """What makes this image's step wait. `token` is a credential that it needs on the way."""
    options = ("--network", network)
    if image.name == "kit-deploymentizer":
        # Nobody ever writes into this kit.yaml.
        work = image.owned(0)
        image.as_root("mkfifo /folder/work/kit.yaml")
        script = "exec 3>/folder/work/kit.yaml; echo asked; exec sleep 600"
        peer = image.start("-c", script, options=("--entrypoint", "/bin/sh", "-v", f"{image.folder}:/folder"))
        return Job((*options, "-v", f"{work}:/manifests"), peer)
    script = "while true; do nc -l -p 8443 -e sh -c 'echo asked > /proc/1/fd/1; exec sleep 600'; done"
    peer = image.start("-c", script, options=("--entrypoint", "/bin/sh", "--network-alias", "silent", *options))
    if image.name == "kit-deployer":
        manifests, configs = image.owned(0), image.owned(0, name="configs")
        image.write(manifests, "one/settings.yaml", MANIFEST, uid=0)
        image.write(configs, "one/kubeconfig", KUBECONFIG % token, uid=0)
        return Job((*options, "-v", f"{manifests}:/manifests", "-v", f"{configs}:/configs"), peer)
    settings = {
        "KIT_GIT_URL": "http://silent:8443/deployments.git",
        "KIT_GIT_USERNAME": "service",
        "KIT_GIT_PASSWORD": token,
        "DOCKER_REPO": "shop/web",
        "CI_BRANCH": "master",
        "IMAGE": "registry.example/shop/web:1",
        "COMMIT": "true",
    }
    return Job((*options, *(part for item in settings.items() for part in ("-e", "=".join(item)))), peer)
