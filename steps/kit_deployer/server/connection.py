# SPDX-License-Identifier: MIT
"""From a kubeconfig to an open line: TLS, proxy, credentials, a pool of connections.

`login` reads what the kubeconfig says; the connections are urllib3's, with one TLS context for all of a cluster's
connections (a context each would cost more memory than everything else here). Certificates that a kubeconfig holds
reach TLS through files in memory: no key is ever on a disk.
"""

import base64
import binascii
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from kit_core.errors import InputError
from kit_core.memory import in_memory, path_of
from kit_core.network import proxy_for
from kit_deployer.inputs.kubeconfig import Kubeconfig
from kit_deployer.objects import Json
from kit_deployer.server.credentials import Credentials
from kit_deployer.server.login import Login, read_login

CONNECTIONS: Final = 20
_CONNECT_SECONDS: Final = 10.0
_IN_FILES: Final = ("certificate-authority", "client-certificate", "client-key")
_SOCKS: Final = {"socks5": "socks5h", "socks5h": "socks5h"}
"""Proxies that are no HTTP servers. They resolve names themselves, as kubectl has them do."""


class Response(Protocol):
    """What is used of an HTTP response."""

    status: int
    headers: Mapping[str, str]

    @property
    def data(self) -> bytes:
        """The whole body."""
        ...

    def stream(self, amt: int) -> Any:
        """The body as it comes."""
        ...

    def shutdown(self) -> None:
        """End a `stream` that another thread waits in."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


@dataclass(frozen=True)
class Connection:
    """Sends requests to one API server, as one user. May be used from several threads.

    `base` is what stands before every path: the server's own, or its whole address where a proxy has to be told.
    """

    server: str
    credentials: Credentials
    pools: "Pools"
    base: str
    authorization: str | None
    request_timeout: float

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        stream_seconds: float | None = None,
    ) -> tuple[Response, str | None]:
        """One request, no retry: the response and the token it was sent with.

        With `stream_seconds` the body is left to be streamed, and that long may pass between two pieces of it.
        Raises urllib3's errors for what goes wrong below HTTP.
        """
        import urllib3

        token = self.credentials.token
        authorization = f"Bearer {token}" if token else self.authorization
        sent = {"Accept": "application/json", "User-Agent": "kit-deployer", **(headers or {})}
        if authorization:
            sent["Authorization"] = authorization
        response = self.pools.now().urlopen(
            method,
            self.base + path,
            body=body,
            headers=sent,
            retries=self.pools.never,
            redirect=False,
            preload_content=stream_seconds is None,
            timeout=urllib3.Timeout(
                connect=min(_CONNECT_SECONDS, self.request_timeout), read=stream_seconds or self.request_timeout
            ),
        )
        return response, token

    def close(self) -> None:
        """Close idle connections."""
        self.pools.close()


@dataclass
class Pools:
    """The connections that carry the client certificate of now: another certificate means other connections.

    `make` opens a pool for the user entry that it is given; it raises what `connect` raises. `never` is urllib3's word
    for not asking again, made once.
    """

    credentials: Credentials
    make: Callable[[Json], Any]
    pool: Any
    never: Any
    version: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> Any:
        """The pool to send with; requests that are under way in an older one end there."""
        with self._lock:
            if self.version != self.credentials.certificate_version:
                self.version = self.credentials.certificate_version
                self.pool = self.make(self.credentials.user)
            return self.pool

    def close(self) -> None:
        """Close idle connections."""
        with self._lock, self.pool:
            pass  # leaving it closes them


def connect(
    kubeconfig: Kubeconfig,
    *,
    env: Mapping[str, str],
    ca_cert: Path | None,
    request_timeout: float,
    secret_found: Callable[[str], None],
) -> Connection:
    """A line to the cluster of `kubeconfig`; nothing is sent yet (but an exec plugin may run).

    `ca_cert` is trusted beside what the kubeconfig says. `secret_found` is told every secret that must not be printed.
    Raises `InputError` for certificates that cannot be used, `WorkError` where credentials cannot be had.
    """
    import urllib3

    credentials = Credentials(kubeconfig, env, secret_found=secret_found)
    server = str(kubeconfig.server).rstrip("/")
    proxy = kubeconfig.cluster.get("proxy-url") or proxy_for(server, env)
    password = urlsplit(proxy).password if proxy else None
    if password:
        secret_found(password)

    # To a plain HTTP server through a proxy, whole addresses are sent; everything else has a pool of its own, which
    # costs less to ask than the manager of all pools.
    whole = bool(proxy) and server.startswith("http:")

    def opened(context: ssl.SSLContext | None) -> Any:
        manager = _manager(proxy, kubeconfig, context)
        return manager if whole else manager.connection_from_url(server)

    def make(user: Json) -> Any:
        return opened(_load(kubeconfig, user, ca_cert)[1])

    version, user = credentials.certificate_version, credentials.user
    login, context = _load(kubeconfig, user, ca_cert)
    pools = Pools(credentials, make, opened(context), urllib3.Retry(False, redirect=False), version)
    base = server if whole else urlsplit(server).path
    return Connection(server, credentials, pools, base, login.authorization, request_timeout)


def _load(kubeconfig: Kubeconfig, user: Json, ca_cert: Path | None) -> tuple[Login, ssl.SSLContext | None]:
    """How this kubeconfig logs in, its user replaced by `user`, and what TLS needs."""
    with ExitStack() as files:
        try:
            cluster, user = _as_files(kubeconfig.cluster, files), _as_files(user, files)
            login = read_login(cluster, user, kubeconfig.path.parent.absolute())
        except (ValueError, OSError) as error:
            raise _unusable(kubeconfig, str(error)) from error
        return login, _tls_context(kubeconfig, login, ca_cert) if kubeconfig.server.startswith("https") else None


def _as_files(entry: Json, files: ExitStack) -> Json:
    """A cluster or user entry whose inline certificates are files in memory, for as long as `files` is open."""
    found = dict(entry)
    for name in _IN_FILES:
        data = found.pop(f"{name}-data", None)
        if data:
            try:
                content = base64.b64decode(data, validate=False)
            except binascii.Error:
                raise ValueError(f"{name}-data is no base64") from None
            found[name] = path_of(files.enter_context(in_memory(content)))
    return found


def _tls_context(kubeconfig: Kubeconfig, login: Login, ca_cert: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=login.authority)
        if ca_cert is not None:
            context.load_verify_locations(cafile=str(ca_cert))
        # Python 3.13 made this the default; the certificate authorities of many clusters lack what it asks for.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if kubeconfig.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if login.certificate:
            context.load_cert_chain(login.certificate, login.key)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(kubeconfig, f"its certificates cannot be used ({error})") from error
    return context


def _manager(proxy: str | None, kubeconfig: Kubeconfig, context: ssl.SSLContext | None) -> Any:
    import urllib3

    options: Json = {"maxsize": CONNECTIONS, "num_pools": 2, "block": False, "retries": False}
    if context is not None:
        options["ssl_context"] = context
        if not context.check_hostname:
            options["assert_hostname"] = False
            # The run has said so once, in better words.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        server_name = kubeconfig.cluster.get("tls-server-name")
        if server_name:
            options |= {"server_hostname": server_name, "assert_hostname": server_name}
    if not proxy:
        return urllib3.PoolManager(**options)
    parsed = urllib3.util.parse_url(proxy)
    if parsed.scheme in _SOCKS:
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy.replace(parsed.scheme, _SOCKS[parsed.scheme], 1), **options)
    if parsed.scheme not in {"http", "https"}:
        raise _unusable(kubeconfig, f"the proxy {parsed.scheme}://{parsed.host} is none of http, https and socks5")
    headers = urllib3.util.make_headers(proxy_basic_auth=parsed.auth) if parsed.auth else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _unusable(kubeconfig: Kubeconfig, why: str) -> InputError:
    return InputError("The kubeconfig cannot be used", where=str(kubeconfig.path), why=why, file=str(kubeconfig.path))
