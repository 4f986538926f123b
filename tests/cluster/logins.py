# SPDX-License-Identifier: MIT
"""Kubeconfigs whose users log in by tokens and by programs."""

from __future__ import annotations

import json
from typing import Any

import yaml

from testbed.cluster import Cluster


def token_of(cluster: Cluster, namespace: str) -> str:
    """A service account's token with rights to the namespace, as a CI would have."""
    cluster.kubectl("--namespace", namespace, "create", "serviceaccount", "deployer")
    cluster.kubectl(
        "--namespace", namespace, "create", "rolebinding", "deployer", "--clusterrole=admin",
        f"--serviceaccount={namespace}:deployer",
    )  # fmt: skip
    return cluster.kubectl("--namespace", namespace, "create", "token", "deployer").stdout.strip()


def with_user(kubeconfig: str, user: dict[str, Any]) -> str:
    config = yaml.safe_load(kubeconfig)
    config["users"][0]["user"] = user
    return yaml.safe_dump(config)


def credential(token: str, version: str = "v1", **status: str) -> str:
    return json.dumps(
        {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "kind": "ExecCredential",
            "status": {**({"token": token} if token else {}), **status},
        }
    )
