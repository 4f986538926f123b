# SPDX-License-Identifier: MIT
"""Many small deploys side by side on one real cluster, each in a namespace of its own: the run lasts as the longest."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kit_deployer import Deployer, Options
from kit_deployer.report.document import document
from testbed.cluster import Cluster
from tests.cluster.desk import Desk

GHOST = """
apiVersion: v1
kind: Node
metadata: {name: ghost, labels: {ghost: "true"}}
spec: {taints: [{key: haunted, effect: NoSchedule}]}
"""
"""A node that exists in the API only."""


class Ward:
    """A cluster folder for each name, with its namespace. `close` removes everything."""

    def __init__(self, cluster: Cluster, root: Path, image: str) -> None:
        self.cluster = cluster
        self.desk = Desk(root)
        self.image = image
        self.namespaces: dict[str, str] = {}
        self._lasting: list[str] = []

    def admit(self, manifests: Mapping[str, str], prior: Mapping[str, str] | None = None) -> None:
        """Make a namespace for each name, put what is there before into it and write what will be deployed."""
        self.namespaces |= {name: f"{name}-{uuid.uuid4().hex[:6]}" for name in manifests}
        spaces = [
            f'{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "{self.namespaces[name]}"}}}}'
            for name in manifests
        ]
        self.cluster.apply("\n---\n".join(spaces))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda item: self.lasting(self.fitted(*item), item[0]), (prior or {}).items()))
        for name, text in manifests.items():
            self.desk.target(name, self.cluster.kubeconfig(name, self.namespaces[name], inside=False))
            self.desk.write(f"manifests/{name}/all.yaml", self.fitted(name, text))

    def fitted(self, name: str, text: str) -> str:
        """A manifest or a command for a name's namespace."""
        return text.replace("NAMESPACE", self.namespaces[name]).replace("IMAGE", self.image)

    def lasting(self, manifests: str, name: str | None = None) -> None:
        """Apply manifests that may live in no namespace: they are deleted at the end.

        From the client's side, as most of what deploys find was: their fields are taken over.
        """
        self._lasting.append(manifests)
        where = [f"--namespace={self.namespaces[name]}"] if name else []
        self.cluster.kubectl(*where, "apply", "--filename=-", stdin=manifests)

    def run(self, options: Options) -> dict[str, Any]:
        """Deploy everything; what `report.json` says of each name."""
        deployer = Deployer(
            configs=self.desk.settings["CONFIGS"],
            manifests_dir=self.desk.root / "manifests",
            namespaces_dir=self.desk.root / "no",
        )
        result: Any = document(deployer.run(options))
        return {cluster["name"]: cluster for cluster in result["clusters"]}

    def close(self) -> None:
        """Remove everything; nobody waits for namespaces."""
        gone = ("delete", "--wait=false", "--ignore-not-found", "--filename=-")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda text: self.cluster.kubectl(*gone, stdin=text, check=False), self._lasting))
        if self.namespaces:
            names = self.namespaces.values()
            self.cluster.kubectl("delete", "namespace", *names, "--wait=false", "--ignore-not-found")
