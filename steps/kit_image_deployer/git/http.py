# SPDX-License-Identifier: MIT
"""Smart http(s): requests to a git server, with credentials, proxies and certificates; and what its answers mean."""

import io
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
)
from urllib3.util import Retry, Timeout, make_headers

from kit_core.errors import InputError, KitError, WorkError
from kit_core.secrets import Secret
from kit_image_deployer.connections.pool import Body, finish, origin, pool_of, retry_after, unreachable, words_of
from kit_image_deployer.faults import Fault
from kit_image_deployer.git.wire import RECEIVE_PACK, Advertisement, Read, read_advertisement

_CONNECT_SECONDS: Final = 15.0
_READ_SECONDS: Final = 60.0
# Near the deadline a request still gets this long; a push more, since its answer alone tells what became of it.
_LEAST_SECONDS: Final = 1.0
_LEAST_PUSH_SECONDS: Final = 10.0
_MAY_PASS: Final = frozenset({408, 425, 429})
_LONGEST_WORDS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach a server: credentials, trusted certificates, the proxy if any, and where the password came from
    (the name of a setting, for errors).
    """

    username: str | None = None
    password: Secret | None = None
    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    setting: str = "KIT_GIT_PASSWORD"
    remaining: Callable[[], float] = field(default=lambda: _READ_SECONDS)


class HttpTransport:
    """Conversations with one repository. Its connections are kept and used again."""

    parallel = True

    def __init__(self, url: str, access: Access) -> None:
        self.where = url.rstrip("/")
        self._base = self.where
        self._access = access
        self._until = 0.0
        self._pool = pool_of(access.tls, access.proxy, self._left)

    def advertise(self, service: str) -> Advertisement:
        """The server's first words for `service`. Raises `Fault` or a `KitError`."""
        tail = f"/info/refs?service={service}"
        with self._request("GET", self._base + tail, service, headers={"Git-Protocol": "version=2"}) as response:
            kind = response.headers.get("Content-Type", "")
            if not kind.startswith(f"application/x-{service}-advertisement"):
                raise WorkError(
                    "the server does not speak git's smart http protocol there",
                    where=self.where,
                    why=f"it answered with {kind or 'no content type'}",
                    hint="Check KIT_GIT_URL: it should be the address that `git clone` takes.",
                )
            self._follow(response.geturl() or "", tail)
            with _reading():
                return read_advertisement(self._reader(response))

    @contextmanager
    def call(self, service: str, body: bytes, *, version: int) -> Iterator[Read]:
        """Send `body` to `service` and read the answer. Raises `Fault` or a `KitError`."""
        headers = {
            "Content-Type": f"application/x-{service}-request",
            "Accept": f"application/x-{service}-result",
        }
        if version == 2:
            headers["Git-Protocol"] = "version=2"
        with self._request("POST", f"{self._base}/{service}", service, headers=headers, body=body) as response:
            kind = response.headers.get("Content-Type", "")
            if not kind.startswith(f"application/x-{service}-result"):
                raise Fault(f"the server answered with {kind or 'no content type'} instead of a {service} result")
            with _reading():
                yield self._reader(response)

    def _left(self) -> float:
        return self._until - time.monotonic()

    def _reader(self, response: urllib3.BaseHTTPResponse) -> Read:
        """Exactly as many bytes as asked for, fewer at the end."""
        return io.BufferedReader(Body(response, self._left), 65_536).read

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    @contextmanager
    def _request(
        self, method: str, url: str, service: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        pushing = method == "POST" and service == RECEIVE_PACK
        remaining = max(_LEAST_PUSH_SECONDS if pushing else _LEAST_SECONDS, self._access.remaining())
        self._until = time.monotonic() + remaining
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={"User-Agent": "git/kit-image-deployer", **self._credentials(url), **headers},
                redirect=method == "GET",
                retries=Retry(total=None, connect=0, read=0, redirect=5, status=0, other=0),
                timeout=Timeout(connect=min(_CONNECT_SECONDS, remaining), read=min(_READ_SECONDS, remaining)),
                preload_content=False,
            )
        except LocationValueError as error:
            raise InputError(
                f"{self.where} is no address",
                why=str(error),
                hint="Check KIT_GIT_URL (https://host/team/repository.git).",
            ) from None
        except (HTTPError, OSError) as error:
            raise unreachable(error, self.where, setting="KIT_GIT_URL") from error
        try:
            if self._left() <= 0:
                raise Fault("the server did not answer in time")
            if response.status != 200:
                raise self._refusal(response, service)
            yield response
            finish(response)
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()

    def _credentials(self, url: str) -> dict[str, str]:
        """Basic auth, for the server that the settings name only."""
        password = self._access.password
        if password is None or origin(url) != origin(self.where):
            return {}
        given = f"{self._access.username or ''}:{password.reveal()}".encode("utf-8", "surrogateescape")
        return {"Authorization": make_headers(basic_auth=given.decode("latin-1"))["authorization"]}

    def _follow(self, url: str, tail: str) -> None:
        """Where the server's first answer came from another address, go on there (as git does)."""
        if url and url != self._base + tail and url.endswith(tail) and "://" in url:
            if urlsplit(self._base).scheme == "https" and urlsplit(url).scheme != "https":
                raise WorkError("the server redirects from https to http", where=self.where, hint="Check KIT_GIT_URL.")
            self._base = url[: -len(tail)]

    def _refusal(self, response: urllib3.BaseHTTPResponse, service: str) -> Fault | KitError:
        status, words = response.status, _words(response)
        told = f"{status} {response.reason or ''}".strip() + (f": {words}" if words else "")
        if status in _MAY_PASS or status >= 500:
            return Fault(f"the server answered {told}", retry_after=retry_after(response.headers.get("Retry-After")))
        writing = service == RECEIVE_PACK
        if status == 401:
            given = self._access.password is not None
            url = response.geturl() or ""
            if given and origin(there := url if "://" in url else self._base) != origin(self.where):
                return WorkError(
                    "the git server sends us on to another address, where the password is not given",
                    where=self.where,
                    why=f"it redirects to {urlsplit(there).scheme}://{urlsplit(there).netloc.rpartition('@')[2]}",
                    hint="If that address is right, name it in KIT_GIT_URL.",
                )
            what = "the git server refused the credentials" if given else "the git server asks for credentials"
            setting = self._access.setting
            if given:
                hint = f"Check {setting} and KIT_GIT_USERNAME: is the token still valid?"
            elif setting == "KIT_GIT_PASSWORD":
                hint = "Set KIT_GIT_USERNAME and KIT_GIT_PASSWORD (or KIT_GIT_PASSWORD_FILE)."
            else:
                hint = f"Set {setting} (or {setting}_FILE)."
            return WorkError(what, where=self.where, why=told, hint=hint)
        if status == 403:
            what = "these credentials may not " + ("push to the repository" if writing else "read the repository")
            hint = f"Give the token in {self._access.setting} the right to write the repository's contents."
            return WorkError(what, where=self.where, why=told, hint=hint)
        if status == 404:
            hint = (
                "Check KIT_GIT_URL (or GITHUB_USER and GITHUB_REPO); some servers also hide a repository in this way "
                f"from credentials that may not see it ({self._access.setting})."
            )
            return WorkError("there is no such repository", where=self.where, why=told, hint=hint)
        return WorkError("the git server refused the request", where=self.where, why=told, hint="Check KIT_GIT_URL.")


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (HTTPError, OSError) as error:
        raise Fault(words_of(error)) from error


def _words(response: urllib3.BaseHTTPResponse) -> str:
    """What the server says in its own words, where it is text for people."""
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    try:
        return " ".join(response.read(_LONGEST_WORDS).decode("utf-8", "replace").split())
    except (HTTPError, OSError):
        return ""
