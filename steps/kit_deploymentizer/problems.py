# SPDX-License-Identifier: MIT
"""What is wrong, told once: the same problem in forty clusters is one problem with forty names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from kit_core.errors import InputError, KitError
from kit_core.names import nearest
from kit_deploymentizer.rendering.remarks import Remark, Unset

_NAMED: Final = 3
_NAMES: Final = 10_000
"""Names among which the nearest is looked for; a few aliases of aliases make millions."""
_SOUGHT: Final = 1000
"""Names for which the nearest is looked for; a log with more of them is not read name by name."""


@dataclass
class Problem:
    """An error, or a warning, and the clusters that have it (none: it is the repository's)."""

    error: KitError
    warning: bool
    clusters: dict[str, None] = field(default_factory=dict)

    @property
    def named(self) -> str:
        """The first of its clusters, and how many more there are."""
        return listed(tuple(self.clusters))

    def __str__(self) -> str:
        """The sentence, with its clusters in front."""
        return f"[{self.named}] {self.error}" if self.clusters else str(self.error)


class Problems:
    """Gathers problems in the order they are met."""

    def __init__(self) -> None:
        self.count = 0
        """How often anything was told."""
        self._found: dict[tuple[Any, ...], Problem] = {}
        self._near: dict[tuple[str, str], str | None] = {}
        self._remarks: dict[tuple[str, Remark], tuple[dict[str, None], dict[str, None], str | None]] = {}

    def add(self, error: KitError, cluster: str | None = None, *, warning: bool = False) -> None:
        """`error`, once per sentence; a further cluster joins it."""
        self.count += 1
        key = (warning, type(error), error.what, error.where, error.why, error.hint)
        problem = self._found.setdefault(key, Problem(error, warning))
        if cluster is not None:
            problem.clusters[cluster] = None

    def warn(self, text: str, cluster: str | None = None) -> None:
        """A warning that has no place."""
        self.add(InputError(text), cluster, warning=True)

    def remark(self, template: str, remark: Remark, cluster: str, resource: str, view: Mapping[str, Any]) -> None:
        """Of a value that a template printed, or of a name that nothing sets."""
        self.count += 1
        key = (template, remark)
        if key not in self._remarks:
            unsought = isinstance(remark, Unset) and (template, remark.name) not in self._near
            if unsought and len(self._near) < _SOUGHT:
                self._near[template, remark.name] = nearest(remark.name, sorted(islice(_dotted(view), _NAMES)))
            self._remarks[key] = (
                {},
                {},
                self._near.get((template, remark.name)) if isinstance(remark, Unset) else None,
            )
        clusters, resources, _ = self._remarks[key]
        clusters[cluster] = None
        resources[resource] = None

    def all(self) -> tuple[Problem, ...]:
        """Everything found: warnings first, so that a log ends with the errors."""
        told = []
        for (template, remark), (clusters, resources, meant) in self._remarks.items():
            error = InputError(
                remark.what,
                where=f"{template}:{remark.line}",
                why=f"for resource {listed(tuple(resources))}",
                hint=f"{meant} is set: is it meant?" if meant else remark.hint,
                file=template,
                line=remark.line,
            )
            told.append(Problem(error, True, clusters))
        return tuple(sorted((*told, *self._found.values()), key=lambda problem: not problem.warning))


def listed(names: tuple[str, ...]) -> str:
    """The first few, and how many more."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _dotted(value: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names of everything in a view."""
    for key, item in value.items() if isinstance(value, Mapping) else ():
        yield f"{prefix}{key}"
        yield from _dotted(item, f"{prefix}{key}.")
