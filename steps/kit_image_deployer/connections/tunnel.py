# SPDX-License-Identifier: MIT
"""TCP connections for what is not http, by way of a proxy where one is prescribed.

The proxy is asked with CONNECT (RFC 9110, 9.3.6). http.client could ask it as well, but reads ahead: of a server that
speaks first, as ssh and git do, the first words would be lost in its buffer.
"""

import re
import socket
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from kit_core.errors import InputError, WorkError
from kit_core.network import proxy_for
from kit_image_deployer.ahead import Ahead
from kit_image_deployer.faults import Fault, NoAnswer

_CONNECT_SECONDS: Final = 15.0
_LONGEST_ANSWER: Final = 16_384
_PASSING: Final = frozenset({408, 425, 429})
_STATUS: Final = re.compile(rb"HTTP/\d\.\d (\d{3}) ?([^\r\n]*)")


def proxy_of(scheme: str, host: str, port: int, env: Mapping[str, str]) -> str | None:
    """The proxy for a connection that is not http: ALL_PROXY's, but for hosts in NO_PROXY. HTTPS_PROXY is for https
    alone: proxies for the web let nothing else through, while ssh often needs none.
    """
    shown = f"[{host}]" if ":" in host else host
    return proxy_for(f"{scheme}://{shown}:{port}", env)


def connected(host: str, port: int, proxy: str | None, *, where: str, seconds: float) -> socket.socket:
    """A connection to a server, at most `seconds` later. Raises `Fault` where it may work another time."""
    limit = min(_CONNECT_SECONDS, seconds)
    if proxy is None:
        return _socket(host, port, limit, "")
    parts = _parts(proxy)
    end = time.monotonic() + limit
    connection = _socket(parts.hostname or "", parts.port or 80, limit, "the proxy: ")
    try:
        _ask(connection, host, port, parts.username, parts.password, where=where, end=end)
    except OSError as error:
        connection.close()
        raise NoAnswer(f"the proxy: {_words(error)}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _parts(proxy: str) -> SplitResult:
    try:
        parts = urlsplit(proxy)
        _ = parts.port, (parts.hostname or "").encode("idna")  # raise where it is no number, and no name
        if parts.scheme == "http" and parts.hostname:
            return parts
    except ValueError:
        pass
    raise InputError(  # its words would hold the proxy's password
        "the proxy's address cannot be used",
        why="for this kind of address it has to be of the form http://host:port",
        hint="Check ALL_PROXY, or name the git server's host in NO_PROXY.",
    )


def _socket(host: str, port: int, seconds: float, who: str) -> socket.socket:
    # A name is looked up by the system, which nobody can interrupt, and may have many addresses.
    begun = Ahead(lambda: socket.create_connection((host, port), timeout=seconds))
    try:
        connection = begun.result(within=seconds)
    except OSError as error:
        raise NoAnswer(f"{who}{_words(error)}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _ask(
    connection: socket.socket,
    host: str,
    port: int,
    user: str | None,
    password: str | None,
    *,
    where: str,
    end: float,
) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if user:
        from base64 import b64encode

        given = f"{unquote(user)}:{unquote(password or '')}".encode("utf-8", "surrogateescape")
        lines.append(f"Proxy-Authorization: Basic {b64encode(given).decode()}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = bytearray()
    while not answer.endswith(b"\r\n\r\n"):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        byte = connection.recv(1)  # not one more: what follows is the server's
        answer += byte
        if not byte or len(answer) > _LONGEST_ANSWER:
            raise Fault("the proxy: the connection ended before its answer")
    status = _STATUS.match(answer)
    code, reason = (int(status[1]), status[2].decode("latin-1")) if status else (0, "no http")
    if 200 <= code < 300:
        return
    said = f"{code} {reason}".strip()
    if code >= 500 or code in _PASSING:
        raise Fault(f"the proxy answered {said}")
    raise WorkError(
        "the proxy refused the connection",
        where=where,
        why=said,
        hint="Check ALL_PROXY (its user and password too), or name this host in NO_PROXY.",
    )


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    return error.strerror or str(error) or type(error).__name__
