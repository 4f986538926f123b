# SPDX-License-Identifier: MIT
"""All sources of a run as one: asked in kit.yaml's order, `plugin` first, each next one laid over those before it.

With KIT_PLACEHOLDERS only what lies in the repository is read, and every value of `env` becomes a placeholder.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from kit_core.errors import KitError
from kit_deploymentizer.rendering.javascript import text_of
from kit_deploymentizer.rendering.merge import merge
from kit_deploymentizer.rendering.placeholders import placeholder
from kit_deploymentizer.sources import EnvironmentSource, Fetched, Target

if TYPE_CHECKING:
    from concurrent.futures import Future

_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Named:
    """A source, and what messages call it. `resources` are patterns of those it is asked about, none for all.

    `slow` says that it asks somebody else: beforehand, several questions at once. One that must not be asked has no
    `source`.
    """

    name: str
    source: EnvironmentSource | None
    resources: tuple[str, ...] = ()
    slow: bool = False

    def concerns(self, container: Mapping[str, Any]) -> bool:
        """Whether it is asked about this container."""
        resource = text_of(container.get("resourceName"))
        return not self.resources or any(fnmatchcase(resource, pattern) for pattern in self.resources)


class Together:
    """An `EnvironmentSource` of several."""

    def __init__(self, sources: Iterable[Named], *, placeholders: bool = False) -> None:
        self._sources = tuple(sources)
        self._placeholders = placeholders
        self._asked: list[tuple[str, Future[None]]] = []

    @property
    def is_slow(self) -> bool:
        """Whether anybody outside the repository is asked."""
        return any(one.slow and one.source is not None for one in self._sources)

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """What they all say. Raises `KitError` naming source and container."""
        parts = tuple(self._part(one, container, target) for one in self._sources if one.concerns(container))
        values: Mapping[str, Any] = {}
        for part in parts:
            values = merge(values, part.values)
        warnings = tuple(warning for part in parts for warning in part.warnings)
        return Fetched(values, warnings, parts=parts)

    def ask_all(self, questions: Iterable[tuple[Mapping[str, Any], Target]]) -> None:
        """Ask the slow ones everything that will be asked, several questions at once; they remember their answers.

        What fails is told when it is asked for. An interruption ends what still runs.
        """
        slow = [one for one in self._sources if one.slow and one.source is not None]
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kit-source")
        try:
            self._asked = [
                (one.name, pool.submit(_tried, one, container, target))
                for container, target in questions
                for one in slow
                if one.concerns(container)
            ]
            wait([future for _, future in self._asked], return_when=FIRST_EXCEPTION)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self.close()
            raise
        pool.shutdown(cancel_futures=True)

    def awaited(self) -> str:
        """Whose answers `ask_all` still waits for, for those who watch."""
        asked = Counter(name for name, _ in self._asked)
        left = Counter(name for name, future in self._asked if not future.done())
        told = ", ".join(f"{name} ({left[name]} of {asked[name]})" for name in left)
        return f"waiting for answers of {told}" if told else "asking the sources"

    def close(self) -> None:
        """End what still runs."""
        for one in self._sources:
            close = getattr(one.source, "close", None)
            if close is not None:
                close()

    def _part(self, one: Named, container: Mapping[str, Any], target: Target) -> Fetched:
        if one.source is None:
            told = f"source {one.name} is not asked, so variables that only it knows are left out (KIT_PLACEHOLDERS)"
            return Fetched(warnings=(told,), by=one.name)
        try:
            part = replace(one.source.fetch(container, target), by=one.name)
        except KitError as error:
            error.what = f"{error.what} (source {one.name}, container {text_of(container['name'])})"
            raise
        return _named(part) if self._placeholders else part


def _tried(one: Named, container: Mapping[str, Any], target: Target) -> None:
    assert one.source is not None
    with suppress(KitError):
        one.source.fetch(container, target)


def _named(part: Fetched) -> Fetched:
    """The answer, which was read from the repository, with placeholders for its variables' values."""
    env = part.values.get("env")
    if not isinstance(env, list):
        return part
    entries = [
        {**item, "value": placeholder(part.by, text_of(item.get("name")), text_of(item["value"]))}
        if isinstance(item, dict) and item.get("value") is not None
        else item
        for item in env
    ]
    return replace(part, values={**part.values, "env": entries})
