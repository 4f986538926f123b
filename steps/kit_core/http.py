# SPDX-License-Identifier: MIT
"""Requests to services that are no API server and no registry: webhooks, a bucket, what gives credentials for it.

One room for what all of them need: the proxies and certificates of the run, limits of time, no redirects (a redirected
POST would take its token to whoever it is sent to), and addresses that may be shown. On urllib3, imported where it is
used: a step whose image has none asks with what Python brings.
"""

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from kit_core.network import proxy_for

if TYPE_CHECKING:
    import urllib3

MAY_PASS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of an answer that may be better a moment later."""

_SHORTEST_SECRET: Final = 8


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds for making a connection, seconds without a byte of the answer, and how often to ask again."""

    connect: float = 5.0
    read: float = 5.0
    again: int = 0


def pool_for(
    url: str, env: Mapping[str, str] | None, *, tls: ssl.SSLContext, limits: Limits, connections: int = 1
) -> "urllib3.PoolManager":
    """Connections to the host of `url`, through the proxy that `env` prescribes (None: directly, whatever it says).

    Redirects are not followed: the answer is what came back. Where it asks again (`limits.again`), it does so after
    faults of the connection and after statuses of `MAY_PASS`.
    """
    import urllib3

    options: dict[str, Any] = {
        "ssl_context": tls,
        "maxsize": connections,
        "retries": urllib3.Retry(
            total=limits.again,
            redirect=False,
            status_forcelist=MAY_PASS if limits.again else None,
            backoff_factor=0.25,
            raise_on_status=False,
            raise_on_redirect=False,
        ),
        "timeout": urllib3.Timeout(connect=limits.connect, read=limits.read),
    }
    proxy = proxy_for(url, env) if env is not None else None
    if not proxy:
        return urllib3.PoolManager(**options)
    auth = urllib3.util.parse_url(proxy).auth
    headers = urllib3.util.make_headers(proxy_basic_auth=auth) if auth else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def beginning(answer: "urllib3.BaseHTTPResponse", most: int) -> bytes:
    """The first bytes of an answer that was asked for with `preload_content=False`, which then is over.

    What nobody wants is not read, however long the other side goes on.
    """
    found = answer.read(most + 1)
    if len(found) > most:
        answer.close()
    else:
        answer.release_conn()
    return bytes(found[:most])


def is_address(url: str) -> bool:
    """Whether this is an http or https address that a request can be sent to."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        # Asking for a port that is no number raises, too.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    return False


def shown(url: str) -> str:
    """Scheme, host and port: the rest of an address may be a secret."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def secrets_in(url: str) -> Iterator[str]:
    """What must not be seen of an address that is a secret itself: its path, its query, its password."""
    parts = urlsplit(url)
    for secret in (parts.path.strip("/"), parts.query, unquote(parts.password or "")):
        if len(secret) >= _SHORTEST_SECRET:
            yield secret


def without_login(url: str) -> tuple[str, dict[str, str]]:
    """The address without `user:password@`, and the header that says the same."""
    import urllib3

    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if not parts.username:
        return bare, {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return bare, dict(urllib3.util.make_headers(basic_auth=login))


def cause(error: BaseException) -> str:
    """Why no answer came, in words: urllib3 wraps the cause, together with the whole address."""
    import urllib3

    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, Exception) else error
    if isinstance(inner, urllib3.exceptions.NewConnectionError):
        return "the connection was refused, or its name is not known"
    if isinstance(inner, urllib3.exceptions.TimeoutError):
        return "it did not answer in time"
    if isinstance(inner, urllib3.exceptions.SSLError):
        return f"its certificate or its TLS is not accepted ({_first_words(inner)}; KIT_CA_CERT adds authorities)"
    if isinstance(inner, urllib3.exceptions.ProxyError):
        return "the proxy refused, or cannot be reached"
    return type(inner).__name__


def _first_words(error: Exception) -> str:
    inner = error.args[0] if error.args and isinstance(error.args[0], ssl.SSLError) else None
    return getattr(inner, "verify_message", "") or getattr(inner, "reason", "") or type(error).__name__
