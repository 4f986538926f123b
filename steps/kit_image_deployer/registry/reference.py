# SPDX-License-Identifier: MIT
"""An image reference taken apart: which registry, which repository in it, which tag or digest. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from kit_core.errors import InputError

DOCKER_HUB: Final = "docker.io"
DOCKER_HUBS: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_LENGTHS: Final = {"sha256": 64, "sha512": 128}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An image's place: `registry` as people name it (`docker.io`, `localhost:5000`), `repository` in it, and `tag`,
    `digest` or both.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def wanted(self) -> str:
        """What to ask the registry for: a digest says more than a tag, and no tag means `latest`."""
        return self.digest or self.tag or "latest"

    @property
    def host(self) -> str:
        """The host (with a port, if any) that answers for the registry."""
        return "registry-1.docker.io" if self.registry == DOCKER_HUB else self.registry


def taken_apart(text: str) -> Reference:
    """The parts of a reference, as Docker reads it: the first part is a registry where it holds a dot, a colon or a
    capital, or is `localhost`; without one it is Docker Hub, whose official images have the repository `library/…`.

    The rules are those of https://github.com/distribution/reference. Raises `InputError` for a digest that is none.
    """
    name, _, digest = text.partition("@")
    if digest and not is_digest(digest):
        raise InputError(
            f"{text}: the digest {digest!r} is none",
            hint="It is written sha256: with 64 of the digits 0 to 9 and a to f after it.",
        )
    first, slash, rest = name.partition("/")
    registry = first if slash and (set(first) & set(".:[") or first == "localhost" or first != first.lower()) else ""
    path = rest if registry else name
    repository, _, tag = path.partition(":")
    if not registry or registry.lower() in DOCKER_HUBS:
        registry = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    return Reference(registry=registry.lower(), repository=repository, tag=tag or None, digest=digest or None)


def is_digest(text: str) -> bool:
    """Whether `text` is a digest that registries compute: sha256 or sha512, in small letters and of full length."""
    algorithm, _, value = text.partition(":")
    return len(value) == _LENGTHS.get(algorithm) and re.fullmatch(r"[0-9a-f]+", value) is not None


def pinned(text: str, digest: str) -> str:
    """The reference `text` with the digest behind it; one that has a digest stays as it is."""
    return text if "@" in text else f"{text}@{digest}"
