# SPDX-License-Identifier: MIT
"""A deployments repository of any size: each resource a Deployment with a Service, an image, variables and settings."""

from __future__ import annotations

from pathlib import Path

_KIT = """\
version: '2'
base: {path: .}
images: {path: ./images, property: image}
type: {path: ./type}
cluster: {path: ./clusters}
resources: {path: ./resources}
output: {path: ./generated}
"""
_SETTINGS = """\
kind: ResourceConfig
deployment: {replicaCount: 2, imagePullPolicy: Always, containerPort: 80}
imagePullSecrets: [{secret: one}, {secret: two}]
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{{name}}}
  labels:
    name: {{{name}}}
    branch: {{{branch}}}
spec:
  replicas: {{{deployment.replicaCount}}}
  selector:
    matchLabels:
      name: {{{name}}}
  template:
    metadata:
      labels:
        name: {{{name}}}
    spec:
      containers:
        - name: {{{CONTAINER.name}}}
          image: {{{CONTAINER.image}}}
          imagePullPolicy: {{{deployment.imagePullPolicy}}}
          ports:
            - containerPort: {{{deployment.containerPort}}}
          env:
          {{#CONTAINER.env}}
            - name: {{{name}}}
              value: "{{{value}}}"
          {{/CONTAINER.env}}
          livenessProbe:
            httpGet:
              path: /healthz
              port: {{{deployment.containerPort}}}
      imagePullSecrets:
      {{#imagePullSecrets}}
        - name: {{{secret}}}
      {{/imagePullSecrets}}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {{{svc.name}}}
  labels:
    {{#svc.labels}}
    {{{name}}}: {{{value}}}
    {{/svc.labels}}
spec:
  selector:
    name: {{{name}}}
  ports:
    - port: 80
      targetPort: {{{deployment.containerPort}}}
"""


def make_fleet(folder: Path, *, clusters: int, resources: int) -> Path:
    """Write one below `folder`, as a clone has it (its commit is `commit`'s); every cluster renders two files a
    resource."""
    _write(folder / "kit.yaml", _KIT)
    _write(folder / "base-var.yaml", _SETTINGS)
    _write(folder / "type/production-var.yaml", "kind: ResourceConfig\nmetadata: {type: production}\n")
    _write(folder / "resources/base-svc.mustache", _SERVICE)
    base = ["kind: ClusterNamespace", "metadata: {name: base, branch: master}", "resources:"]
    for number in range(resources):
        name = f"app{number}"
        base += [
            f"  {name}:",
            f"    file: ./{name}/{name}.mustache",
            f"    svc: {{name: {name}-svc, labels: [{{name: app, value: {name}}}, {{name: tier, value: backend}}]}}",
            "    containers:",
            f"      {name}-main:",
            f"        name: {name}",
            f"        image_tag: shop/{name}",
            "        env: [{name: A, value: '1'}, {name: B, value: two}, {name: C, value: three}]",
        ]
        _write(folder / f"resources/{name}/{name}.mustache", _DEPLOYMENT.replace("CONTAINER", f"{name}-main"))
        for branch in ("master", "release"):
            set_image(folder, name, 1, branch)
    _write(folder / "base-cluster.yaml", "\n".join(base) + "\n")
    for number in range(clusters):
        branch = "master" if number % 2 else "release"
        own = [
            "kind: ClusterNamespace",
            f"metadata: {{name: c{number:04}, type: production, branch: {branch}}}",
            "resources:",
        ]
        for one in range(0, resources, 10):
            env = f"env: [{{name: CLUSTER, value: c{number}}}]"
            own += [f"  app{one}:", "    containers:", f"      app{one}-main: {{{env}}}"]
        _write(folder / f"clusters/c{number:04}/cluster.yaml", "\n".join(own) + "\n")
        settings = f"kind: ResourceConfig\ndeployment: {{replicaCount: {number % 5 + 1}}}\n"
        _write(folder / f"clusters/c{number:04}/configuration-var.yaml", settings)
    commit(folder, 0)
    return folder


def set_image(folder: Path, name: str, build: int, branch: str = "master") -> None:
    """Write the image of a service, as kit-image-deployer does."""
    text = f"image: registry.example.com/shop/{name}:{branch}-{build:040x}\n"
    _write(folder / f"images/shop/{name}/{branch}.yaml", text)


def commit(folder: Path, number: int) -> None:
    """Check out another commit, as far as a render sees it."""
    _write(folder / ".git/HEAD", f"{number:040x}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
