# SPDX-License-Identifier: MIT
"""Single requests to web services other than git's: an answer of bounded size in bounded time, or a `Fault`."""

import io
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import HTTPError, LocationValueError
from urllib3.util import Timeout

from kit_core.errors import InputError, WorkError
from kit_core.network import proxy_for
from kit_image_deployer.connections.pool import (
    Body,
    finish,
    is_address,
    origin,
    pool_of,
    retry_after,
    unreachable,
    words_of,
)
from kit_image_deployer.faults import Fault

_CONNECT_SECONDS: Final = 15.0
_READ_SECONDS: Final = 60.0
_LEAST_SECONDS: Final = 1.0
_MAY_PASS: Final = frozenset({408, 425, 429})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_LARGEST: Final = 4 << 20
"""The size up to which registries accept a manifest; nothing that is asked for here is larger."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a service answered at last, behind redirects. `headers` are found by name in any case."""

    status: int
    reason: str
    headers: Any
    body: bytes
    url: str

    @property
    def told(self) -> str:
        """The status as a server writes it: `404 Not Found`."""
        return f"{self.status} {self.reason}".strip()


@dataclass(kw_only=True)
class Web:
    """Asks; not to be shared between threads. `where` and `setting` (the one that names the service) are for errors,
    `remaining` tells the seconds that are left of the run's time, `env` holds the proxies.
    """

    where: str
    setting: str
    tls: ssl.SSLContext | None
    env: Mapping[str, str]
    remaining: Callable[[], float]
    _until: float = 0.0
    _pools: dict[str | None, Any] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        secret: Mapping[str, str] | None = None,
        body: bytes | None = None,
        where: str | None = None,
    ) -> Answer:
        """Send a request. `secret` are headers that only this address's own server may see: a redirect to another
        one goes without them. `where` is what errors call a server other than the one that is usually asked. Raises
        `Fault` where no answer came or the server is overloaded, else a `KitError`.
        """
        asked, where = url, where or self.where
        for _ in range(_MOST_REDIRECTS + 1):
            same = origin(url) == origin(asked)
            kept = (secret or {}) if same else {}
            named = where if same else f"{where}, which redirects to {urlsplit(url).hostname},"
            answer = self._once(method, url, {**headers, **kept}, body, named)
            place = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not place or method not in {"GET", "HEAD"}:
                return answer
            url = _followed(url, place, where)
        raise WorkError(f"{where} redirects again and again", where=asked, hint=f"Check {self.setting}.")

    def _left(self) -> float:
        return self._until - time.monotonic()

    def _pool(self, url: str) -> Any:
        proxy = proxy_for(url, self.env)
        if proxy not in self._pools:
            self._pools[proxy] = pool_of(self.tls, proxy, self._left)
        return self._pools[proxy]

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, where: str) -> Answer:
        seconds = max(_LEAST_SECONDS, self.remaining())
        self._until = time.monotonic() + seconds
        try:
            response = self._pool(url).request(
                method, url, body=body, headers={"User-Agent": "kit-image-deployer", **headers},
                redirect=False, retries=False, preload_content=False,
                timeout=Timeout(connect=min(_CONNECT_SECONDS, seconds), read=min(_READ_SECONDS, seconds)),
            )  # fmt: skip
        except LocationValueError as error:
            raise InputError(f"{url} is no address", why=str(error), hint=f"Check {self.setting}.") from None
        except (HTTPError, OSError) as error:
            raise unreachable(error, where, setting=self.setting) from error
        try:
            if response.status in _MAY_PASS or response.status >= 500:
                told = f"{where} answered {response.status} {response.reason or ''}".strip()
                raise Fault(told, retry_after=pause_asked(response.headers))
            content = io.BufferedReader(Body(response, self._left), 65_536).read(_LARGEST + 1)
            if len(content) > _LARGEST:
                raise WorkError(f"{where} answered with more than {_LARGEST >> 20} MB", where=url)
            finish(response)
        except (HTTPError, OSError) as error:
            response.close()
            raise Fault(words_of(error)) from error
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()
        return Answer(
            status=response.status, reason=response.reason or "", headers=response.headers, body=content, url=url
        )

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.clear()


def _followed(url: str, place: str, where: str) -> str:
    """The address that a redirect names. Raises `WorkError` for none, and for one that is less safe."""
    try:
        follow = urljoin(url, place)
    except ValueError:
        follow = ""
    before, after = (address.partition(":")[0].lower() for address in (url, follow))
    if after and after != "https" and (after != "http" or before == "https"):
        raise WorkError(f"{where} redirects from {before} to {after}", where=url)
    if not is_address(follow):
        raise WorkError(f"{where} redirects to what is no address", where=url, why=repr(place))
    return after + follow[len(after) :]


def pause_asked(headers: Any) -> float | None:
    """The seconds that a service asks for: `Retry-After`, or the end of a rate limit that is used up (in seconds since
    1970: GitHub's `x-ratelimit-reset`, GitLab's `RateLimit-Reset`).
    """
    asked = retry_after(headers.get("Retry-After"))
    if asked is not None:
        return asked
    for left, end in (("x-ratelimit-remaining", "x-ratelimit-reset"), ("RateLimit-Remaining", "RateLimit-Reset")):
        if headers.get(left) == "0" and re.fullmatch(r"[0-9]{1,11}", headers.get(end) or ""):
            return max(1.0, float(headers[end]) - time.time())
    return None
