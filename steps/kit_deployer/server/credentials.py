# SPDX-License-Identifier: MIT
"""Who we are to a cluster: tokens, token files and exec plugins, renewed when they run out.

The kubernetes client's loader knows certificates, basic auth and the auth providers. It gives an exec plugin no time
limit and only logs its failure, and reads a token file once; so these two are done here and handed to it as a plain
token or certificate.
"""

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kit_core.errors import TimeLimitError, WorkError
from kit_core.files import refused
from kit_deployer.inputs.kubeconfig import Kubeconfig
from kit_deployer.objects import Json, at

PLUGIN_SECONDS: Final = 30.0
_TOKEN_FILE_SECONDS: Final = 60.0
_EARLY: Final = 10.0
"""Seconds before its expiry at which a credential is no longer used."""


class Credentials:
    """The user entry of a kubeconfig with everything dynamic resolved. May be used from several threads."""

    def __init__(
        self,
        kubeconfig: Kubeconfig,
        env: Mapping[str, str],
        *,
        secret_found: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._env = env
        self._secret_found = secret_found
        self._now = now
        self._lock = threading.Lock()
        self._expires: float | None = None
        self.user: Json = self._resolve()

    @property
    def dynamic(self) -> bool:
        """Whether they can be renewed at all."""
        return bool(self._kubeconfig.plugin or self._token_file)

    @property
    def token(self) -> str | None:
        """The bearer token of now, if that is what we have; renewed when it has run out."""
        with self._lock:
            if self._expires is not None and self._now() >= self._expires - _EARLY:
                self.user = self._resolve()
            return self.user.get("token")

    def renew(self, refused: str | None) -> bool:
        """The server refused the token `refused`: get another one. False where there is no other one."""
        with self._lock:
            if not self.dynamic:
                return False
            if self.user.get("token") == refused:
                self.user = self._resolve()
            return self.user.get("token") != refused

    @property
    def _token_file(self) -> str | None:
        user = self._kubeconfig.user
        return user.get("tokenFile") if not user.get("token") else None

    def _resolve(self) -> Json:
        user = dict(self._kubeconfig.user)
        if self._kubeconfig.plugin:
            user = {**{name: value for name, value in user.items() if name != "exec"}, **self._from_plugin()}
        elif self._token_file:
            file = self._kubeconfig.path.parent / self._token_file
            user = {**user, "token": self._read_token(file)}
            self._expires = self._now() + _TOKEN_FILE_SECONDS
        for name in ("token", "password"):
            if isinstance(user.get(name), str):
                self._secret_found(user[name])
        return user

    def _read_token(self, file: Path) -> str:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise refused(error, file, "The token file cannot be read") from None

    def _from_plugin(self) -> Json:
        status = self._run_plugin()
        expires = status.get("expirationTimestamp")
        self._expires = datetime.fromisoformat(expires).timestamp() if expires else None
        if status.get("token"):
            return {"token": status["token"]}
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        if certificate and key:
            self._secret_found(key)
            return {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
        raise self._plugin_error("it answered with neither a token nor a client certificate with its key")

    def _run_plugin(self) -> Json:
        config = self._kubeconfig.user["exec"]
        spec: Json = {"interactive": False}
        if config.get("provideClusterInfo"):
            spec["cluster"] = _cluster_info(self._kubeconfig.cluster)
        question = {"apiVersion": config.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
        env = {**self._env, **{item["name"]: str(item["value"]) for item in config.get("env") or []}}
        try:
            done = subprocess.run(
                [str(self._kubeconfig.plugin), *map(str, config.get("args") or [])],
                env={**env, "KUBERNETES_EXEC_INFO": json.dumps(question)},
                cwd=self._kubeconfig.path.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PLUGIN_SECONDS,
                check=False,
                # A signal to our group must end us, not answer for the plugin.
                process_group=0 if os.name == "posix" else None,
            )
        except subprocess.TimeoutExpired:
            raise TimeLimitError(
                "The kubeconfig's exec plugin did not answer",
                where=str(self._kubeconfig.path),
                why=f"{self._kubeconfig.plugin} was still running after {PLUGIN_SECONDS:.0f} s",
                hint="It may be waiting for a login; it gets no terminal here.",
            ) from None
        except OSError as error:
            raise self._plugin_error(error.strerror or str(error)) from None
        if done.returncode != 0:
            text = done.stderr.decode("utf-8", "replace").strip()
            raise self._plugin_error(f"it exited with {done.returncode}: {text or 'no message'}")
        try:
            answer: Any = json.loads(done.stdout)
        except ValueError:
            raise self._plugin_error("what it printed is no JSON") from None
        status = at(answer, "status")
        if not isinstance(status, dict):
            raise self._plugin_error("its answer has no status")
        return status

    def _plugin_error(self, why: str) -> WorkError:
        return WorkError(
            "The kubeconfig's exec plugin failed",
            where=str(self._kubeconfig.path),
            why=f"{self._kubeconfig.plugin}: {why}",
            hint="Run the plugin by hand in the image with the same environment.",
        )


def _encoded(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


def _cluster_info(cluster: Json) -> Json:
    info: Json = {
        name: value
        for name, value in cluster.items()
        if name in {"server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"}
    }
    for extension in cluster.get("extensions") or []:
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info
