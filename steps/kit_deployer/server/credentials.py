# SPDX-License-Identifier: MIT
"""Who we are to a cluster: tokens, token files and exec plugins, renewed when they run out.

What does not change (certificates, basic auth) is `login`'s, and so are auth providers. The kubernetes client's loader
gives an exec plugin no time limit and only logs its failure, and reads a token file once; so these two are done here
(`plugins` asks the program) and handed on as a plain token or certificate.
"""

import base64
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from kit_core.files import refused
from kit_deployer.inputs.kubeconfig import Kubeconfig
from kit_deployer.objects import Json
from kit_deployer.server.plugins import ask_plugin, plugin_error

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
        self.certificate_version = 0
        """Grows when the client certificate becomes another one."""
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
                self._renew()
            return self.user.get("token")

    def renew(self, refused: str | None) -> bool:
        """The server refused the token `refused` (None: the certificate): get another one. False where there is none.

        Raises what making `Credentials` raises.
        """
        with self._lock:
            before = self.certificate_version
            if self.dynamic and self.user.get("token") == refused:
                self._renew()
            return self.user.get("token") != refused or self.certificate_version != before

    def _renew(self) -> None:
        user = self._resolve()
        if user.get("client-certificate-data") != self.user.get("client-certificate-data"):
            self.certificate_version += 1
        self.user = user

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
        if isinstance(user.get("token"), str):
            self._secret_found(user["token"])
        return user

    def _read_token(self, file: Path) -> str:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise refused(error, file, "The token file cannot be read") from None

    def _from_plugin(self) -> Json:
        status = ask_plugin(self._kubeconfig, self._env)
        expires = status.get("expirationTimestamp")
        try:
            self._expires = datetime.fromisoformat(expires).timestamp() if expires else None
        except (TypeError, ValueError):
            raise plugin_error(self._kubeconfig, "its expirationTimestamp is no time") from None
        token, certificate, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
        if not all(value is None or isinstance(value, str) for value in (token, certificate, key)):
            raise plugin_error(self._kubeconfig, "a credential in its answer is no text")
        found: Json = {"token": token} if token else {}
        if certificate and key:
            self._secret_found(key)
            found |= {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
        if not found:
            raise plugin_error(
                self._kubeconfig, "it answered with neither a token nor a client certificate with its key"
            )
        return found


def _encoded(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()
