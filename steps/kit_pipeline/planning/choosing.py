# SPDX-License-Identifier: MIT
"""`--only`, `--from` and `--skip`: a step by its number, its name or its path; a group for all in it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_pipeline.files.step import Step
from kit_pipeline.planning.plan import Task

OTHERS: Final = "--only names others"
_MANY: Final = 10


@dataclass(frozen=True)
class Named:
    """A step that an option names; `service` is set where it means one chain of a group for several services."""

    step: Step
    service: str | None = None

    def has(self, task: Task) -> bool:
        """Whether the task is the step's, or of a step within it."""
        if task.step.path[: len(self.step.path)] != self.step.path:
            return False
        return self.service is None or task.number.endswith(f"@{self.service}")


@dataclass(frozen=True)
class Choice:
    """What the three options say."""

    only: tuple[Named, ...] = ()
    start: Named | None = None
    skip: tuple[Named, ...] = ()

    def why_not(self, task: Task) -> str | None:
        """Why a task is left out, or None."""
        if self.only and not any(named.has(task) for named in self.only):
            return OTHERS
        # Chains of several services stand side by side, so each begins at that step.
        if self.start is not None and not self.start.has(task) and task.step.path < self.start.step.path:
            return f"--from begins at {self.start.step.name}"
        return "--skip names it" if any(named.has(task) for named in self.skip) else None

    @property
    def exactly(self) -> frozenset[tuple[int, ...]]:
        """The steps and groups that `--only` names."""
        return frozenset(named.step.path for named in self.only)


def choice(
    steps: Sequence[Step], *, only: Sequence[str] = (), start: str | None = None, skip: Sequence[str] = ()
) -> Choice:
    """What the options mean. Raises `InputError` for a name that no step or several have."""
    return Choice(
        tuple(named(name, steps, "--only") for name in only),
        named(start, steps, "--from") if start else None,
        tuple(named(name, steps, "--skip") for name in skip),
    )


def wanted(
    steps: Sequence[Step], *, only: Sequence[str] = (), start: str | None = None, skip: Sequence[str] = ()
) -> Callable[[Task], str | None]:
    """Why a task is left out, or None. Raises `InputError` for a name that no step or several have."""
    return choice(steps, only=only, start=start, skip=skip).why_not


def named(name: str, steps: Sequence[Step], option: str) -> Named:
    """The step that `name` means: its number, its name, or the names of its groups and its own (`group/step`).

    `2.1@web` is the step 2.1 for the service web, as the plan shows it. Raises `InputError`.
    """
    paths = list(_paths(steps, ""))
    by_number = {step.number: step for _, step in paths}
    if name in by_number:
        return Named(by_number[name])
    number, at, service = name.partition("@")
    if at and number in by_number and service in _several(by_number[number], by_number.values()):
        return Named(by_number[number], service)
    for found in (
        [step for _, step in paths if step.name == name],
        [step for path, step in paths if path.endswith(f"/{name}")],
    ):
        # A group without a name goes by its service, and so do the steps in it: the group is meant.
        outermost = [step for step in found if not any(_within(step, other) for other in found)]
        if len(outermost) == 1:
            return Named(outermost[0])
        if outermost:
            numbers = ", ".join(step.number for step in outermost[:_MANY])
            raise InputError(
                f"{option} names the step {name}, and there are several", hint=f"Choose one by its number: {numbers}."
            )
    likely = None if name[:1].isdigit() else nearest(name, [step.name for _, step in paths])
    hint = f"Did you mean {likely}?" if likely else "--plan shows every step with its number and name."
    raise InputError(f"{option} names the step {name}, which there is not", hint=hint)


def _paths(steps: Sequence[Step], above: str) -> Iterator[tuple[str, Step]]:
    """Every step with the names that lead to it, groups before what they hold."""
    for step in steps:
        path = f"{above}/{step.name}"
        yield path, step
        yield from _paths(step.steps, path)


def _within(step: Step, other: Step) -> bool:
    return other is not step and step.path[: len(other.path)] == other.path


def _several(step: Step, steps: Iterable[Step]) -> tuple[str, ...]:
    """The services for each of which the step runs, where a group around it, or itself, names several."""
    around = (other for other in steps if step.path[: len(other.path)] == other.path)
    return next((other.services for other in around if len(other.services) > 1), ())
