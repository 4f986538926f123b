# SPDX-License-Identifier: MIT
"""From steps to the plan: groups multiplied by their services, logins inherited, and a reason at what is left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kit_pipeline.files.step import Step
from kit_pipeline.planning.plan import Group, Member, Task
from kit_pipeline.planning.tags import taken


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a run is asked for. `ref` is the branch or tag whose steps run, None for those alone that have no tag.

    `local` is a run on a person's machine, which leaves out what has `local: false`, unless `named`, the paths of what
    was asked for by name, has it.
    """

    ref: str | None
    push: bool = False
    approve: bool = False
    local: bool = False
    named: frozenset[tuple[int, ...]] = frozenset()


@dataclass(frozen=True, kw_only=True)
class _Above:
    """What a step inherits from the groups around it."""

    services: tuple[str, ...] = ()
    dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    skipped: str | None = None
    approved: bool = False
    named: bool = False
    suffix: str = ""


def expand(steps: Sequence[Step], wishes: Wishes) -> Group:
    """The plan of a whole run."""
    members = _members(steps, wishes, _Above())
    return Group(name="", number="", order="serial", members=members)


def _members(steps: Sequence[Step], wishes: Wishes, above: _Above) -> tuple[Member, ...]:
    return tuple(member for step in steps for member in _member(step, wishes, above))


def _member(step: Step, wishes: Wishes, above: _Above) -> tuple[Member, ...]:
    by_name = above.named or (not step.local and step.path in wishes.named)
    inside = replace(
        above,
        services=step.services or above.services,
        # The nearest says it, and there the path wins over the service.
        dockercfg_path=step.encrypted_dockercfg_path or (None if step.dockercfg_service else above.dockercfg_path),
        dockercfg_service=step.dockercfg_service or above.dockercfg_service,
        skipped=above.skipped or _why_not(step, wishes, named=by_name or _holds_named(step, wishes)),
        approved=above.approved or step.kind == "manual",
        named=by_name,
    )
    return (_group(step, wishes, inside),) if step.is_group else (_task(step, inside),)


def _group(step: Step, wishes: Wishes, inside: _Above) -> Group:
    number = step.number + inside.suffix
    own = inside.services if len(step.services) > 1 else ()
    if own:
        # One chain a service: side by side in a parallel group, one after the other in a serial one.
        members: tuple[Member, ...] = tuple(
            Group(
                name=service,
                number=f"{number}@{service}",
                order="serial",
                members=_members(step.steps, wishes, replace(inside, services=(service,), suffix=f"@{service}")),
                skipped=inside.skipped,
            )
            for service in own
        )
    else:
        members = _members(step.steps, wishes, inside)
    return Group(
        name=step.name,
        number=number,
        order="parallel" if step.kind == "parallel" else "serial",
        members=members,
        skipped=inside.skipped,
        manual=step.kind == "manual",
        on_fail=_on_fail(step, inside),
    )


def _task(step: Step, inside: _Above) -> Task:
    return Task(
        step=step,
        service=step.services[0] if step.services else (inside.services or ("",))[0],
        number=step.number + inside.suffix,
        name=step.name,
        skipped=inside.skipped,
        approved=inside.approved,
        encrypted_dockercfg_path=inside.dockercfg_path,
        dockercfg_service=None if inside.dockercfg_path else inside.dockercfg_service,
        on_fail=_on_fail(step, inside),
    )


def _on_fail(step: Step, inside: _Above) -> tuple[Task, ...]:
    number = step.number + inside.suffix
    return tuple(
        replace(_task(fail, inside), after_failure=True, number=f"{number}.on_fail.{count}")
        for count, fail in enumerate(step.on_fail, 1)
    )


def _holds_named(step: Step, wishes: Wishes) -> bool:
    return any(path != step.path and path[: len(step.path)] == step.path for path in wishes.named)


def _why_not(step: Step, wishes: Wishes, *, named: bool) -> str | None:
    if not taken(step, wishes.ref):
        if wishes.ref is None:
            return f"it has the tag {step.tag}, and no --tag was given"
        if step.tag is not None and not taken(replace(step, exclude=None), wishes.ref):
            return f"its tag {step.tag} is not {wishes.ref}"
        return f"{wishes.ref} is excluded by {step.exclude}"
    if wishes.local and not step.local and not named:
        return "it has `local: false`, and this is no CI; --only with its name or --no-local runs it"
    if step.kind == "push" and not wishes.push:
        return "it pushes, and --push was not given"
    if step.kind == "manual" and not wishes.approve:
        return "it waits for approval, and --approve was not given"
    return None


def choose(plan: Group, wanted: Callable[[Task], str | None]) -> Group:
    """The plan with a reason at every task that `wanted` gives one for."""
    return replace(plan, members=tuple(_chosen(member, wanted) for member in plan.members))


def _chosen(member: Member, wanted: Callable[[Task], str | None]) -> Member:
    if isinstance(member, Group):
        return choose(member, wanted)
    return member if member.skipped else replace(member, skipped=wanted(member))
