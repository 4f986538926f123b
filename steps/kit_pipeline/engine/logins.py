# SPDX-License-Identifier: MIT
"""Who we are to registries: a `.dockercfg` or a `config.json`, as the user wrote or a container made it."""

import json
from collections.abc import Callable
from typing import Any

from kit_core.errors import InputError


class Logins:
    """The logins of one file. Prints nothing of them."""

    def __init__(self, auth: Any) -> None:
        self._auth = auth

    def of(self, registry: str) -> dict[str, Any] | None:
        """The login for a registry's host, None where there is none."""
        found = self._auth.resolve_authconfig(registry)
        return dict(found) if found else None

    def all(self) -> dict[str, Any]:
        """Every login, as a build sends them for the images that it begins with."""
        return dict(self._auth.auths)


def read_logins(text: str, *, name: str, learn_secret: Callable[[str], None]) -> Logins:
    """The logins in `text`; `learn_secret` is told of each password. Raises `InputError`, without the text."""
    from docker.auth import AuthConfig
    from docker.errors import DockerException

    try:
        content = json.loads(text)
    except ValueError:
        raise InputError(
            f"{name} holds no registry logins",
            why="it is no JSON",
            hint="It is a config.json as `docker login` writes it.",
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"{name} holds no registry logins", why="it is no JSON object")
    content.pop("credsStore", None)  # a helper of some other machine
    content.pop("credHelpers", None)
    entries = content.get("auths", content)
    try:
        auths = AuthConfig.parse_auth(entries, raise_on_error=True)
    except (DockerException, ValueError, AttributeError):
        raise InputError(
            f"{name} holds no registry logins", why="an entry is not as `docker login` writes it",
            hint='It looks like {"auths": {"registry.example.com": {"auth": "base64 of user:password"}}}.',
        ) from None  # fmt: skip
    for login in auths.values():
        for key in ("password", "IdentityToken"):
            if login.get(key):
                learn_secret(login[key])
    for entry in entries.values():
        if isinstance(entry, dict) and entry.get("auth"):
            learn_secret(entry["auth"])
    return Logins(AuthConfig({"auths": auths}))
