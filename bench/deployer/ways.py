# SPDX-License-Identifier: MIT
"""What applies a folder of manifests: kit-deployer and the others, each as the process that a pipeline would start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.deployer import manifests
from bench.deployer.floor import patch_all
from bench.measure import Run, median, python_env, run_process
from testbed.cluster import Cluster
from testbed.docker import docker

KIT: Final = "kit-deployer"
KUBECTL: Final = "kubectl apply --server-side"
APPLYSET: Final = "kubectl apply --server-side --prune --applyset"
HELM: Final = "helm upgrade --install"
PLAIN: Final = "20 bare connections, the manifests as they are"
FLOOR: Final = "20 bare connections, the patches that kit-deployer sends"

STEP: Final = [sys.executable, "-m", "kit_deployer"]


@dataclass(frozen=True)
class Ways:
    """Applies `count` objects to `cluster`, whose API server is at `port` of 127.0.0.1, in any of the ways."""

    cluster: Cluster
    port: int
    count: int
    folder: Path
    kubectl: Path
    helm: Path

    def run(self, way: str, namespace: str, version: int) -> Run:
        """One apply of all objects in this version. Raises `RuntimeError` where it fails."""
        if way in {PLAIN, FLOOR}:
            credentials = self.cluster.credentials
            return patch_all(self.port, credentials, namespace, self.count, version, stamped=way == FLOOR)
        place = self.folder / namespace
        objects = place / "manifests" / namespace
        manifests.write(objects, self.count, version)
        config = self._kubeconfig(place / "configs" / namespace, namespace)
        if way == KIT:
            return run_process(STEP, step_env(place, self.folder / "compiled"))
        env = {"PATH": os.environ["PATH"], "HOME": str(place), "KUBECONFIG": str(config)}
        if way == HELM:
            return run_process([str(self.helm), "upgrade", "--install", "bench", str(_chart(place, objects))], env)
        options = ["--server-side"]
        if way == APPLYSET:
            env["KUBECTL_APPLYSET"] = "true"
            options += ["--prune", "--applyset=bench"]
        return run_process([str(self.kubectl), "apply", *options, "--namespace", namespace, "-f", str(objects)], env)

    def start_up(self, way: str) -> float:
        """Seconds that the way's program takes to say its version: what it costs before it does anything."""
        commands = {
            KIT: [*STEP, "--version"],
            KUBECTL: [str(self.kubectl), "version", "--client"],
            APPLYSET: [str(self.kubectl), "version", "--client"],
            HELM: [str(self.helm), "version"],
        }
        if way not in commands:
            return 0.0
        env = python_env(str(self.folder / "compiled"), HOME=str(self.folder))
        return median([run_process(commands[way], env).wall for _ in range(5)])

    def _kubeconfig(self, folder: Path, namespace: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        text = self.cluster.kubeconfig(namespace, namespace, inside=False)
        file = folder / "kubeconfig"
        file.write_text(text.replace(self.cluster.server_outside, f"https://127.0.0.1:{self.port}"))
        return file


def step_env(place: Path, compiled: Path, **others: str) -> Mapping[str, str]:
    """The environment of a real deploy of `place`/configs and `place`/manifests."""
    given = {
        "CONFIGS": str(place / "configs/*/kubeconfig"),
        "MANIFESTS_DIR": str(place / "manifests"),
        "NAMESPACES_DIR": str(place / "namespaces"),
        "DRY_RUN": "false",
    }
    return python_env(str(compiled), **given, **others)


def _chart(place: Path, objects: Path) -> Path:
    """A chart whose templates are the manifests as they are."""
    chart = place / "chart"
    chart.mkdir(exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: bench\nversion: 1.0.0\n")
    templates = chart / "templates"
    if not templates.exists():
        templates.symlink_to(objects)
    return chart


def kubectl_of(image: str, folder: Path) -> Path:
    """kubectl, copied out of the testbed's image."""
    container = docker("create", image).stdout.strip()
    try:
        docker("cp", f"{container}:/usr/local/bin/kubectl", str(folder))
    finally:
        docker("rm", container)
    return folder / "kubectl"
