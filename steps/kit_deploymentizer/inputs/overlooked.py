# SPDX-License-Identifier: MIT
"""Files whose names are nearly those that are read: `cluster.yml` is skipped, and nobody would know."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Final

from kit_core.names import nearest
from kit_deploymentizer.inputs.layout import BASE_CLUSTER, BASE_SETTINGS, Paths

CLUSTER_FILES: Final = ("cluster.yaml", "configuration-var.yaml", "kubeconfig.yaml")
"""What is read of a cluster's folder; kit-deployer reads the last one."""
_SETTINGS: Final = "-var.yaml"
_YAML: Final = frozenset({".yaml", ".yml"})
_MOST: Final = 2
"""Typing errors in a name."""


def overlooked(paths: Paths) -> Iterator[tuple[Path, str]]:
    """Files that no run reads, each with the name that it would be read under."""
    yield from _near(paths.base, (BASE_CLUSTER, BASE_SETTINGS))
    for name in _names(paths.types):
        if not name.endswith(_SETTINGS) and _is_yaml(name):
            yield paths.types / name, f"{_type_of(name)}{_SETTINGS}"
    for name in _names(paths.clusters):
        if _is_yaml(name):
            yield paths.clusters / name, f"{PurePath(name).stem}/{CLUSTER_FILES[0]}"
        else:
            yield from _near(paths.clusters / name, CLUSTER_FILES)


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known file name that `name` nearly is; None where it is one, or none of them."""
    known = tuple(known)
    if name in known or not _is_yaml(name):
        return None
    plain = name.lower()
    return nearest(plain[: plain.rindex(".")] + ".yaml", known, limit=_MOST)


def near_misses(folder: Path, known: str) -> list[str]:
    """The names in `folder` that are nearly `known`, sorted."""
    return [name for name in _names(folder) if meant(name, (known,))]


def _near(folder: Path, known: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for name in _names(folder):
        found = meant(name, known)
        if found:
            yield folder / name, found


def _names(folder: Path) -> list[str]:
    """What is in the folder. One that cannot be listed has been told of where it is read, or is no folder."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - a Path for each file of a fleet would take longer
    except (OSError, ValueError):
        return []


def _is_yaml(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _YAML and not name.startswith(".")  # noqa: PTH122 - as above


def _type_of(name: str) -> str:
    stem = PurePath(name).stem
    for ending in ("-var", "_var", "-vars"):
        stem = stem.removesuffix(ending)
    return stem
