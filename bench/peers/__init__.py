# SPDX-License-Identifier: MIT
"""The programs that people would use instead of kit, to measure beside it: helm and kustomize.

They are compiled from their Go modules in an image (`image/`, once, and only for benches). `programs` copies them out
of it, so that both sides of a bench run as processes of the same machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.docker import docker
from testbed.images import Recipe, ensure_image

PEERS: Final = Recipe(
    name="kit-bench-peers",
    folder=Path(__file__).with_name("image"),
    note="compiles helm and kustomize: about 3 minutes on 2 cores, once",
)
_PLACE: Final = "/usr/local/bin/."


@dataclass(frozen=True)
class Programs:
    """Where the programs are; each runs anywhere on Linux, and needs nothing beside it."""

    helm: Path
    kustomize: Path


def programs(folder: Path, say: Callable[[str], None] = print) -> Programs:
    """The programs, copied into `folder`; their image is built first where it is not here yet.

    Raises `TestbedError` with the builder's last lines.
    """
    image = ensure_image(PEERS, say)
    container = docker("create", image).stdout.strip()
    try:
        docker("cp", f"{container}:{_PLACE}", str(folder))
    finally:
        docker("rm", container)
    return Programs(helm=folder / "helm", kustomize=folder / "kustomize")
