# SPDX-License-Identifier: MIT
"""http connections: kept and used again, through a proxy where there is one, and answers that end in time; and what
it means where none came."""

import email.utils
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ProxySchemeUnknown,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import make_headers, parse_url

from kit_core.errors import InputError, KitError, WorkError
from kit_image_deployer.ahead import Ahead
from kit_image_deployer.faults import Fault, NoAnswer

_PROXY_REFUSED: Final = re.compile(r"Tunnel connection failed: 4(?!08|25|29)\d\d")
_LOOK_UP_SECONDS: Final = 30.0
_ERROR_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")


def pool_of(tls: ssl.SSLContext | None, proxy: str | None, left: Callable[[], float]) -> Any:
    """Connections to one server, by way of `proxy` if any. Raises `InputError` for a proxy that cannot be used.

    `left` tells how many seconds the head of an answer may take; then the connection is cut.
    """
    pool = _manager(tls, proxy)
    pool.pool_classes_by_scheme = _classes(left)
    return pool


def _classes(left: Callable[[], float]) -> dict[str, Any]:
    class Http(_InTime, HTTPConnection):
        time_left = staticmethod(left)

    class Https(_InTime, HTTPSConnection):
        time_left = staticmethod(left)

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    return {"http": HttpPool, "https": HttpsPool}


class _InTime:
    """A connection of which no part outlasts the time that is left: neither the look-up of a name, nor a proxy's or
    TLS' beginning, nor the head of an answer.
    """

    time_left: Callable[[], float]
    _connecting: ExitStack

    def connect(self) -> None:
        """Connect, by way of a proxy and with TLS where there are any."""
        with ExitStack() as self._connecting:
            super().connect()  # type: ignore[misc] # HTTPConnection's

    def _new_conn(self) -> socket.socket:
        connection = _connected(super()._new_conn, self.time_left())  # type: ignore[misc] # HTTPConnection's
        # TLS takes the socket over, and another one of the same connection is cut.
        twin = self._connecting.enter_context(connection.dup())
        self._connecting.enter_context(_cut(twin, self.time_left()))
        return connection

    def getresponse(self) -> Any:
        """The head of the answer."""
        with _cut(self.sock, self.time_left()):  # type: ignore[attr-defined] # HTTPConnection's
            return super().getresponse()  # type: ignore[misc] # HTTPConnection's


def _connected(connect: Callable[[], socket.socket], seconds: float) -> socket.socket:
    """A new connection. A name is looked up by the system, which nobody can interrupt: it is left to itself when the
    time is up.
    """
    begun = Ahead(connect)
    try:
        return begun.result(within=min(seconds, _LOOK_UP_SECONDS))
    except TimeoutError:
        raise ConnectTimeoutError("no connection in time") from None


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
    # Two at a time: how to push is asked while the repository is read.
    options: dict[str, Any] = {"maxsize": 2, **({"ssl_context": tls} if tls else {})}
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


class NoTlsError(WorkError):
    """No conversation in TLS came about: something else answers there, or the proxy does not let us."""


def unreachable(error: Exception, where: str, *, setting: str) -> Fault | KitError:
    """What it means that a request to `where`, which `setting` names, got no answer."""
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, ProxyError):
        reason = reason.original_error
        why = f"the proxy: {words_of(reason)}"
        return NoTlsError(
            "the proxy refused the connection", where=where, why=words_of(reason),
            hint="Check HTTPS_PROXY (its user and password too), or name this host in NO_PROXY.",
        ) if _PROXY_REFUSED.search(why) else NoAnswer(why)  # fmt: skip
    if isinstance(reason, SSLError):
        cause = reason.args[0] if reason.args else reason
        if isinstance(cause, ssl.SSLCertVerificationError):
            return WorkError(
                "the server's certificate cannot be trusted",
                where=where,
                why=cause.verify_message or str(cause),
                hint="If a company's own authority signed it, name that certificate's file in KIT_CA_CERT.",
            )
        if "WRONG_VERSION_NUMBER" in str(cause):
            return NoTlsError("the server does not speak TLS there", where=where, hint=f"Check {setting}.")
    return NoAnswer(words_of(reason))


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_address(url: str) -> bool:
    """Whether it is an http(s) address that a connection can be made to: servers name others as they like."""
    try:
        parts = parse_url(url)
        _ = urlsplit(url).port, (parts.host or "").encode("idna")  # both raise where they cannot be read
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.host)


def words_of(error: Exception) -> str:
    """A library's error as a few words, without its addresses of objects."""
    if isinstance(error, NewConnectionError):
        return _ERROR_NUMBER.sub("", str(error).rpartition(": ")[2])
    if isinstance(error, ConnectTimeoutError):
        return "no connection in time"
    if isinstance(error, ReadTimeoutError):
        return "the server did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error.args[0]) if error.args else type(error).__name__


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from either form of the header (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
