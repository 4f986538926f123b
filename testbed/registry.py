# SPDX-License-Identifier: MIT
"""The image registry: pushed to from the host as `localhost:PORT/…`, pulled by every node under that same name."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.container import Container
from testbed.docker import docker

PART = "registry"


@dataclass(frozen=True)
class Registry:
    """A registry without credentials. `outside` is its name on this machine, `inside` its name in the testbed's
    network.

    Nodes pull whatever image a manifest names (any registry's) from here, so `localhost:PORT/shop/web:1` and
    `registry.example.com/shop/web:1` are the same image to them.
    """

    container: Container
    outside: str
    inside: str = f"{PART}:5000"

    def push(self, image: str, repository: str, tag: str) -> str:
        """Push an image of the engine as `repository:tag`; returns the reference to put into a manifest."""
        reference = f"{self.outside}/{repository}:{tag}"
        docker("tag", image, reference)
        try:
            docker("push", "--quiet", reference, timeout=300)
        finally:
            docker("image", "rm", "--no-prune", reference, check=False)
        return reference

    def build_version(self, image: str, repository: str, tag: str, **variables: str) -> str:
        """Push `image` with VERSION=`tag` and other variables baked in; returns the reference."""
        lines = [
            f"FROM {image}",
            f'ENV VERSION="{tag}"',
            *(f'ENV {name}="{value}"' for name, value in variables.items()),
        ]
        reference = f"{self.outside}/{repository}:{tag}"
        docker("build", "--quiet", "--tag", reference, "-", stdin="\n".join(lines) + "\n")
        try:
            docker("push", "--quiet", reference, timeout=300)
        finally:
            docker("image", "rm", "--no-prune", reference, check=False)
        return reference


def start(bed: str, image: str) -> Registry:
    """Start the registry's container and wait until it answers."""
    container = Container(bed, PART)
    container.start(image, ["kit-registry"], options=container.volume("/var/lib/registry"), ports=[5000])
    container.await_true("curl -sf http://127.0.0.1:5000/v2/ >/dev/null", what="answer of the registry", limit=30)
    return attach(bed)


def attach(bed: str) -> Registry:
    """The registry of a running testbed."""
    container = Container(bed, PART)
    return Registry(container, f"localhost:{container.port(5000)}")
