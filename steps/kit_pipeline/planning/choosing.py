# SPDX-License-Identifier: MIT
"""`--only`, `--from` and `--skip`: a step by its number or its name, a group for all that is in it."""

from collections.abc import Callable, Sequence

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_pipeline.files.step import Step
from kit_pipeline.files.steps import every
from kit_pipeline.planning.plan import Task


def wanted(
    steps: Sequence[Step], *, only: Sequence[str] = (), start: str | None = None, skip: Sequence[str] = ()
) -> Callable[[Task], str | None]:
    """Why a task is left out, or None. Raises `InputError` for a name that no step or several have."""
    all_steps = every(steps)
    kept = [_found(name, all_steps, "--only") for name in only]
    first = _found(start, all_steps, "--from") if start else None
    left = [_found(name, all_steps, "--skip") for name in skip]

    def why(task: Task) -> str | None:
        path = task.step.path
        if kept and not any(_within(path, step) for step in kept):
            return "--only names others"
        if first is not None and path < first.path:
            return f"--from begins at {first.name}"
        return "--skip names it" if any(_within(path, step) for step in left) else None

    return why


def _within(path: tuple[int, ...], step: Step) -> bool:
    return path[: len(step.path)] == step.path


def _found(name: str, steps: Sequence[Step], option: str) -> Step:
    found = [step for step in steps if step.number == name] or [step for step in steps if step.name == name]
    # A group without a name goes by its service, and so do the steps in it: the group is meant.
    outermost = [step for step in found if not any(_within(step.path, other) for other in found if other is not step)]
    if len(outermost) == 1:
        return outermost[0]
    if not found:
        likely = nearest(name, [step.name for step in steps])
        hint = f"Did you mean {likely}?" if likely else "--plan shows every step with its number and name."
        raise InputError(f"{option} names the step {name}, which there is not", hint=hint)
    numbers = ", ".join(step.number for step in outermost)
    raise InputError(
        f"{option} names the step {name}, and there are several", hint=f"Choose one by its number: {numbers}."
    )
