# SPDX-License-Identifier: MIT
"""What a registry wants before it answers: a password (basic) or a token that another service gives out (bearer).

The rules are those of https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
https://distribution.github.io/distribution/spec/auth/oauth/.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from urllib3.util import make_headers

from kit_core.errors import KitError, WorkError
from kit_core.secrets import Masker, Secret
from kit_image_deployer.connections.pool import is_address, origin
from kit_image_deployer.connections.web import Answer, Web
from kit_image_deployer.registry.dockerconfig import Credential, DockerConfig
from kit_image_deployer.registry.reference import Reference

_CLIENT: Final = "kit-image-deployer"
_LONGEST_WORDS: Final = 300
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
# A word is a scheme, or with a value behind it a parameter of the scheme before it (RFC 9110, 11.6.1).
_WORD: Final = re.compile(r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*(=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?""")


@dataclass(kw_only=True)
class Authority:
    """Earns what opens one repository: `header` is what requests to its registry carry from then on."""

    reference: Reference
    config: DockerConfig
    web: Web
    remaining: Callable[[], float]
    secret_found: Callable[[Secret], object]
    header: Mapping[str, str] = field(default_factory=dict)
    _credential: Credential | None = None
    _unavailable: KitError | None = None
    _masker: Masker = field(default_factory=Masker)

    def earn(self, answer: Answer) -> bool:
        """Do what an answer of status 401 asks for; False where that was done before. Raises `WorkError`."""
        if self.header:
            return False
        asked = challenges([value for _, value in _items(answer, "WWW-Authenticate")])
        if "bearer" in asked:
            self._look_up(needed=False)
            given = self._credential
            token = given.registry_token if given else None
            self._carry("Bearer", token or self._token(asked["bearer"], answer))
        elif "basic" in asked:
            self._look_up(needed=True)
            if self._credential is None or self._credential.password is None:
                raise self.denied(f"{answer.told}{_behind(words_of_answer(answer))}")
            self._carry("Basic", _basic(self._credential))
        else:
            why = f"it wants {', '.join(asked) or 'credentials'}, and we know basic and bearer"
            raise WorkError("the registry cannot be asked", where=self.reference.registry, why=why)
        return True

    def denied(self, why: str) -> KitError:
        """The error for an answer that says no, in the registry's words `why`."""
        registry, given = self.reference.registry, self._credential
        if given is not None:
            return WorkError(
                f"the registry refused the credentials for {self.reference.repository}",
                where=registry, why=self._masker.mask(why),
                hint=f"Nothing was written. They come from {given.source}: are they still valid, and may they pull?",
            )  # fmt: skip
        if self._unavailable is not None:
            return self._unavailable
        there = (
            f"{self.config.path} has none for {registry}" if self.config.path else "there is no Docker configuration"
        )
        return WorkError(
            f"the registry asks for credentials for {self.reference.repository}",
            where=registry, why=f"{why}; {there}",
            hint="Nothing was written. Mount the config.json of a `docker login` and name it in KIT_DOCKER_CONFIG; if"
            " the image should be public, check its name.",
        )  # fmt: skip

    def _look_up(self, *, needed: bool) -> None:
        """Find the credentials. Where they cannot be had, a public image may be there for everybody all the same."""
        try:
            self._credential = self.config.credential(
                self.reference.registry, self.reference.repository, seconds=self.remaining()
            )
        except WorkError as error:
            if needed:
                raise
            self._unavailable = error
        for secret in self._credential.secrets if self._credential else ():
            self._hide(secret)

    def _hide(self, secret: Secret) -> None:
        self._masker.add(secret)
        self.secret_found(secret)

    def _carry(self, scheme: str, secret: Secret) -> None:
        self._hide(secret)
        self.header = {"Authorization": f"{scheme} {secret.reveal()}"}

    def _token(self, asked: Mapping[str, str], answer: Answer) -> Secret:
        """A token from the service that the registry names, which gets the credentials, as it does from Docker."""
        realm = asked.get("realm", "")
        if not is_address(realm):
            raise WorkError(
                "the registry names no token service", where=self.reference.registry, why=f"realm={realm!r}"
            )
        parts = urlsplit(realm)
        if parts.scheme == "http" and answer.url.startswith("https:"):
            hint = "Credentials and tokens would cross the network unencrypted; its administrator has to mend it."
            raise WorkError("the registry's token service speaks plain http", where=realm, hint=hint)
        scopes = asked.get("scope", "").split() or [f"repository:{self.reference.repository}:pull"]
        query = [("service", asked["service"])] if asked.get("service") else []
        given = self._credential
        if given is not None and given.identity_token is not None:
            told = self._by_identity(realm, query, scopes, given.identity_token)
        else:
            if given is not None:
                query.append(("account", given.username))
            query += [*(("scope", scope) for scope in scopes), ("client_id", _CLIENT)]
            url = urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *query]), fragment=""))
            secret = {"Authorization": f"Basic {_basic(given).reveal()}"} if given and given.password else {}
            headers = {"Accept": "application/json"}
            told = self.web.ask("GET", url, headers=headers, secret=secret, where=_host(realm))
        return self._read_token(told, realm)

    def _by_identity(self, realm: str, query: list[tuple[str, str]], scopes: list[str], identity: Secret) -> Answer:
        form = [
            ("grant_type", "refresh_token"), *query, ("client_id", _CLIENT),
            ("scope", " ".join(scopes)), ("refresh_token", identity.reveal()),
        ]  # fmt: skip
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return self.web.ask("POST", realm, headers=headers, body=urlencode(form).encode(), where=_host(realm))

    def _read_token(self, told: Answer, realm: str) -> Secret:
        if told.status in {400, 401, 403}:
            raise self.denied(f"{_host(realm)} answered {told.told}{_behind(words_of_answer(told))}")
        content = _json(told.body) if told.status == 200 else None
        if isinstance(content, dict):
            for name in ("token", "access_token"):
                token = content.get(name)
                if isinstance(token, str) and _TOKEN.fullmatch(token):  # it goes into a header
                    return Secret(token)
        words = "" if told.status == 200 else self._masker.mask(words_of_answer(told))
        raise WorkError(
            "the registry's token service gave no token",
            where=_host(realm),
            why=f"it answered {told.told}{_behind(words)}",
        )


