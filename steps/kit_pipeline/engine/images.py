# SPDX-License-Identifier: MIT
"""Pulling, tagging and pushing images."""

import contextlib
from collections.abc import Callable

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.logins import Logins
from kit_pipeline.engine.progress import Say, follow
from kit_pipeline.references import HUB, HUBS, registry, registry_of, split


def here(client: Client, image: str) -> bool:
    """Whether the engine has the image."""
    return _id(client, image) is not None


def pull(client: Client, image: str, *, logins: Logins | None, say: Say) -> None:
    """Pull `image`. Raises `EngineError`."""
    repository, tag = split(image)
    login = logins.of(registry(image)) if logins else None
    what, hint = f"{image} was not pulled", "Is its name right, and does it need `encrypted_dockercfg_path`?"
    say(f"pulling {image}")
    with told(what, hint=hint):
        events = client.pull(repository, tag=tag or "latest", stream=True, decode=True, auth_config=login)
        try:
            follow(events, what, say, quiet=True)
        except EngineError as error:
            raise EngineError(what, why=error.why, hint=hint) from None


def push(
    client: Client,
    image: str,
    repository: str,
    tag: str,
    *,
    address: str | None,
    logins: Logins | None,
    say: Say,
    undo: dict[str, Callable[[], None]],
) -> str | None:
    """Push `image` as `repository:tag`; its digest, where the registry says it. Raises `EngineError`.

    The login is that of the registry's `address`, a URL or a host, else of the host that the repository names.
    Meanwhile `undo` has what takes the name away again, for a run that ends before the push does.
    """
    what = f"{repository}:{tag} was not pushed"
    login = _login(logins, repository, address)
    with told(what):
        had = _id(client, f"{repository}:{tag}")
        undo[what] = lambda: _unnamed(client, repository, tag, had)
        client.tag(image, repository, tag)
        try:
            events = client.push(repository, tag=tag, stream=True, decode=True, auth_config=login)
            return follow(events, what, say, quiet=True)
        except EngineError as error:
            raise EngineError(what, why=error.why, hint=_push_hint(error.why or "", login is not None)) from None
        finally:
            undo.pop(what)()


def _unnamed(client: Client, repository: str, tag: str, had: str | None) -> None:
    """The name was for the push alone; what it meant before, it means again."""
    with contextlib.suppress(EngineError), told("no"):
        if had:
            client.tag(had, repository, tag)
        else:
            client.remove_image(f"{repository}:{tag}", noprune=True)


def _login(logins: Logins | None, repository: str, address: str | None) -> dict[str, str] | None:
    if logins is None:
        return None  # then the client takes the user's own, of `docker login`
    hosts = (*((registry_of(address),) if address else ()), registry(repository))
    return next((login for host in hosts if (login := logins.of(HUB if host in HUBS else host))), None)


def _push_hint(why: str, with_login: bool) -> str | None:
    if not any(word in why.lower() for word in ("unauthorized", "denied", "no basic auth", "authentication required")):
        return None
    if with_login:
        return "The registry refuses the login that was given."
    return "No login is known for it: `encrypted_dockercfg_path` or `dockercfg_service` gives one."


def _id(client: Client, image: str) -> str | None:
    with contextlib.suppress(EngineError), told("no"):
        return str(client.inspect_image(image)["Id"])
    return None
