# SPDX-License-Identifier: MIT
"""The keys that kit owns, and finding those that it does not know. Settings and views are free. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit_core.names import nearest

KIT: Final = frozenset({"version", "base", "images", "type", "cluster", "resources", "output", "plugin", "sources"})
FOLDERS: Final = ("base", "images", "type", "cluster", "resources", "output")
CLUSTER: Final = frozenset({"apiVersion", "kind", "metadata", "resources"})
METADATA: Final = frozenset({"name", "branch", "type", "disable", "allowFailure", "environment"})
RESOURCE: Final = frozenset(
    {"file", "svc", "containers", "disable", "branch", "kind", "image_tag", "image", "env", "name", "primary",
     "annotations"}
)  # fmt: skip
"""`kind` is what older repositories write beside `file`; the original never read it."""


@dataclass(frozen=True)
class Stranger:
    """A key that kit does not know: where it stands in its file, and the known one that is probably meant."""

    path: tuple[str | int, ...]
    meant: str | None


def strangers_in_kit(content: Any) -> Iterator[Stranger]:
    """Unknown keys of kit.yaml. A plugin's options are the plugin's own."""
    yield from _unknown(content, KIT, ())
    for part in FOLDERS:
        known = {"path", "property"} if part == "images" else {"path"}
        yield from _unknown(_at(content, part), known, (part,))
    yield from _unknown(_at(content, "plugin"), {"path", "options"}, ("plugin",))


def strangers_in_cluster(content: Any, *, free_metadata: bool, multiple: Mapping[str, bool]) -> Iterator[Stranger]:
    """Unknown keys of a cluster.yaml or base-cluster.yaml.

    `free_metadata`: the environment service is sent all of `metadata`, so any key has its reader. `multiple` tells of
    each resource whether it has `containers` once everything is merged: one that has none is its own container, seen
    by its template, so there a key is wrong only where it is nearly a known one.
    """
    yield from _unknown(content, CLUSTER, ())
    yield from _unknown(_at(content, "metadata"), METADATA, ("metadata",), only_typos=free_metadata)
    resources = _at(content, "resources")
    if isinstance(resources, Mapping):
        for name, resource in resources.items():
            yield from _unknown(resource, RESOURCE, ("resources", name), only_typos=not multiple.get(name, False))


def flags_that_are_none(content: Any) -> Iterator[tuple[str, ...]]:
    """Paths of switches that are no boolean (`disable: yes` is a string here) and would quietly count as false."""
    metadata = _at(content, "metadata")
    yield from (("metadata", key) for key in ("disable", "allowFailure") if _is_odd(_at(metadata, key)))
    resources = _at(content, "resources")
    for name, resource in resources.items() if isinstance(resources, Mapping) else ():
        if _is_odd(_at(resource, "disable")):
            yield "resources", name, "disable"


def _is_odd(flag: Any) -> bool:
    return flag is not None and not isinstance(flag, bool)


def _at(content: Any, key: str) -> Any:
    return content.get(key) if isinstance(content, Mapping) else None


def _unknown(
    content: Any, known: frozenset[str] | set[str], path: tuple[str | int, ...], *, only_typos: bool = False
) -> Iterator[Stranger]:
    if not isinstance(content, Mapping):
        return
    for key in content:
        if key in known:
            continue
        meant = nearest(key, sorted(known), limit=1 if len(key) < 6 else 2)
        if meant or not only_typos:
            yield Stranger((*path, key), meant)
