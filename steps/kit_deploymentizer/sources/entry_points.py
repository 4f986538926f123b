# SPDX-License-Identifier: MIT
"""Sources that other Python packages bring: entry points of the group `kit_deploymentizer.sources`.

An entry point's name is the `kind` in kit.yaml, and it refers to a `sources.Maker`: a callable that takes the entry's
`options` and the `World` and returns an object with `fetch(container, target)`, which gives a `Fetched` or a map of the
form in `answers`. It may be called from several threads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Final

from kit_core.errors import InputError, KitError, WorkError
from kit_core.names import nearest
from kit_deploymentizer.sources import EnvironmentSource, Fetched, Target, World
from kit_deploymentizer.sources.answers import values_of
from kit_deploymentizer.sources.once import Once
from kit_deploymentizer.sources.options import KINDS
from kit_deploymentizer.sources.places import question

GROUP: Final = "kit_deploymentizer.sources"


@dataclass(frozen=True)
class FromPackage:
    """Asks somebody else's source once per question, and makes sentences of its exceptions."""

    kind: str
    source: EnvironmentSource
    _answers: Once[bytes, Fetched] = field(default_factory=Once, repr=False, compare=False)

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """What the source says. Raises `KitError`."""
        return self._answers.get(question(container, target), lambda: self._ask(container, target))

    def _ask(self, container: Mapping[str, Any], target: Target) -> Fetched:
        answer: Any
        try:
            answer = self.source.fetch(dict(container), target)
        except KitError:
            raise
        except Exception as error:
            raise WorkError(f"the source failed with {type(error).__name__}", why=str(error) or None) from error
        what = f"what the source {self.kind} returned"
        if isinstance(answer, Fetched):
            return Fetched(values_of(answer.values, None, what=what, kind=WorkError), answer.warnings, answer.file,
                           answer.hidden)  # fmt: skip
        return Fetched(values_of({} if answer is None else answer, None, what=what, kind=WorkError))


def check_kind(kind: str) -> None:
    """Raises `InputError` where no installed package has an entry point of this name."""
    installed = sorted(entry_points(group=GROUP).names)
    if kind not in installed:
        meant = nearest(kind, [*KINDS, *installed])
        known = f"there are {', '.join(KINDS)}, and from installed packages {', '.join(installed) or 'none'}"
        raise InputError(
            f"a source of kind {kind} is not known",
            why=known,
            hint=f"{meant} is probably meant." if meant else f"A package brings one as an entry point of {GROUP}.",
        )


def open_entry_point(kind: str, options: Mapping[str, Any], world: World) -> EnvironmentSource:
    """The source that an installed package brings. Raises `InputError` where none does, or it cannot be made."""
    check_kind(kind)
    (entry_point, *_) = entry_points(group=GROUP, name=kind)
    try:
        return FromPackage(kind, entry_point.load()(options.get("options", {}), world))
    except KitError:
        raise
    except Exception as error:
        raise InputError(
            f"the source {kind} cannot be made", why=f"{entry_point.value}: {type(error).__name__}: {error}"
        ) from error
