# SPDX-License-Identifier: MIT
"""Building, pulling, tagging and pushing images."""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import OURS
from kit_pipeline.engine.logins import Logins

Say = Callable[[str], None]
"""Gets a line of the engine's output."""

_NOT_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_TAG: Final = 128


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is built: a folder, a Dockerfile in it, values of its arguments."""

    context: Path
    dockerfile: str | None = None
    args: Mapping[str, str] = field(default_factory=dict, repr=False)


def build(client: Client, recipe: Recipe, *, tag: str, logins: Logins | None, say: Say) -> str:
    """Build an image under the private name `tag`; its id. Raises `EngineError` with the engine's own error."""
    from docker.utils import build as contexts

    if not recipe.context.is_dir():
        what = "is a file" if recipe.context.exists() else "is not there"
        raise InputError(
            f"The build's context {recipe.context} {what}", hint="It is the folder whose files the build gets."
        )
    dockerfile = recipe.dockerfile or "Dockerfile"
    if not (recipe.context / dockerfile).is_file():
        raise InputError(
            f"There is no {dockerfile} in the build's context {recipe.context}",
            hint="`dockerfile` is relative to the context.",
        )
    ignored = recipe.context / ".dockerignore"
    patterns = ignored.read_text("utf-8").splitlines() if ignored.is_file() else []
    exclude = [line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    with (
        told(f"{tag} was not built"),
        contexts.tar(str(recipe.context), exclude=exclude, dockerfile=(dockerfile, None)) as archive,
    ):
        if logins is not None:
            # The client sends what it knows of registries with each build; it has no argument for it.
            client = _with_logins(client, logins)
        events = client.build(
            fileobj=archive,
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            buildargs=dict(recipe.args),
            labels={OURS: "true"},
            rm=True,
            forcerm=True,
            decode=True,
        )
        _follow(events, f"{tag} was not built", say)
        return str(client.inspect_image(tag)["Id"])


def _with_logins(client: Client, logins: Logins) -> Client:
    import copy

    from docker.auth import AuthConfig

    own = copy.copy(client)
    own._auth_configs = AuthConfig({"auths": logins.all()})  # noqa: SLF001
    return own


def ensure(client: Client, image: str, *, logins: Logins | None, say: Say) -> None:
    """Pull `image`, unless the engine has it. Raises `EngineError`."""
    with contextlib.suppress(EngineError), told("no"):
        client.inspect_image(image)
        return
    pull(client, image, logins=logins, say=say)


def pull(client: Client, image: str, *, logins: Logins | None, say: Say) -> None:
    """Pull `image`. Raises `EngineError`."""
    repository, tag = split(image)
    login = logins.of(registry(image)) if logins else None
    with told(f"{image} was not pulled", hint="Is its name right, and does it need `encrypted_dockercfg_path`?"):
        events = client.pull(repository, tag=tag or "latest", stream=True, decode=True, auth_config=login)
        _follow(events, f"{image} was not pulled", say, quiet=True)


def push(client: Client, image: str, repository: str, tag: str, *, logins: Logins | None, say: Say) -> str | None:
    """Push `image` as `repository:tag`; its digest, where the registry says it. Raises `EngineError`."""
    what = f"{repository}:{tag} was not pushed"
    login = logins.of(registry(repository)) if logins else None
    with told(what):
        had = _id(client, f"{repository}:{tag}")
        client.tag(image, repository, tag)
        try:
            return _follow(
                client.push(repository, tag=tag, stream=True, decode=True, auth_config=login or {}),
                what,
                say,
                quiet=True,
            )
        finally:
            # The name was for the push alone; what it meant before, it means again.
            if had:
                client.tag(had, repository, tag)
            else:
                client.remove_image(f"{repository}:{tag}", noprune=True)


def proper_tag(text: str) -> str:
    """A tag of the letters that tags may have; others drop out (docs.docker.com/reference/cli/docker/image/tag)."""
    return _NOT_IN_TAGS.sub("", text).lstrip(".-")[:_LONGEST_TAG]


def split(image: str) -> tuple[str, str | None]:
    """Repository, and tag or digest."""
    if "@" in image:
        repository, _, digest = image.partition("@")
        return repository, digest
    head, colon, tag = image.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (image, None)


def registry(image: str) -> str:
    """The host that an image comes from, as logins name it."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _id(client: Client, image: str) -> str | None:
    with contextlib.suppress(EngineError), told("no"):
        return str(client.inspect_image(image)["Id"])
    return None


def _follow(events: Iterable[Mapping[str, Any]], what: str, say: Say, *, quiet: bool = False) -> str | None:
    """Hand on what the engine says, and raise what it says went wrong."""
    digest = None
    for event in events:
        if "error" in event:
            raise EngineError(what, why=str(event["error"]).strip())
        text = event.get("stream") or ("" if quiet else event.get("status"))
        for line in str(text or "").splitlines():
            if line.strip():
                say(line)
        digest = event.get("aux", {}).get("Digest") or digest
    return digest
