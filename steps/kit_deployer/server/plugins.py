# SPDX-License-Identifier: MIT
"""Exec plugins: programs that a kubeconfig names to log in with, as client.authentication.k8s.io describes them.

client-go's rules hold: the question is in KUBERNETES_EXEC_INFO, the answer on stdout, `env` is added to ours. Its
limits do not: a plugin that hangs would hang the deploy, so it has 30 seconds and no terminal. Nor does it learn what
is ours alone: the AES key, what webhooks are reached by. The cloud's own variables it gets, also where they are secret.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from kit_core.errors import TimeLimitError, WorkError
from kit_core.settings import without_secrets
from kit_deployer.inputs.kubeconfig import Kubeconfig
from kit_deployer.objects import Json, at
from kit_deployer.settings import DeployerSettings

PLUGIN_SECONDS: Final = 30.0
_SHOWN: Final = 2000
_CLOUD: Final = "AWS_"
"""Settings of ours that are none of our own: `aws eks get-token` logs in with them."""
_CLUSTER_INFO: Final = frozenset(
    {"server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"}
)
_BY_HAND: Final = "Run the plugin by hand in the image with the same environment."


def ask_plugin(kubeconfig: Kubeconfig, env: Mapping[str, str]) -> Json:
    """The `status` of what the kubeconfig's plugin answers.

    Raises `WorkError` where it fails or answers something else, `TimeLimitError` where it does not answer in time.
    """
    config = kubeconfig.user["exec"]
    spec: Json = {"interactive": False}
    if config.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(kubeconfig.cluster)
    question = {"apiVersion": config.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    own = {item["name"]: str(item["value"]) for item in config.get("env") or []}
    kept = without_secrets(DeployerSettings, env)
    theirs = {name: value for name, value in env.items() if name in kept or name.startswith(_CLOUD)}
    done = _run(kubeconfig, {**theirs, **own, "KUBERNETES_EXEC_INFO": json.dumps(question)})
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").strip()[-_SHOWN:]
        raise plugin_error(kubeconfig, f"it exited with {done.returncode}: {text or 'no message'}")
    try:
        answer: Any = json.loads(done.stdout)
    except ValueError:
        raise plugin_error(kubeconfig, "what it printed is no JSON") from None
    version = at(answer, "apiVersion")
    if version is not None and version != config.get("apiVersion"):
        raise plugin_error(
            kubeconfig,
            f"it answered in {version}, and the kubeconfig asks for {config.get('apiVersion')}",
            "Correct apiVersion in the kubeconfig, or take a version of the plugin that speaks it.",
        )
    status = at(answer, "status")
    if not isinstance(status, dict):
        raise plugin_error(kubeconfig, "its answer has no status")
    return status


def plugin_error(kubeconfig: Kubeconfig, why: str, hint: str = _BY_HAND) -> WorkError:
    """The error for a plugin that gives no credentials."""
    return WorkError(
        "The kubeconfig's exec plugin failed",
        where=str(kubeconfig.path),
        why=f"{kubeconfig.plugin}: {why}",
        hint=hint,
    )


def _run(kubeconfig: Kubeconfig, env: Mapping[str, str]) -> "subprocess.CompletedProcess[bytes]":
    command = [str(kubeconfig.plugin), *map(str, kubeconfig.user["exec"].get("args") or [])]
    try:
        process = subprocess.Popen(
            command,
            env=env,
            cwd=kubeconfig.path.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A signal to our group must end us, not answer for the plugin; and what it starts ends with it.
            process_group=0 if os.name == "posix" else None,
        )
    except FileNotFoundError:
        raise plugin_error(
            kubeconfig,
            "the file is there, and what it needs to start is not (an interpreter, or a C library)",
            "The image has Debian's C library and busybox's shell; take a static build of the plugin.",
        ) from None
    except OSError as error:
        raise plugin_error(kubeconfig, error.strerror or str(error)) from None
    with process:
        try:
            out, err = process.communicate(timeout=PLUGIN_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process)
            raise TimeLimitError(
                "The kubeconfig's exec plugin did not answer",
                where=str(kubeconfig.path),
                why=f"{kubeconfig.plugin} was still running after {PLUGIN_SECONDS:.0f} s",
                hint="It may be waiting for a login; it gets no terminal here.",
            ) from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the plugin with everything that it started: a child of it that lives on would hold its output open."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _cluster_info(cluster: Json) -> Json:
    info: Json = {name: value for name, value in cluster.items() if name in _CLUSTER_INFO}
    for extension in cluster.get("extensions") or []:
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info
