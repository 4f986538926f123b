# SPDX-License-Identifier: MIT
"""Tokens, token files and exec plugins: asked, renewed, and named when they fail."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kit_core.errors import TimeLimitError, WorkError
from kit_deployer.inputs.kubeconfig import Kubeconfig
from kit_deployer.server.credentials import Credentials


def kubeconfig(root: Path, user: dict[str, Any], plugin: str | None = None) -> Kubeconfig:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "kit"}}
    cluster = {"server": "https://x", "extensions": [extension]}
    return Kubeconfig(root / "kubeconfig", {}, "east", cluster, user, "shop", plugin)


def plugin(root: Path, script: str) -> Kubeconfig:
    file = root / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "plugin", "args": ["one"],
                     "env": [{"name": "EXTRA", "value": "two"}], "provideClusterInfo": True}}  # fmt: skip
    return kubeconfig(root, user, str(file))


def credentials(config: Kubeconfig, now: Callable[[], float] = lambda: 0.0) -> tuple[Credentials, list[str]]:
    secrets: list[str] = []
    return Credentials(config, {"PATH": os.environ["PATH"]}, secret_found=secrets.append, now=now), secrets


def test_a_plugin_is_asked_again_when_its_token_runs_out(tmp_path: Path) -> None:
    script = """echo "$1 $EXTRA $KUBERNETES_EXEC_INFO" >> asked
    printf '{"status": {"token": "token-%s", "expirationTimestamp": "1970-01-01T00:01:40Z"}}' "$(wc -l < asked)" """
    times = [0.0]
    found, secrets = credentials(plugin(tmp_path, script), lambda: times[0])
    assert found.token == "token-1"
    times[0] = 89
    assert found.token == "token-1"
    times[0] = 91
    assert found.token == "token-2"
    assert secrets == ["token-1", "token-2"]
    head, _, info = (tmp_path / "asked").read_text().splitlines()[0].partition(" {")
    assert head == "one two"
    spec = json.loads("{" + info)["spec"]
    assert spec == {"interactive": False, "cluster": {"server": "https://x", "config": {"audience": "kit"}}}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo no login >&2; exit 3", "it exited with 3: no login"),
        ("echo hello", "is no JSON"),
        ("echo {}", "has no status"),
        ("echo '{\"status\": {}}'", "neither a token nor a client certificate"),
    ],
)
def test_a_plugin_that_fails(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(WorkError, match=why) as caught:
        credentials(plugin(tmp_path, script))
    assert "exec plugin failed" in str(caught.value)


def test_a_plugin_that_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit_deployer.server.credentials.PLUGIN_SECONDS", 0.2)
    with pytest.raises(TimeLimitError, match="was still running"):
        credentials(plugin(tmp_path, "exec sleep 60"))


def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    found, _ = credentials(
        plugin(tmp_path, 'echo \'{"status": {"clientCertificateData": "C", "clientKeyData": "K"}}\'')
    )
    assert found.user == {"client-certificate-data": "Qw==", "client-key-data": "Sw=="}


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    times = [0.0]
    found, _ = credentials(kubeconfig(tmp_path, {"tokenFile": "token"}), lambda: times[0])
    assert found.token == "first"
    file.write_text("second\n")
    assert found.token == "first"
    times[0] = 60
    assert found.token == "second"
    assert not found.renew("second"), "the file says the same"
    file.write_text("third\n")
    assert found.renew("second")
