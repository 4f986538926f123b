# SPDX-License-Identifier: MIT
"""The fleet of `fleet` as people would keep it for helm and for kustomize, rendered a cluster at a time.

For helm, one chart with a loop over the services, its values in layers: the base's, the images of a branch, the
cluster's own. For kustomize, a base of plain manifests, an overlay a branch with the images, and one a cluster on top.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from bench.measure import Run, run_process
from bench.peers import Programs

_LIMIT: Final = 900
_ENV: Final = (("A", "1"), ("B", "two"), ("C", "three"))
_CHART: Final = """\
{{- range $name, $app := .Values.apps }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    name: {{ $name }}
    branch: {{ $.Values.branch }}
spec:
  replicas: {{ $.Values.deployment.replicaCount }}
  selector:
    matchLabels:
      name: {{ $name }}
  template:
    metadata:
      labels:
        name: {{ $name }}
    spec:
      containers:
        - name: {{ $name }}
          image: {{ $app.image }}
          imagePullPolicy: {{ $.Values.deployment.imagePullPolicy }}
          ports:
            - containerPort: {{ $.Values.deployment.containerPort }}
          env:
          {{- range concat $app.env ($app.more | default list) }}
            - name: {{ .name }}
              value: {{ .value | quote }}
          {{- end }}
          livenessProbe:
            httpGet:
              path: /healthz
              port: {{ $.Values.deployment.containerPort }}
      imagePullSecrets:
      {{- range $.Values.imagePullSecrets }}
        - name: {{ .secret }}
      {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}-svc
  labels:
    {{- range $key, $value := $app.labels }}
    {{ $key }}: {{ $value }}
    {{- end }}
spec:
  selector:
    name: {{ $name }}
  ports:
    - port: 80
      targetPort: {{ $.Values.deployment.containerPort }}
{{- end }}
"""
_ALL: Final = {"kind": "Deployment"}


def image_of(name: str, branch: str) -> tuple[str, str]:
    """What `fleet` sets at first: the image and its tag."""
    return f"registry.example.com/shop/{name}", f"{branch}-{1:040x}"


def make_chart(folder: Path, *, clusters: int, resources: int) -> Path:
    """Write the chart, and a file of values for each cluster and branch."""
    apps = [f"app{number}" for number in range(resources)]
    env = [{"name": name, "value": value} for name, value in _ENV]
    _write(folder / "Chart.yaml", {"apiVersion": "v2", "name": "fleet", "version": "1.0.0"})
    values = {
        "deployment": {"replicaCount": 2, "imagePullPolicy": "Always", "containerPort": 80},
        "imagePullSecrets": [{"secret": "one"}, {"secret": "two"}],
        "apps": {name: {"env": env, "labels": {"app": name, "tier": "backend"}} for name in apps},
    }
    _write(folder / "values.yaml", values)
    (folder / "templates").mkdir()
    (folder / "templates/apps.yaml").write_text(_CHART)
    for branch in ("master", "release"):
        images = {name: {"image": ":".join(image_of(name, branch))} for name in apps}
        _write(folder / f"branches/{branch}.yaml", {"branch": branch, "apps": images})
    for number in range(clusters):
        more = {name: {"more": [{"name": "CLUSTER", "value": f"c{number}"}]} for name in apps[::10]}
        own = {"deployment": {"replicaCount": number % 5 + 1}, "apps": more}
        _write(folder / f"clusters/c{number:04}.yaml", own)
    return folder


def make_overlays(folder: Path, *, clusters: int, resources: int) -> Path:
    """Write the base, and an overlay for each branch and cluster."""
    apps = [f"app{number}" for number in range(resources)]
    for name in apps:
        _write(folder / f"base/{name}.yaml", _deployment(name), _service(name))
    _write(folder / "base/kustomization.yaml", {"resources": [f"{name}.yaml" for name in apps]})
    for branch in ("master", "release"):
        images = [{"name": image, "newTag": tag} for image, tag in (image_of(name, branch) for name in apps)]
        patch = _patch(_ALL, "add", "/metadata/labels/branch", branch)
        _write(folder / f"branches/{branch}/kustomization.yaml",
               {"resources": ["../../base"], "images": images, "patches": [patch]})  # fmt: skip
    for number in range(clusters):
        entry = {"name": "CLUSTER", "value": f"c{number}"}
        patches = [_patch(_ALL, "replace", "/spec/replicas", number % 5 + 1)]
        patches += [
            _patch({**_ALL, "name": name}, "add", "/spec/template/spec/containers/0/env/-", entry)
            for name in apps[::10]
        ]
        _write(folder / f"clusters/c{number:04}/kustomization.yaml",
               {"resources": [f"../../branches/{_branch(number)}"], "patches": patches})  # fmt: skip
    return folder


def helm_template(programs: Programs, chart: Path, clusters: int, output: Path) -> Run:
    """Render each cluster into a file of its own, one process after the other."""
    script = "\n".join(
        f"'{programs.helm}' template c{number:04} '{chart}' -f '{chart}/branches/{_branch(number)}.yaml'"
        f" -f '{chart}/clusters/c{number:04}.yaml' > '{output}/c{number:04}.yaml'"
        for number in range(clusters)
    )
    return _run(script, output)


def kustomize_build(programs: Programs, overlays: Path, clusters: int, output: Path) -> Run:
    """The same with kustomize."""
    script = "\n".join(
        f"'{programs.kustomize}' build '{overlays}/clusters/c{number:04}' > '{output}/c{number:04}.yaml'"
        for number in range(clusters)
    )
    return _run(script, output)


def objects_in(*files: Path) -> dict[tuple[str, str], Any]:
    """The objects in these files by kind and name."""
    found = [one for file in files for one in yaml.load_all(file.read_bytes(), yaml.CSafeLoader) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def _run(script: str, output: Path) -> Run:
    output.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(output)}
    return run_process(["sh", "-ec", script], env, limit=_LIMIT)


def _branch(number: int) -> str:
    return "master" if number % 2 else "release"


def _patch(target: Mapping[str, str], operation: str, path: str, value: Any) -> dict[str, Any]:
    return {"target": dict(target), "patch": json.dumps([{"op": operation, "path": path, "value": value}])}


def _deployment(name: str) -> dict[str, Any]:
    container = {
        "name": name,
        "image": ":".join(image_of(name, "master")),
        "imagePullPolicy": "Always",
        "ports": [{"containerPort": 80}],
        "env": [{"name": key, "value": value} for key, value in _ENV],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 80}},
    }
    pod = {"containers": [container], "imagePullSecrets": [{"name": "one"}, {"name": "two"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"name": name}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"name": name}},
            "template": {"metadata": {"labels": {"name": name}}, "spec": pod},
        },
    }


def _service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{name}-svc", "labels": {"app": name, "tier": "backend"}},
        "spec": {"selector": {"name": name}, "ports": [{"port": 80, "targetPort": 80}]},
    }


def _write(path: Path, *documents: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=False))
