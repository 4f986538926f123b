# SPDX-License-Identifier: MIT
"""Requests of environment sources: through the proxies and with the certificates of the run, tried again where that may
help, never for longer or for more than is said.

On urllib, not urllib3: a source asks few questions, and the image carries one library less.
"""

import http.client
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from kit_core.network import proxy_for, tls_context
from kit_core.secrets import MASK

_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 10.0
_GIVEN_UP: Final = 3
"""So many questions in a row without any answer, and the service is not asked again in this run."""
_LARGEST: Final = 10 * 2**20
_UNFIT: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")


@dataclass(frozen=True)
class Answer:
    """What came back. `later` are the seconds after which to ask again, where the service said so."""

    status: int
    body: bytes
    later: float | None = None


class NoAnswer(Exception):
    """No answer came, after all tries. The message is the reason."""


def is_address(text: str) -> bool:
    """Whether `text` is an http(s) address that may be shown and that a request can be sent to."""
    try:
        parts = urllib.parse.urlsplit(text)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False
    return known and "@" not in parts.netloc and text.isascii() and text.isprintable() and " " not in text


def shown(address: str) -> str:
    """An address as it may be told: what stands behind a question mark may be a token."""
    parts = urllib.parse.urlsplit(address)
    bare = urllib.parse.urlunsplit(parts._replace(query="", fragment=""))
    return f"{bare}?{MASK}" if parts.query or parts.fragment else bare


def is_header(value: str) -> bool:
    """Whether an HTTP header may have this value."""
    return _UNFIT.search(value) is None


class Web:
    """Asks one service. Connection faults and 429 are tried again, nothing else. May be used from any thread.

    `seconds` is how long one try may take. Raises `InputError` for certificates that cannot be read.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        ca_cert: Path | None,
        seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._env = env
        self._seconds = seconds
        self._sleep = sleep
        self._tls = tls_context(ca_cert)
        self._lock = threading.Lock()
        self._silent = 0

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """The answer of whatever status. Raises `NoAnswer`."""
        if self._silent >= _GIVEN_UP:
            raise NoAnswer(f"{_GIVEN_UP} questions before this one had no answer either, so it was not asked")
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._send(method, url, headers, body)
            except OSError as error:
                if attempt == _TRIES:
                    self._heard(False)
                    raise NoAnswer(str(getattr(error, "reason", None) or error)) from None
                self._sleep(_PAUSE_SECONDS * attempt)
            else:
                if answer.status != HTTPStatus.TOO_MANY_REQUESTS or attempt == _TRIES:
                    break
                self._sleep(_PAUSE_SECONDS * attempt if answer.later is None else answer.later)
        self._heard(True)
        return answer

    def _heard(self, something: bool) -> None:
        with self._lock:
            self._silent = 0 if something else self._silent + 1

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        proxy = proxy_for(url, self._env)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}),
            urllib.request.HTTPSHandler(context=self._tls),
            _NoRedirect(),
        )
        request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310 - http(s)
        end = time.monotonic() + self._seconds
        try:
            with opener.open(request, timeout=self._seconds) as response:
                return Answer(response.status, _read(response, end))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _read(error, end), _later(error.headers.get("Retry-After")))
        except http.client.HTTPException as error:
            raise OSError(f"this is no HTTP as it should be ({type(error).__name__})") from None


def _read(response: Any, end: float) -> bytes:
    """The body. Raises `NoAnswer` where it is too large, `OSError` where it takes too long, though every piece came in
    time."""
    body = b""
    while piece := response.read1(2**16):
        body += piece
        if len(body) > _LARGEST:
            raise NoAnswer(f"the answer is larger than {_LARGEST // 2**20} MB")
        if time.monotonic() > end:
            raise OSError("timed out")
    if response.length:  # so much was announced and did not come
        raise http.client.IncompleteRead(b"", response.length)
    return body


def _later(text: str | None) -> float | None:
    """Of a `Retry-After` in seconds; a date is not worth reading for pauses this short."""
    return min(float(text), _LONGEST_PAUSE_SECONDS) if text and re.fullmatch("[0-9]{1,9}", text) else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, and would take the token to whoever it is sent to."""

    def redirect_request(self, *_args: Any) -> None:
        """Follow none: the answer's status is told."""
