# SPDX-License-Identifier: MIT
"""Tokens, token files and exec plugins: asked, renewed, and named when they fail."""

from __future__ import annotations

import json
import os
import time
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


def test_a_plugin_learns_nothing_that_is_ours_alone(tmp_path: Path) -> None:
    """It gets the cloud's credentials from the environment; the key of all secrets is none of them."""
    script = """env > told; printf '{"status": {"token": "x"}}'"""
    ours = {"CODESHIP_AES_KEY": "key", "KIT_CODESHIP_AES_KEY_FILE": "file", "KIT_SLACK_WEBHOOK": "address"}
    env = {"PATH": os.environ["PATH"], "AWS_PROFILE": "shop", "AWS_SECRET_ACCESS_KEY": "cloud", **ours}
    Credentials(plugin(tmp_path, script), env, secret_found=lambda _: None)
    told = dict(line.split("=", 1) for line in (tmp_path / "told").read_text().splitlines())
    assert (told["AWS_PROFILE"], told["AWS_SECRET_ACCESS_KEY"]) == ("shop", "cloud")
    assert not ours.keys() & told.keys()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo no login >&2; exit 3", "it exited with 3: no login"),
        ("echo hello", "is no JSON"),
        ("echo {}", "has no status"),
        ("echo '{\"status\": {}}'", "neither a token nor a client certificate"),
        ('echo \'{"status": {"token": 7}}\'', "is no text"),
        ('echo \'{"status": {"token": "t", "expirationTimestamp": "soon"}}\'', "is no time"),
        ('echo \'{"apiVersion": "client.authentication.k8s.io/v1beta1"}\'', "the kubeconfig asks for"),
    ],
)
def test_a_plugin_that_fails(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(WorkError, match=why) as caught:
        credentials(plugin(tmp_path, script))
    assert "exec plugin failed" in str(caught.value)


def test_a_plugin_that_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that waits for a program of its own, which would go on when the plugin is gone."""
    monkeypatch.setattr("kit_deployer.server.plugins.PLUGIN_SECONDS", 0.2)
    begun = time.monotonic()
    for script in ("exec sleep 60", "sleep 60 & echo $! > child; wait"):
        with pytest.raises(TimeLimitError, match="was still running"):
            credentials(plugin(tmp_path, script))
    assert time.monotonic() - begun < 30
    command = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/cmdline")
    while command.exists() and command.read_bytes():
        assert time.monotonic() - begun < 30, "what the plugin started goes on"
        time.sleep(0.01)


def test_a_plugin_that_cannot_start_in_the_image(tmp_path: Path) -> None:
    config = plugin(tmp_path, "")
    (tmp_path / "plugin").write_text("#!/no/such/interpreter\n")
    with pytest.raises(WorkError, match="what it needs to start is not") as caught:
        credentials(config)
    assert "take a static build" in str(caught.value)


def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    found, _ = credentials(
        plugin(tmp_path, 'echo \'{"status": {"clientCertificateData": "C", "clientKeyData": "K"}}\'')
    )
    assert found.user == {"client-certificate-data": "Qw==", "client-key-data": "Sw=="}


def test_a_certificate_that_runs_out_or_is_refused_is_renewed(tmp_path: Path) -> None:
    """Connections show the certificate they began with, so others are needed: the version says so."""
    script = """echo >> asked
    printf '{"status": {"clientCertificateData": "C%s", "clientKeyData": "K", \
"expirationTimestamp": "1970-01-01T00:01:40Z"}}' "$(wc -l < asked)" """
    times = [0.0]
    found, _ = credentials(plugin(tmp_path, script), lambda: times[0])
    assert (found.token, found.certificate_version) == (None, 0)
    times[0] = 91
    assert (found.token, found.certificate_version) == (None, 1)
    times[0] = 0
    assert found.renew(None)
    assert found.certificate_version == 2


def test_a_refused_certificate_that_the_plugin_gives_again_is_no_reason_to_try_again(tmp_path: Path) -> None:
    script = 'echo \'{"status": {"clientCertificateData": "C", "clientKeyData": "K"}}\''
    found, _ = credentials(plugin(tmp_path, script))
    assert not found.renew(None)


def test_fixed_credentials_are_not_renewed(tmp_path: Path) -> None:
    found, _ = credentials(kubeconfig(tmp_path, {"token": "fixed"}))
    assert not found.renew("fixed")


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
