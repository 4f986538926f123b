# SPDX-License-Identifier: MIT
"""A town whose shops are deployed by fast-rollback: versions beside each other, Services, traffic."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, Outcome, deployment, documents, service

# A busy machine answers late: that takes no pod from its Service.
PROBE = (
    "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 30}"
)
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {name: web}}}
"""


@dataclass
class Town:
    """One namespace with a web, deployed again and again."""

    desk: Desk
    cluster: Cluster
    namespace: str
    image: str

    def deploy(self, number: str, *more: str, text: str | None = None, **settings: str) -> Outcome:
        """Deploy with this id; the id is the content as well, unless `text` says otherwise."""
        self._await_next_second()
        content = text or deployment("web", self.image, container=PROBE, replicas=1, MESSAGE=f"deploy {number}")
        self.desk.write("manifests/shop/web.yaml", documents(content, service("web"), *more))
        return self.desk.deploy(
            STRATEGY="fast-rollback", DEPLOY_ID=number, **{"AVAILABLE_ENABLED": "false", **settings}
        )

    def _await_next_second(self) -> None:
        """Times of creation are whole seconds: what is made within one is neither earlier nor later."""
        made = [item["metadata"]["creationTimestamp"] for item in self.get("deployments")["items"]]
        end = time.monotonic() + 10
        while made and time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) <= max(made):
            assert time.monotonic() < end
            time.sleep(0.05)

    def get(self, *arguments: str) -> Any:
        return self.cluster.get(*arguments, "--namespace", self.namespace)

    def selector(self) -> dict[str, str]:
        found: dict[str, str] = self.get("service", "web")["spec"]["selector"]
        return found

    def deployments(self) -> list[str]:
        return sorted(item["metadata"]["name"] for item in self.get("deployments")["items"])

    def pods(self, number: str) -> dict[str, str]:
        """UID -> name of the pods of a deploy that are not being deleted."""
        items = self.get("pods", "--selector", f"id={number}")["items"]
        return {
            item["metadata"]["uid"]: item["metadata"]["name"]
            for item in items
            if "deletionTimestamp" not in item["metadata"]
        }

    def answers(self, number: str) -> None:
        """Until the Service answers with this deploy: a node's proxy learns of it a moment after the controllers."""
        end = time.monotonic() + 60
        while (
            said := json.loads(self.cluster.fetch("web", namespace=self.namespace, limit=60)).get("message")
        ) != f"deploy {number}":
            assert time.monotonic() < end, said
            time.sleep(0.2)

    def patch(self, kind: str, name: str, patch: Any) -> None:
        self.cluster.kubectl(
            "--namespace", self.namespace, "patch", kind, name, "--type=merge", f"--patch={json.dumps(patch)}"
        )
