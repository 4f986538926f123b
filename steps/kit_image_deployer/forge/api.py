# SPDX-License-Identifier: MIT
"""Requests to a forge's REST API, and what its refusals mean."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from kit_core.errors import KitError, WorkError
from kit_core.secrets import Secret
from kit_image_deployer.connections.web import Answer, Web, pause_asked
from kit_image_deployer.faults import Fault

_LONGEST_WORDS: Final = 500


@dataclass(frozen=True, kw_only=True)
class Words:
    """A forge's name, what it calls a request, and what a token needs to open one, for errors."""

    title: str
    request: str
    needs: str


class Api:
    """One repository's part of an API. `token` goes to that server only; `setting` is where it came from."""

    def __init__(self, base: str, web: Web, words: Words, *, token: Secret | None, setting: str) -> None:
        self.base = base
        self._web = web
        self._words = words
        self._token = token
        self._setting = setting

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> tuple[int, Any]:
        """Status and content of the answer; `also` are statuses that the caller deals with, besides success.

        Raises `Fault` for what may pass (no answer, 5xx, a rate limit), `WorkError` for what is refused.
        """
        url = f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")
        given = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {})}
        answer = self._web.ask(
            method,
            url,
            headers={**given, **(headers or {})},
            # Both forges take every kind of their tokens in this form.
            secret={"Authorization": f"Bearer {self._token.reveal()}"} if self._token else {},
            body=json.dumps(body).encode() if body else None,
        )
        content = _json(answer)
        if 200 <= answer.status < 300 or answer.status in also:
            if content is None:
                raise Fault(f"{self._words.title} answered {answer.told} with something that is no JSON")
            return answer.status, content
        raise self._refusal(answer, content)

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def unfit(self, what: str) -> WorkError:
        """The error for an answer that is not of the documented form."""
        hint = "Is KIT_FORGE_URL right, and KIT_FORGE the kind of that server?"
        return WorkError(f"{self._words.title}'s answer has no {what}", where=self.base, hint=hint)

    def refused(self, why: str) -> WorkError:
        """The error for a request that is not taken, in the forge's words."""
        what = f"{self._words.title} refused the {self._words.request}"
        return WorkError(what, where=self.base, why=why or None, hint="The branch stays; running it again is safe.")

    def _refusal(self, answer: Answer, content: Any) -> Fault | KitError:
        title, request = self._words.title, self._words.request
        told = " - ".join(filter(None, (answer.told, words_of(content))))
        wait = rate_limit(answer, content)
        if wait is not None:
            return Fault(f"{title} limits the rate of requests ({told})", retry_after=wait)
        if answer.status in {301, 302, 303, 307, 308}:
            moved = answer.headers.get("Location", "another address")
            why, hint = f"{answer.told}: {moved}", "Name the repository's present address in KIT_GIT_URL."
            return WorkError(f"{title} sends us on to another address", where=self.base, why=why, hint=hint)
        if answer.status == 401:
            what = f"{title} refused the token" if self._token else f"{title} asks for a token"
            hint = (
                f"Check {self._setting}: is the token still valid? It needs {self._words.needs}."
                if self._token
                else f"Set KIT_FORGE_TOKEN to one with {self._words.needs}."
            )
            return WorkError(what, where=self.base, why=told, hint=hint)
        if answer.status == 403:
            needed = answer.headers.get("X-Accepted-GitHub-Permissions")
            why = f"{told} (needed: {needed})" if needed else told
            hint = f"The token in {self._setting} needs {self._words.needs}."
            return WorkError(f"the token may not do this to a {request}", where=self.base, why=why, hint=hint)
        if answer.status == 404:
            hint = (
                "Check KIT_GIT_URL and KIT_FORGE_URL; a forge also hides a repository in this way from a token that may"
                f" not see it ({self._setting} needs {self._words.needs})."
            )
            return WorkError(f"{title} knows no such repository", where=self.base, why=told, hint=hint)
        return self.refused(told)


def rate_limit(answer: Answer, content: Any = None) -> float | None:
    """The seconds to wait where a 403 is that of a rate limit, else None; a 429 always is one and known to `web`.

    GitHub ("Rate limits for the REST API"): with `retry-after`, or without `x-ratelimit-remaining` until
    `x-ratelimit-reset`, else a minute.
    """
    if answer.status != 403:
        return None
    asked = pause_asked(answer.headers)
    said = words_of(content).lower()
    if asked is None and "rate limit" not in said and "abuse detection" not in said:
        return None
    return 60.0 if asked is None else asked


def words_of(content: Any) -> str:
    """What a forge says in its own words: `message` (text, a list, or a mapping of fields), and `errors`."""
    parts: list[str] = []
    if isinstance(content, dict):
        for name in ("message", "error", "error_description", "errors"):
            parts += _texts(content.get(name))
    return " ".join("; ".join(dict.fromkeys(parts)).split())[:_LONGEST_WORDS]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        if isinstance(value.get("message"), str):
            return [value["message"]]
        if isinstance(value.get("code"), str):  # GitHub's errors of a field
            return [" ".join(str(value[name]) for name in ("resource", "field", "code") if value.get(name))]
        return [f"{name} {text}" for name, item in value.items() for text in _texts(item)]
    return []


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
