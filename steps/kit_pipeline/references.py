# SPDX-License-Identifier: MIT
"""The names of images, and of the registries in them. Pure."""

import re
from typing import Final

HUB: Final = "docker.io"
HUBS: Final = frozenset({HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"})
"""What people call the one registry that images without a host come from."""

_NOT_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_TAG: Final = 128


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
    return first if slash and ("." in first or ":" in first or first == "localhost") else HUB


def registry_of(address: str) -> str:
    """The host of a registry that is given as a URL or as a host."""
    return address.partition("://")[2].partition("/")[0] if "://" in address else address.partition("/")[0]


def pushed_to(repository: str, address: str | None) -> str:
    """The repository with a host: it gets that of its registry's `address` where it names none itself.

    What was meant for a private registry must not go to the Hub, which is public.
    """
    if address is None or registry(repository) != HUB or repository.startswith(f"{HUB}/"):
        return repository
    host = registry_of(address)
    return repository if host in HUBS or not host else f"{host}/{repository}"


def proper_tag(text: str) -> str:
    """A tag of the letters that tags may have; others drop out (docs.docker.com/reference/cli/docker/image/tag)."""
    return _NOT_IN_TAGS.sub("", text).lstrip(".-")[:_LONGEST_TAG]