def challenges(headers: list[str]) -> dict[str, dict[str, str]]:
    """What `WWW-Authenticate` headers ask for: parameters by scheme, both in small letters."""
    asked: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for header in headers:
        for name, equals, text, plain in _WORD.findall(header):
            if equals:
                current.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", text) or plain)
            else:
                current = asked.setdefault(name.lower(), {})
    return asked


def words_of_answer(answer: Answer) -> str:
    """What a registry or token service says in its own words, on one line: its list of errors, or plain text."""
    content = _json(answer.body)
    if isinstance(content, dict):
        errors = content.get("errors")
        told = [_told(error) for error in errors] if isinstance(errors, list) else []
        told += [
            str(content[name]) for name in ("error", "error_description", "details", "message") if content.get(name)
        ]
        text = "; ".join(filter(None, told))
    elif str(answer.headers.get("Content-Type", "")).startswith("text/plain"):
        text = answer.body[: 4 * _LONGEST_WORDS].decode("utf-8", "replace")
    else:
        text = ""
    return " ".join(text.split())[:_LONGEST_WORDS]


def _told(error: object) -> str:
    if not isinstance(error, dict):
        return ""
    return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name))


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _items(answer: Answer, name: str) -> list[tuple[str, str]]:
    items: list[Any] = [item for item in answer.headers.items() if item[0].lower() == name.lower()]
    return items


def _basic(given: Credential) -> Secret:
    password = given.password.reveal() if given.password else ""
    pair = f"{given.username}:{password}".encode("utf-8", "surrogateescape").decode("latin-1")
    return Secret(make_headers(basic_auth=pair)["authorization"].removeprefix("Basic "))


def _behind(words: str) -> str:
    return f": {words}" if words else ""


def _host(url: str) -> str:
    scheme, host, port = origin(url)
    return f"{scheme}://{host}:{port}"
