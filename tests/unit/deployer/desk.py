# SPDX-License-Identifier: MIT
"""A folder with everything that a deploy needs, and the program run on it; no cluster answers."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

from kit_core.entry import main
from kit_deployer.cli import STEP

KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "metadata": {"name": "shop"},
    "current-context": "it",
    "contexts": [{"name": "it", "context": {"cluster": "east", "user": "me", "namespace": "shop"}}],
    # A port that nobody listens on: whoever connected would fail with another exit code.
    "clusters": [{"name": "east", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "hunter2-canary"}}],
}


class Desk:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.kubeconfig("shop")
        self.write("manifests/shop/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def kubeconfig(self, folder: str, **changes: Any) -> None:
        config = {**KUBECONFIG, **changes}
        self.write(f"configs/{folder}/kubeconfig", json.dumps({key: config[key] for key in config if config[key]}))

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        log = io.StringIO()
        settings = {
            "PATH": os.environ["PATH"],
            "CONFIGS": f"{self.root}/configs/**/kubeconfig",
            "MANIFESTS_DIR": f"{self.root}/manifests",
            "NAMESPACES_DIR": f"{self.root}/namespaces",
            "BACKOFF_FAIL_AFTER": "0",
            **env,
        }
        code = main(STEP, list(arguments), settings, stdout=io.StringIO(), stderr=log)
        text = log.getvalue()
        assert "Traceback" not in text
        assert "hunter2" not in text
        return code, text


def refused(desk: Desk, *parts: str, **env: str) -> str:
    """The run ends with 2 and says all of `parts`; and it never tried to reach the cluster."""
    code, log = desk.run(**env)
    assert code == 2, log
    for part in parts:
        assert part in log, log
    assert "reading the cluster" not in log
    return log


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
