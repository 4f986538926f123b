# SPDX-License-Identifier: MIT
"""What an API server or the way to it can answer instead of what was asked for, as errors that name it."""

import ssl
from typing import Any, Final

from kit_core.errors import KitError, TimeLimitError, WorkError
from kit_deployer.objects import Json, at

RETRIED_STATUS: Final = frozenset({429, 502, 503, 504})
"""Answers after which the same request may work a moment later."""

FEW_TRIES: Final = 3
"""How often a request is sent again after an answer that may be a hiccup, and may be for ever."""

_HINTS: Final = {
    401: "The credentials in the kubeconfig are not accepted: renew them.",
    403: "Give the deployer's account this right (RBAC); docs/rbac/deployer.yaml has all that it needs.",
}


class Stopped(Exception):
    """The run is ending; nothing new is begun."""


class ApiError(WorkError):
    """The API server refused a request; `status` is the HTTP status, `reason` Kubernetes' word for it."""

    def __init__(self, what: str, *, where: str, status: int, reason: str, message: str, details: Json) -> None:
        super().__init__(what, where=where, why=message, hint=_HINTS.get(status))
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details


def api_error(status: int, body: bytes, *, where: str, doing: str, json: Any) -> ApiError:
    """The error in a response. The server's own words are its reason."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {}
    if not isinstance(answer, dict):
        answer = {}
    message = answer.get("message") or body[:200].decode("utf-8", "replace").strip() or f"HTTP {status}"
    return ApiError(
        f"{doing} was refused",
        where=where,
        status=status,
        reason=str(answer.get("reason") or status),
        message=message if status < 500 else f"HTTP {status}, {message}",
        details=at(answer, "details") or {},
    )


def transport_error(error: Exception, *, cluster: str, server: str, tried: str) -> KitError:
    """The error for what went wrong below HTTP, once it is not tried again."""
    import urllib3

    cause = _root(error)
    # A refused connection is a kind of timeout to urllib3.
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
        return TimeLimitError(
            "The API server does not answer",
            where=cluster,
            why=f"{server} took longer than KIT_REQUEST_TIMEOUT allows{tried}",
            hint="Check that the server is alive and that the network leads there (firewall, VPN, proxy).",
        )
    if isinstance(cause, ssl.SSLError):
        return WorkError(
            "The API server's TLS connection failed",
            where=cluster,
            why=f"{server}: {tls_reason(cause)}",
            hint="Check certificate-authority in the kubeconfig, or give the authority with KIT_CA_CERT.",
        )
    return WorkError(
        "The API server cannot be reached",
        where=cluster,
        why=f"{server}: {plain_reason(error)}{tried}",
        hint="Check the address in the kubeconfig, that the server runs, and that the network leads there.",
    )


def is_hiccup(status: int, body: bytes) -> bool:
    """Whether an answer is an inner error that may pass, as where etcd has a new leader.

    A broken webhook speaks with the same number: it will not be mended within seconds, and its cause must be told.
    So does a server that gets a list, a number or a text where its schema has something else.
    """
    return status == 500 and b"webhook" not in body and not is_unfit(body.decode("utf-8", "replace"))


def is_unfit(message: str) -> bool:
    """Whether the server said, as an inner error, that a manifest's values are not of the kinds its schema has."""
    return "failed to create typed patch object" in message or "failed to convert new object" in message


def retried(error: Exception) -> bool:
    """Whether a request that failed below HTTP is worth another try: not where a certificate is wrong."""
    return not isinstance(_root(error), ssl.SSLCertVerificationError)


def tls_reason(cause: ssl.SSLError) -> str:
    """What is wrong with the TLS connection, in OpenSSL's words."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    return cause.reason or str(cause)


def plain_reason(error: Exception) -> str:
    """What went wrong, in the words of the system: `connection refused`, not a stack of wrappers."""
    cause = _root(error)
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, ConnectionResetError):
        return "the connection was reset"
    text = getattr(cause, "strerror", None) or str(cause)
    return text[:1].lower() + text[1:]


def _root(error: BaseException) -> BaseException:
    """The innermost error: the cause chain's end, and urllib3's `reason`."""
    for _ in range(10):
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return error
