# SPDX-License-Identifier: MIT
"""Values from an environment service over HTTP, as the original's env-api-client-v3 spoke to it."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from kit_core.errors import InputError, WorkError
from kit_core.network import proxy_for, tls_context
from kit_core.secrets import Secret
from kit_deploymentizer.javascript import text_of, truthy
from kit_deploymentizer.sources import Fetched, Target, World

ANNOTATION: Final = "kit-deploymentizer/env-api-service"
_TIMEOUT_MS: Final = 15000
_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.5

Post = Callable[[bytes], tuple[int, bytes]]
"""The request's body -> status and body of the answer; raises `OSError` where no answer comes."""


@dataclass(frozen=True)
class EnvApi:
    """Asks once per distinct question. Connection faults and 429 are tried again, nothing else."""

    url: str
    post: Post = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    _answers: dict[bytes, Fetched] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_options(cls, options: Mapping[str, Any], world: World) -> "EnvApi":
        """From kit.yaml's `plugin.options` and the settings, which win. Raises `InputError` for what is missing."""
        if not world.env_api_token:
            raise InputError(
                "plugin env-api-client-v3 has no token",
                why="ENVAPI_ACCESS_TOKEN is not set",
                hint="Set ENVAPI_ACCESS_TOKEN or KIT_ENVAPI_ACCESS_TOKEN_FILE.",
            )
        base = world.env_api_url or options.get("apiUrl")
        if not isinstance(base, str) or not _is_address(base):
            raise InputError(
                "plugin env-api-client-v3 has no address",
                why="neither ENVAPI_URL nor plugin.options.apiUrl in kit.yaml is an http(s) address without a password",
                hint="Set one of them, for example to https://env-api.example.com; the token goes with each request.",
            )
        timeout = options.get("timeout")
        seconds = (timeout if isinstance(timeout, int | float) and timeout else _TIMEOUT_MS) / 1000
        url = f"{base.rstrip('/')}/v3/vars"
        return cls(url, _poster(url, world.env_api_token, world, seconds))

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """The values for a container annotated with a service's name, none for another. Raises `WorkError`."""
        annotations = container.get("annotations")
        service = annotations.get(ANNOTATION) if isinstance(annotations, Mapping) else None
        if not service:
            return Fetched()
        metadata = {key: text_of(value) if truthy(value) else value for key, value in target.metadata.items()}
        question = {
            "service": service,
            "environment": target.metadata.get("environment"),
            "cluster": target.name,
            "metadata": metadata,
        }
        asked = {key: value for key, value in question.items() if value is not None}
        body = json.dumps(asked, default=text_of).encode()
        if body not in self._answers:
            self._answers[body] = self._ask(body, str(service), target.name)
        return self._answers[body]

    def _ask(self, body: bytes, service: str, cluster: str) -> Fetched:
        what = f"The environment service did not give the values of {service}"
        for attempt in range(1, _TRIES + 1):
            try:
                status, answer = self.post(body)
            except OSError as error:
                if attempt == _TRIES:
                    reason = getattr(error, "reason", None) or error
                    hint = "Check ENVAPI_URL and the network; nothing was written."
                    raise WorkError(what, where=cluster, why=f"{self.url}: {reason}", hint=hint) from None
            else:
                if status != HTTPStatus.TOO_MANY_REQUESTS or attempt == _TRIES:
                    return _read(status, answer, what, cluster, self.url)
            self.sleep(_PAUSE_SECONDS * attempt)
        raise AssertionError("the last try returns or raises")


def _read(status: int, answer: bytes, what: str, cluster: str, url: str) -> Fetched:
    try:
        content = json.loads(answer)
    except ValueError:
        content = None
    content = content if isinstance(content, dict) else {}
    values = content.get("values")
    good = status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT} and content.get("status", "success") != "error"
    if not good or not isinstance(values, dict):
        errors = content.get("errors") or []
        told = [content.get("message"), *(errors if isinstance(errors, list) else [errors])]
        unsaid = "it holds no values, so this may not be the service" if good else "no reason given"
        why = "; ".join(str(part) for part in told if part) or unsaid
        raise WorkError(what, where=cluster, why=f"{url} answered {status}: {why}",
                        hint="Correct the service's configuration there, or the container's annotation.")  # fmt: skip
    warnings: tuple[str, ...] = ()
    if status == HTTPStatus.PARTIAL_CONTENT:
        warnings = (f"{what.replace('did not give', 'gave only a part of')}: {content.get('message') or 'no reason'}",)
    env = [{"name": name, "value": value} for name, value in values.items()]
    return Fetched({"env": env}, warnings)


def _is_address(text: str) -> bool:
    """Whether `text` is an http(s) address that may be shown and that a request can be sent to."""
    try:
        parts = urllib.parse.urlsplit(text)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False
    return known and "@" not in parts.netloc and text.isascii() and text.isprintable() and " " not in text


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, and would take the token to whoever it is sent to."""

    def redirect_request(self, *_args: Any) -> None:
        """Follow none: the answer's status is told."""


def _poster(url: str, token: Secret, world: World, seconds: float) -> Post:
    proxy = proxy_for(url, world.env)
    proxies = {"http": proxy, "https": proxy} if proxy else {}
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPSHandler(context=tls_context(world.ca_cert)),
        _NoRedirect(),
    )

    def post(body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "X-Auth-Token": token.reveal()}
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http(s) only
        try:
            with opener.open(request, timeout=seconds) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except http.client.HTTPException as error:
            raise OSError(f"this is no HTTP as it should be ({type(error).__name__})") from None
        except ValueError:  # its message would quote the header
            raise OSError("ENVAPI_ACCESS_TOKEN holds characters that no HTTP header may have") from None

    return post
