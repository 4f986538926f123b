# SPDX-License-Identifier: MIT
"""Short ways to write down Kubernetes objects for tests."""

from __future__ import annotations

import copy
import json
from typing import Any

from kit_deployer.desired.annotate import Declared, Writing, declare, stamp
from kit_deployer.inputs.manifests import Folder, parse_manifests
from kit_deployer.objects import Json, Key, Manifest, at, group_of

WRITING = Writing(commit="4f2a91c", now="2026-11-23T12:00:00.000Z")


def parse(text: str, name: str = "shop/web.yaml") -> list[Manifest]:
    folder = Folder()
    parse_manifests(text, name, folder, is_json=name.endswith(".json"))
    return folder.manifests


def one(text: str) -> Manifest:
    (manifest,) = parse(text)
    return manifest


def keyed(manifest: Manifest, namespace: str = "shop") -> tuple[Key, Manifest]:
    body = manifest.body
    place = "" if body["kind"] in {"Namespace", "CustomResourceDefinition", "ClusterRole"} else namespace
    return Key(group_of(body), body["kind"], at(body, "metadata", "namespace") or place, manifest.name), manifest


def declared(text: str, writing: Writing = WRITING, **others: Any) -> list[Declared]:
    return declare([keyed(manifest) for manifest in parse(text)], writing, **others)


def live(item: Declared, writing: Writing = WRITING, **changes: Any) -> Json:
    """The object as it is on the cluster after we applied it, and others wrote `changes` into its spec."""
    body = copy.deepcopy(stamp(item, writing))
    fields = owned({name: value for name, value in body.items() if name not in {"apiVersion", "kind", "metadata"}})
    metadata = {name: value for name, value in body["metadata"].items() if name in {"labels", "annotations"}}
    fields |= owned({"metadata": metadata})
    for name in changes:
        fields.get("f:spec", {}).pop(f"f:{name}", None)
    entry = {"manager": "kit-deployer", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}
    metadata = {**body["metadata"], "uid": f"uid-{item.key}", "resourceVersion": "7", "managedFields": [entry]}
    found = {**body, "metadata": metadata}
    if changes:
        found["spec"] = {**(found.get("spec") or {}), **changes}
    return found


def owned(body: Any, name: str = "") -> Json:
    """The tree in which the API server keeps account of who owns what, for the few lists that tests need."""
    keys = {"containers": ("name",), "env": ("name",), "ports": ("port", "protocol")}.get(name)
    if isinstance(body, dict):
        return {f"f:{key}": owned(value, key) for key, value in body.items()}
    if isinstance(body, list) and keys:
        items = [{"protocol": "TCP"} | item for item in body]
        return {
            "k:" + json.dumps({key: item[key] for key in keys}): {".": {}} | owned(written)
            for item, written in zip(items, body, strict=True)
        }
    return {}


def disown(found: Json, *path: str) -> Json:
    """The same object after somebody else has written what is at `path` (as in the server's tree)."""
    (entry,) = found["metadata"]["managedFields"]
    trees = [entry["fieldsV1"]]
    for step in path[:-1]:
        trees.append(trees[-1][step])
    for tree, step in reversed(list(zip(trees, path, strict=True))):
        if step == path[-1] or not tree[step]:
            del tree[step]
    return found


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {name: web}}
spec:
  replicas: 2
  template:
    metadata: {labels: {name: web}}
    spec:
      containers:
      - name: main
        image: shop/web:1
        env: [{name: COLOUR, value: red}]
        resources: {limits: {cpu: 1000m, memory: 64Mi}}
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {name: web}, ports: [{port: 80}]}
"""

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red}
"""

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: hunter2}
"""

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: 'shop/web:1'}]}
"""
