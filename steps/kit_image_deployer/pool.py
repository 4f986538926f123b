# SPDX-License-Identifier: MIT
"""http connections: kept and used again, through a proxy where there is one, and answers that end in time."""

import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationValueError, ProxySchemeUnknown
from urllib3.util import make_headers

from kit_core.errors import InputError
from kit_image_deployer.faults import Fault


def pool_of(tls: ssl.SSLContext | None, proxy: str | None, left: Callable[[], float]) -> Any:
    """Connections to one server, by way of `proxy` if any. Raises `InputError` for a proxy that cannot be used.

    `left` tells how many seconds the head of an answer may take; then the connection is cut.
    """
    pool = _manager(tls, proxy)
    pool.pool_classes_by_scheme = _classes(left)
    return pool


def _classes(left: Callable[[], float]) -> dict[str, Any]:
    class Http(HTTPConnection):
        def getresponse(self) -> Any:
            with _cut(self.sock, left()):
                return super().getresponse()

    class Https(HTTPSConnection):
        def getresponse(self) -> Any:
            with _cut(self.sock, left()):
                return super().getresponse()

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    return {"http": HttpPool, "https": HttpsPool}


@contextmanager
def _cut(connection: Any, seconds: float) -> Iterator[None]:
    """End what is going on after so many seconds: a socket's own time limit begins anew with every byte."""

    def cut() -> None:
        with suppress(OSError, TypeError):  # TLS within TLS has no socket of its own
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _manager(tls: ssl.SSLContext | None, proxy: str | None) -> urllib3.PoolManager:
    options: dict[str, Any] = {"ssl_context": tls} if tls else {}
    if not proxy:
        return urllib3.PoolManager(**options)
    try:
        parts = urlsplit(proxy)
        if parts.username:
            given = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode("utf-8", "surrogateescape")
            options["proxy_headers"] = make_headers(proxy_basic_auth=given.decode("latin-1"))
        return urllib3.ProxyManager(proxy, proxy_ssl_context=tls, **options)
    except (ProxySchemeUnknown, LocationValueError, ValueError):  # their words would hold the proxy's password
        raise InputError(
            "the proxy's address cannot be used",
            why="it is not of the form http://host:port or https://host:port (socks is not supported)",
            hint="Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or name the git server's host in NO_PROXY.",
        ) from None


def finish(response: urllib3.BaseHTTPResponse) -> None:
    """Read the end of an answer, without which its connection cannot serve again; close it where more comes."""
    try:
        more = response.read1(1)
    except (HTTPError, OSError):
        more = b"?"  # what was asked for had come all the same
    if more:
        response.close()


class Body(io.RawIOBase):
    """An answer's bytes as they come, until the time is up: a server that drips never meets a socket's time limit."""

    def __init__(self, response: urllib3.BaseHTTPResponse, remaining: Callable[[], float]) -> None:
        self._response = response
        self._remaining = remaining

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What has come, without waiting for the buffer to be full. Raises `Fault` when the time is up."""
        if self._remaining() <= 0:
            raise Fault("the server's answer did not end in time")
        data = self._response.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)
