# SPDX-License-Identifier: MIT
"""Registries with images on their shelves, and runs that look there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.git.deployments import FILE, Deployments, Run
from tests.git.pushing import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Pusher
from tests.git.relay import Relay

TYPES = {"oci-index": OCI_INDEX, "oci": OCI_MANIFEST, "docker-list": DOCKER_LIST, "docker": DOCKER_MANIFEST}


@dataclass(frozen=True)
class Shelf:
    """A registry with one image of each type below `shop/cart` (and one that everybody may see), by tag."""

    host: str
    digests: Mapping[str, str]

    def reference(self, tag: str, repository: str = "shop/cart") -> str:
        return f"{self.host}/{repository}:{tag}"


def filled(host: str, pusher: Pusher, public: Pusher | None = None) -> Shelf:
    digests = {tag: pusher.image("shop/cart", tag, media_type) for tag, media_type in TYPES.items()}
    digests["public"] = (public or pusher).image("public/cart", "1")
    return Shelf(host, digests)


@dataclass
class Registries:
    """Runs the step on images of a shelf; nothing is pushed where it fails."""

    deployments: Deployments
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, image: str, **others: str) -> Run:
        return self.deployments.run(**{"IMAGE": image, "KIT_VERIFY_IMAGE": "true", **self.settings, **others})

    def refused(self, image: str, *words: str, code: int = 1, **others: str) -> Run:
        before = self.deployments.commits()
        run = self.run(image, DEBUG="true", **others)
        assert run.code == code, run.log
        for word in words:
            assert word in run.log, run.log
        assert self.deployments.commits() == before
        return run

    def written(self) -> str:
        return self.deployments.repository.read(FILE)


def relayed(relay: Relay, shelf: Shelf, tag: str) -> str:
    return shelf.reference(tag).replace(shelf.host, relay.url.removeprefix("http://"))
