# SPDX-License-Identifier: MIT
"""Deploying to real clusters: folders of kubeconfigs and manifests, the program run on them, what it said."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from kit_core.entry import main
from kit_deployer.cli import STEP

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "schemas/report.schema.json").read_text()))
"""Every report of a real run follows it."""

QUICK = {
    "DRY_RUN": "false",
    "AVAILABLE_ENABLED": "true",
    "AVAILABLE_HEALTH_CHECK_GRACE_PERIOD": "1",
    "AVAILABLE_TIMEOUT": "90",
    "BACKOFF_FAIL_AFTER": "1",
    "BACKOFF_INITIAL_DELAY": "100",
}


@dataclass(frozen=True)
class Outcome:
    """What a run left: exit code, log, `report.json`."""

    code: int
    log: str
    report: Any

    def cluster(self, name: str) -> Any:
        return next(cluster for cluster in self.report["clusters"] if cluster["name"] == name)

    def did(self, name: str) -> dict[str, str]:
        """Kind/name -> what was done, of one cluster."""
        return {f"{item['kind']}/{item['name']}": item["result"] for item in self.cluster(name)["objects"]}


@dataclass
class Desk:
    """A folder with everything that a deploy needs."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "CONFIGS": str(self.root / "configs/**/kubeconfig"),
            "MANIFESTS_DIR": str(self.root / "manifests"),
            "NAMESPACES_DIR": str(self.root / "namespaces"),
            "KIT_REPORT_DIR": str(self.root / "reports"),
            **self.env,
        }

    def target(self, name: str, kubeconfig: str) -> None:
        """Add a cluster folder with its kubeconfig."""
        self.write(f"configs/{name}/kubeconfig", kubeconfig)
        (self.root / "manifests" / name).mkdir(parents=True, exist_ok=True)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def deploy(self, **env: str) -> Outcome:
        """Run the program in this process, quick limits unless told otherwise."""
        log = io.StringIO()
        report = self.root / "reports/report.json"
        report.unlink(missing_ok=True)
        code = main(STEP, [], {**self.settings, **QUICK, **env}, stdout=io.StringIO(), stderr=log)
        found = json.loads(report.read_text()) if report.exists() else None
        if found is not None:
            SCHEMA.validate(found)
        return Outcome(code, log.getvalue(), found)


def deployment(
    name: str, image: str, *, replicas: int = 1, container: str = "", pod: str = "", spec: str = "", **env: str
) -> str:
    """A Deployment's manifest; `container`, `pod` and `spec` are further flow-style YAML fields."""
    variables = ", ".join(f"{{name: {key}, value: {json.dumps(value)}}}" for key, value in env.items())
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{name: {name}}}}}
spec:
  replicas: {replicas}
  {spec}
  template:
    metadata: {{labels: {{name: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      {pod}
      containers:
      - name: main
        image: {image}
        env: [{variables}]
        {container}
"""


def service(name: str) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{name: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""


def config_map(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def autoscaler(name: str, least: int = 1) -> str:
    """A HorizontalPodAutoscaler of the Deployment of this name."""
    return f"""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}}}
spec: {{minReplicas: {least}, maxReplicas: 4, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}}}
"""


def job(name: str, image: str, code: int = 0, *, annotations: str = "{}", spec: str = "", **env: str) -> str:
    """A Job's manifest that ends with this exit code."""
    variables = ", ".join(f"{{name: {key}, value: {json.dumps(value)}}}" for key, value in env.items())
    return f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, annotations: {annotations}}}
spec:
  backoffLimit: 0
  {spec}
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: '{image}', env: [{{name: EXIT, value: '{code}'}}, {variables}]}}]
"""


def documents(*manifests: str) -> str:
    """Several manifests in one file."""
    return "\n---\n".join(manifests)
