# SPDX-License-Identifier: MIT
"""The example shop on this machine: its repositories fitted to the registry at hand, its images built and pushed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from demo.process import run

EXAMPLES = Path(__file__).parents[1] / "examples"
_EXAMPLE_REGISTRY = "registry.example.com"
SERVICES = ("storefront", "catalog", "cart", "checkout", "mailer")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One cluster folder: which cluster of the testbed it is on (counted from 0), and in which namespace."""

    folder: str
    cluster: int
    namespace: str


PLACES = (
    Place(folder="staging-eu", cluster=0, namespace="shop-staging"),
    Place(folder="production-eu", cluster=0, namespace="shop"),
    Place(folder="production-us", cluster=1, namespace="shop"),
)


def lay_out(example: str, folder: Path, registry: str) -> None:
    """Copy an example repository to `folder`, with the registry at hand in place of the example's."""
    shutil.copytree(EXAMPLES / example, folder)
    for path in folder.rglob("*"):
        if path.is_file() and _EXAMPLE_REGISTRY in (text := path.read_text("utf-8")):
            path.write_text(text.replace(_EXAMPLE_REGISTRY, registry), "utf-8")


def recorded_images(deployments: Path) -> dict[str, str]:
    """The image that the deployments repository records for each service."""
    files = sorted((deployments / "images/shop").glob("*/master.yaml"))
    return {path.parent.name: path.read_text("utf-8").partition(": ")[2].strip() for path in files}


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds images of the example service from the folder `source`, with an image that has Go, for one registry."""

    source: Path
    builder: str
    registry: str

    def command(self, reference: str, source: str) -> list[str]:
        """The build as a pipeline would type it."""
        version = reference.rpartition(":")[2]
        arguments = ["--build-arg", f"BUILDER={self.builder}", "--build-arg", f"VERSION={version}"]
        return ["docker", "build", "--quiet", *arguments, "-t", reference, source]

    def build(self, reference: str) -> None:
        """Build one version. Raises CommandFailed."""
        run(self.command(reference, str(self.source)), check=True)

    def push(self, references: Iterable[str]) -> None:
        """Push images to their registry. Raises CommandFailed."""
        for reference in references:
            run(["docker", "push", "--quiet", reference], check=True)

    def forget(self) -> None:
        """Remove the registry's images from the engine; what their layers were built from stays for the next time."""
        listed = ["docker", "image", "ls", "--filter", f"reference={self.registry}/*/*"]
        made = run([*listed, "--format", "{{.Repository}}:{{.Tag}}"]).output.split()
        if made:
            run(["docker", "image", "rm", "--no-prune", *made])
