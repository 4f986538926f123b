# SPDX-License-Identifier: MIT
"""Runs that are watched: by accounts that the audit log tells apart, and by what they say and change."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, Outcome

ROOT = Path(__file__).parents[2]
READ = {"get", "list", "watch"}


@dataclass
class Account:
    """A service account that the audit log tells apart from everybody else."""

    cluster: Cluster
    namespace: str
    name: str

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def kubeconfig(self) -> str:
        token = self.cluster.token(self.name, self.namespace)
        return self.cluster.kubeconfig("shop", self.namespace, inside=False, token=token)

    def requests(self) -> list[Any]:
        """What the server noted of this account's requests. The log is written as requests end."""
        mark = f"audit-{time.monotonic_ns()}"
        self.cluster.kubectl("get", "namespace", mark, check=False)
        end = time.monotonic() + 20
        while mark not in (log := self.cluster.logs("audit")):
            assert time.monotonic() < end, "the audit log does not go on"
            time.sleep(0.05)
        events = [json.loads(line) for line in log.splitlines() if self.user in line]
        return [event for event in events if event["user"]["username"] == self.user]


def account(cluster: Cluster, namespace: str, name: str, role: str) -> Iterator[Account]:
    binding = f"{name}-{namespace}"
    cluster.kubectl("--namespace", namespace, "create", "serviceaccount", name)
    cluster.kubectl("create", "clusterrolebinding", binding, f"--clusterrole={role}",
                    f"--serviceaccount={namespace}:{name}")  # fmt: skip
    yield Account(cluster, namespace, name)
    cluster.kubectl("delete", "clusterrolebinding", binding)


def dry(desk: Desk, kubeconfig: str, word: str = "true", **env: str) -> Outcome:
    desk.target("shop", kubeconfig)
    files = {"KIT_DIFF_FILE": str(desk.root / "diff.md"), "DEBUG": "true"}
    return desk.deploy(DRY_RUN=word, DIFF="true", **files, **env)


def crd(group: str) -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: shops.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Shop, plural: shops, singular: shop}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""


def fingerprint(cluster: Cluster, namespace: str) -> str:
    found = cluster.get("configmaps,secrets,services,deployments,jobs", "--namespace", namespace)
    return json.dumps([[item["kind"], item["metadata"]["name"], item["metadata"]["resourceVersion"]]
                       for item in found["items"] if item["metadata"]["name"] != "kube-root-ca.crt"])  # fmt: skip


def changed(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def objects(run: Outcome) -> dict[str, Any]:
    return {f"{item['kind']}/{item['name']}": item for item in run.cluster("shop")["objects"]}


def everything_written(run: Outcome, root: Path) -> dict[str, str]:
    files = [*(root / "reports").iterdir(), root / "diff.md"]
    return {"log": run.log} | {path.name: path.read_text() for path in files}
