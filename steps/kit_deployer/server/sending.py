# SPDX-License-Identifier: MIT
"""How a request to an API server is sent until there is an answer that sending it again would not change."""

import contextlib
import json
import math
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from kit_core.errors import TimeLimitError, WorkError
from kit_deployer.objects import Json
from kit_deployer.server.connection import Connection, Response
from kit_deployer.server.failures import (
    FEW_TRIES,
    RETRIED_STATUS,
    ApiError,
    Stopped,
    api_error,
    is_hiccup,
    retried,
    transport_error,
)

_LONGEST_ASKED: Final = 120.0
"""Seconds that a server may ask us to wait; the settings' longest pause is for servers that do not say."""

_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ESCAPED: Final = re.compile("[\x7f-\uffff]")


@dataclass(frozen=True)
class Backoff:
    """How often and how patiently a failed request is sent again: `tries` more times, `first` to `longest` seconds."""

    tries: int = 10
    first: float = 1.0
    longest: float = 30.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (1 is the first)."""
        return float(min(self.longest, self.first * 2 ** (failures - 1)))


class Pace:
    """A limit of requests a second, with a burst of a tenth of that. May be used from several threads."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        """`rate` 0 is no limit."""
        self._gap = 1 / rate if rate else 0.0
        self._burst = rate / 10
        self._clock = clock
        self._lock = threading.Lock()
        self._due = clock() - self._burst * self._gap

    def wait(self) -> float:
        """Seconds that a request which comes now has to wait."""
        if not self._gap:
            return 0.0
        with self._lock:
            now = self._clock()
            self._due = max(self._due, now - self._burst * self._gap) + self._gap
            return max(0.0, self._due - now)


class Sender:
    """Sends requests to one cluster, from several threads. `tell` is given a line where nothing happens for a while.

    `rate` is how many requests a second may be sent at most; 0 for as many as there are connections for. After
    `deadline` (of the clock) nothing is sent again.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        backoff: Backoff,
        stop: threading.Event,
        tell: Callable[[str], None] = lambda _text: None,
        rate: float = 0.0,
        deadline: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.requests = 0
        self._connection = connection
        self._backoff = backoff
        self._stop = stop
        self._tell = tell
        self._clock = clock
        self._deadline = deadline
        self._wall = wall
        self._pace = Pace(rate, clock)
        self._date: str | None = None
        self._ahead = 0.0
        self._not_before = 0.0

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._connection.server

    @property
    def server_time(self) -> float:
        """What the server's clock says now (seconds since 1970): objects carry its times, and clocks differ."""
        return self._wall() + self._ahead

    @property
    def stopping(self) -> bool:
        """Whether the run was told to end."""
        return self._stop.is_set()

    def json(self, method: str, path: str, **options: Any) -> Json:
        """The JSON body of the answer; `options` are those of `send`. Raises `WorkError`."""
        response = self.send(method, path, **options)
        try:
            return dict(json.loads(response.data))
        except (TypeError, ValueError) as error:
            raise WorkError(
                f"{options['doing']} failed",
                where=self.name,
                why=f"{self.server} answered with something else than JSON",
                hint="Check that the kubeconfig's server is an API server and no login page of a proxy.",
            ) from error

    def found(self, method: str, path: str, **options: Any) -> Json | None:
        """The same; None where the server knows no such thing."""
        try:
            return self.json(method, path, **options)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        stream_seconds: float | None = None,
        tries: int | None = None,
    ) -> Response:
        """A successful response. `doing` names the request in errors; `tries` is how often it may be sent again,
        where that is another number than the settings'.

        Raises `ApiError` for a refusal, `WorkError` or `TimeLimitError` where the server cannot be had, `Stopped`.
        """
        data = None if body is None else encoded(body)
        sent = {"Content-Type": "application/json", **(headers or {})} if data is not None else headers
        failures = 0
        renewed = False
        while True:
            self._wait_for_turn()
            self.requests += 1
            response, token, error = self._once(method, path, data, sent, stream_seconds)
            if response is not None and 200 <= response.status < 300:
                return response
            if response is not None and response.status == 401 and not renewed:
                renewed = True
                if self._connection.credentials.renew(token):
                    continue
            failures += 1
            if not self._again(response, error, failures, self._backoff.tries if tries is None else tries):
                raise self._failure(response, error, failures, doing)
            self._pause(response, error, failures)

    def _once(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str] | None, stream: float | None
    ) -> tuple[Response | None, str | None, Exception | None]:
        import urllib3

        try:
            response, token = self._connection.send(method, path, body=data, headers=headers, stream_seconds=stream)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return None, None, error
        date = response.headers.get("Date")
        if date != self._date:  # it has seconds, and many answers come in one
            self._date = date
            with contextlib.suppress(ValueError):
                self._ahead = parsedate_to_datetime(date or "").timestamp() - self._wall()
        return response, token, None

    def _again(self, response: Response | None, error: Exception | None, failures: int, tries: int) -> bool:
        if failures > tries:
            return False
        if response is not None:
            hopeful = failures <= FEW_TRIES and is_hiccup(response.status, response.data)
            return response.status in RETRIED_STATUS or hopeful
        return error is not None and retried(error)

    def _failure(self, response: Response | None, error: Exception | None, failures: int, doing: str) -> Exception:
        tried = f" (tried {failures} times)" if failures > 1 else ""
        if response is not None:
            return api_error(response.status, response.data, where=self.name, doing=doing, json=json)
        assert error is not None
        return transport_error(error, cluster=self.name, server=self.server, tried=tried)

    def _pause(self, response: Response | None, error: Exception | None, failures: int) -> None:
        delay = self._backoff.delay(failures)
        asked = _retry_after(response)
        if asked is not None:
            # The server is overloaded for everybody, so all our connections to it hold back.
            delay = min(asked, max(self._backoff.longest, _LONGEST_ASKED))
            self._not_before = max(self._not_before, self._clock() + delay)
        if error is not None:
            reason = str(transport_error(error, cluster="", server=self.server, tried="").why)
        else:
            reason = f"{self.server} answered HTTP {response.status if response else 0}"
        if self._clock() + delay >= self._deadline:
            raise TimeLimitError(
                "The run took longer than KIT_RUN_TIMEOUT allows",
                where=self.name,
                why=f"a request was still being tried again: {reason}",
                hint="Run it again to go on where it stopped, or raise the limit.",
            )
        if delay >= 1:
            self._tell(f"{reason}; trying again in {delay:.0f} s ({failures} of {self._backoff.tries})")
        if self._stop.wait(delay * random.uniform(0.9, 1.1)):  # noqa: S311 - spreads retries, guards nothing
            raise Stopped

    def _wait_for_turn(self) -> None:
        if self._stop.is_set():
            raise Stopped
        wait = self._not_before - self._clock()
        if wait > 0 and self._stop.wait(wait):
            raise Stopped
        wait = self._pace.wait()
        if wait > 0 and self._stop.wait(wait):
            raise Stopped


def encoded(body: Any) -> bytes:
    """A body as JSON that is YAML as well, which the server takes an apply for: to YAML a pair of surrogates, as JSON
    escapes what lies beyond the first 65,536 characters, is no character, and some of those below are line breaks.
    """
    text = _COMPACT.encode(body)
    if not text.isascii() or "\x7f" in text:
        text = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text.encode()


def _retry_after(response: Response | None) -> float | None:
    value = response.headers.get("Retry-After") if response is not None else None
    return float(value) if value and value.isdigit() else None
