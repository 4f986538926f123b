# SPDX-License-Identifier: MIT
"""Values from an environment service over HTTP, as the original's env-api-client-v3 spoke to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from kit_core.errors import InputError, WorkError
from kit_core.secrets import Secret
from kit_deploymentizer.rendering.javascript import text_of, truthy
from kit_deploymentizer.sources import Fetched, Target, World
from kit_deploymentizer.sources.answers import is_too_deep
from kit_deploymentizer.sources.once import Once
from kit_deploymentizer.sources.web import NoAnswer, Web, is_address, is_header, shown

ANNOTATION: Final = "kit-deploymentizer/env-api-service"
_TIMEOUT_MS: Final = 15000


@dataclass(frozen=True)
class EnvApi:
    """Asks once per distinct question, from any thread."""

    url: str
    token: Secret
    web: Web = field(repr=False)
    _answers: Once[bytes, Fetched] = field(default_factory=Once, repr=False, compare=False)

    @classmethod
    def from_options(cls, options: Mapping[str, Any], world: World) -> "EnvApi":
        """From kit.yaml's `plugin.options` and the settings, which win. Raises `InputError` for what is missing."""
        if not world.env_api_token:
            raise InputError(
                "plugin env-api-client-v3 has no token",
                why="ENVAPI_ACCESS_TOKEN is not set",
                hint="Set ENVAPI_ACCESS_TOKEN or KIT_ENVAPI_ACCESS_TOKEN_FILE.",
            )
        if not is_header(world.env_api_token.reveal()):
            raise InputError(
                "plugin env-api-client-v3 has no token that can be sent",
                why="ENVAPI_ACCESS_TOKEN holds characters that no HTTP header may have",
                hint="Look for a line end in it.",
            )
        base = world.env_api_url or options.get("apiUrl")
        if not isinstance(base, str) or not is_address(base):
            raise InputError(
                "plugin env-api-client-v3 has no address",
                why="neither ENVAPI_URL nor plugin.options.apiUrl in kit.yaml is an http(s) address without a password",
                hint="Set one of them, for example to https://env-api.example.com; the token goes with each request.",
            )
        timeout = options.get("timeout")
        seconds = (timeout if isinstance(timeout, int | float) and timeout else _TIMEOUT_MS) / 1000
        return cls(f"{base.rstrip('/')}/v3/vars", world.env_api_token, Web(world.env, world.ca_cert, seconds))

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
        return self._answers.get(body, lambda: self._ask(body, str(service), target.name))

    def _ask(self, body: bytes, service: str, cluster: str) -> Fetched:
        what = f"The environment service did not give the values of {service}"
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Auth-Token": self.token.reveal(),
        }
        try:
            answer = self.web.ask("POST", self.url, headers, body)
        except NoAnswer as error:
            hint = "Check ENVAPI_URL and the network; nothing was written."
            raise WorkError(what, where=cluster, why=f"{shown(self.url)}: {error}", hint=hint) from None
        return _read(answer.status, answer.body, what, cluster, shown(self.url))


def _read(status: int, answer: bytes, what: str, cluster: str, url: str) -> Fetched:
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) and not is_too_deep(content) else {}
    values = content.get("values")
    good = status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT} and content.get("status", "success") != "error"
    if not good or not isinstance(values, dict):
        unsaid = "it holds no values, so this may not be the service" if good else "no reason given"
        raise WorkError(what, where=cluster, why=f"{url} answered {status}: {reasons(content) or unsaid}",
                        hint="Correct the service's configuration there, or the container's annotation.")  # fmt: skip
    warnings: tuple[str, ...] = ()
    if status == HTTPStatus.PARTIAL_CONTENT:
        warnings = (f"{what.replace('did not give', 'gave only a part of')}: {content.get('message') or 'no reason'}",)
    env = [{"name": name, "value": value} for name, value in values.items()]
    return Fetched({"env": env}, warnings)


def reasons(content: Mapping[str, Any]) -> str:
    """What an answer says of its own failure, as this service and many others do."""
    errors = content.get("errors") or []
    told = [content.get("message"), *(errors if isinstance(errors, list) else [errors])]
    return "; ".join(str(part) for part in told if part)
