# SPDX-License-Identifier: MIT
"""Values from a service that answers with JSON: one request for each container, GET or POST."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from kit_core.errors import InputError, KitError, WorkError
from kit_deploymentizer.sources import Fetched, Target, World
from kit_deploymentizer.sources.answers import read_json, values_of
from kit_deploymentizer.sources.env_api import reasons
from kit_deploymentizer.sources.once import Once
from kit_deploymentizer.sources.places import filled, question
from kit_deploymentizer.sources.web import NoAnswer, Web, is_address, is_header, shown

_SECONDS: Final = 15.0


@dataclass(frozen=True)
class HttpJson:
    """Asks once per distinct request, from any thread."""

    url: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    optional: bool
    values: str | None
    web: Web = field(repr=False)
    _answers: Once[tuple[str, bytes | None], Fetched] = field(default_factory=Once, repr=False, compare=False)

    @classmethod
    def from_options(cls, options: Mapping[str, Any], world: World) -> "HttpJson":
        """From the entry in kit.yaml. Raises `InputError` for an address or a header that cannot be."""
        url, method = options["url"], options.get("method", "GET")
        if not is_address(url):
            raise InputError(
                "url is no http(s) address without a password",
                hint="Write https://…; a token belongs into a header.",
            )
        headers = {"Accept": "application/json"}
        if method == "POST":
            headers["Content-Type"] = "application/json"
        for name, value in options.get("headers", {}).items():
            headers[name] = _header(name, value, world)
        web = Web(world.env, world.ca_cert, options.get("timeout", _SECONDS))
        return cls(url, method, headers, options.get("optional", False), options.get("values"), web)

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """What the service answers. Raises `WorkError`."""
        url = filled(self.url, container, target, lambda text: quote(text, safe=""))
        body = question(container, target) if self.method == "POST" else None
        return self._answers.get((url, body), lambda: self._ask(url, body))

    def _ask(self, url: str, body: bytes | None) -> Fetched:
        told = shown(url)
        try:
            answer = self.web.ask(self.method, url, self.headers, body)
        except NoAnswer as error:
            raise WorkError(
                f"{told} did not answer", why=str(error), hint="Check the address and the network."
            ) from None
        if answer.status == HTTPStatus.NO_CONTENT or (answer.status == HTTPStatus.NOT_FOUND and self.optional):
            return Fetched()
        what = f"what {told} answered"
        try:
            content = read_json(answer.body, what=what)
            values = values_of(content, self.values, what=what, kind=WorkError)
        except KitError:
            if answer.status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
                raise
            content = {}
        said = reasons(content) if isinstance(content, Mapping) else ""
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            return Fetched(values, (f"{told} gave only a part of its values: {said or 'no reason given'}",))
        if answer.status != HTTPStatus.OK:
            hint = "`optional: true` takes 404 for no values." if answer.status == HTTPStatus.NOT_FOUND else None
            raise WorkError(f"{told} answered {answer.status}", why=said or "no reason given", hint=hint)
        return Fetched(values)


def _header(name: str, value: str | Mapping[str, str], world: World) -> str:
    text = value if isinstance(value, str) else world.env.get(value["env"], "")
    if not isinstance(value, str):
        if not text:
            raise InputError(
                f"header {name} has no value",
                why=f"the environment variable {value['env']} is {'empty' if value['env'] in world.env else 'not set'}",
                hint=f"Hand it to this run (docker run -e {value['env']} …).",
            )
        world.learn_secret(text)
    if not is_header(text) or not is_header(name):
        raise InputError(f"header {name} holds characters that no HTTP header may have", hint="Look for a line end.")
    return text
