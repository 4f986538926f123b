# SPDX-License-Identifier: MIT
"""The Docker network of a testbed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from testbed.container import LABEL, OWNER_LABEL, network_name
from testbed.docker import docker
from testbed.errors import TestbedError

_ATTEMPTS = 20


def create(bed: str, owner: str) -> None:
    """Create the network, labelled with the testbed and its owner. Raises TestbedError with the engine's words.

    Docker has some thirty address ranges to give away, and on a busy machine they are all taken: then one of our own
    choice is asked for.
    """
    labels = ["--label", f"{LABEL}={bed}", "--label", f"{OWNER_LABEL}={owner}"]
    said = ""
    for choice in (None, *_ranges()):
        subnet = [] if choice is None else ["--subnet", choice]
        done = docker("network", "create", *labels, *subnet, network_name(bed), check=False)
        if done.returncode == 0:
            return
        said = done.stderr.strip()
        if not _is_about_addresses(said):
            break
    raise TestbedError(f"the testbed's Docker network could not be created: {said}")


def _ranges() -> Iterator[str]:
    """Some private ranges, not those that pods (10.244.0.0/16) and services (10.96.0.0/16) have in every cluster."""
    for _ in range(_ATTEMPTS):
        yield f"10.{random.randint(200, 239)}.{random.randint(0, 255)}.0/24"


def _is_about_addresses(said: str) -> bool:
    return "address pool" in said or "overlap" in said
