# SPDX-License-Identifier: MIT
"""Values from an environment service over HTTP, as the original's env-api-client-v3 spoke to it."""

import json
import time
import urllib.error
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
"""The request's body -> status and body of the answer; raises `OSError` where there is no connection."""


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
        if not isinstance(base, str) or not base.startswith(("http://", "https://")):
            raise InputError(
                "plugin env-api-client-v3 has no address",
                why="neither ENVAPI_URL nor plugin.options.apiUrl in kit.yaml is an http(s) address",
                hint="Set one of them, for example to https://env-api.example.com.",
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
        body = json.dumps({key: value for key, value in question.items() if value is not None}).encode()
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
    if not good or not isinstance(values, dict | None):
        errors = content.get("errors") or []
        told = [content.get("message"), *(errors if isinstance(errors, list) else [errors])]
        why = "; ".join(str(part) for part in told if part) or "no reason given"
        raise WorkError(what, where=cluster, why=f"{url} answered {status}: {why}",
                        hint="Correct the service's configuration there, or the container's annotation.")  # fmt: skip
    warnings: tuple[str, ...] = ()
    if status == HTTPStatus.PARTIAL_CONTENT:
        warnings = (f"{what.replace('did not give', 'gave only a part of')}: {content.get('message') or 'no reason'}",)
    env = [{"name": name, "value": value} for name, value in (values or {}).items()]
    return Fetched({"env": env}, warnings)


def _poster(url: str, token: Secret, world: World, seconds: float) -> Post:
    proxy = proxy_for(url, world.env)
    proxies = {"http": proxy, "https": proxy} if proxy else {}
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=tls_context(world.ca_cert))
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

    return post
