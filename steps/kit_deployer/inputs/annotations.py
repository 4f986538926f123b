# SPDX-License-Identifier: MIT
"""Annotations of a manifest that have no effect: those whose feature comes later, and typing errors. Pure."""

from collections.abc import Iterator
from typing import Final

from kit_core.names import nearest
from kit_deployer import objects
from kit_deployer.health.asked import FAILED_WHEN, READY_WHEN, TIMEOUT
from kit_deployer.objects import Manifest, Place, annotations_of
from kit_deployer.plan.dependencies import DEPENDENCY

OURS: Final = "kit-deployer/"
READ: Final = frozenset({objects.FREEZE, objects.REPLACE, objects.ALIAS, DEPENDENCY, TIMEOUT, READY_WHEN, FAILED_WHEN})
"""What people write on their manifests."""

_COPIED: Final = objects.WRITTEN_ANNOTATIONS | {objects.RUN}
"""What a deploy writes on live objects: it comes into a manifest with whoever copies one, and is passed over."""


def without_effect(manifest: Manifest) -> Iterator[tuple[Place, str]]:
    """Each such annotation: its place, and what a person is told of it."""
    for name in sorted(set(annotations_of(manifest.body)) - READ - _COPIED):
        if name in objects.NOT_YET:
            why = "has no effect yet"
        elif name.startswith(OURS):
            meant = nearest(name, READ)
            why = f"has no effect; {meant} is probably meant" if meant else "has no effect: there is none of this name"
        else:
            continue
        yield manifest.where("metadata", "annotations", name), f"{manifest}: the annotation {name} {why}"
