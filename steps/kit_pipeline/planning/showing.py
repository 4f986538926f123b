# SPDX-License-Identifier: MIT
"""The plan, as people read it (`--plan`), and as a value for programs."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from kit_core.errors import KitError
from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Group, Member, Task
from kit_pipeline.planning.pushing import target
from kit_pipeline.planning.values import RunValues


def lines(plan: Group, services: Mapping[str, Service], values: RunValues | None = None) -> list[str]:
    """A line a step: number, what it does, in which service, beside which others; or why it does not.

    Then the services that are needed, and where the image of each comes from.
    """
    shown = [line for member in plan.members for line in _lines(member, services, values, 0)]
    used = [services[name] for name in needed(plan, services)]
    width = max((len(service.name) for service in used), default=0)
    if used:
        shown += ["", "Images, each made when a step first needs it:"]
    return shown + [f"  {service.name:{width}}  {source(service)}" for service in used]


def document(plan: Group, services: Mapping[str, Service], values: RunValues | None = None) -> dict[str, Any]:
    """The same for programs: `steps`, each a step or a group with `steps` of its own, and the `services` needed."""
    return {
        "steps": [_entry(member, services, values) for member in plan.members],
        "services": {
            name: {"source": source(services[name]), "beside": list(beside(services[name], services))}
            for name in needed(plan, services)
        },
    }


def needed(plan: Group, services: Mapping[str, Service]) -> list[str]:
    """The services that the plan's tasks use, directly or beside others; those of steps that are left out are not."""
    found: dict[str, None] = {}

    def use(name: str | None) -> None:
        if name is not None and name in services and name not in found:
            found[name] = None
            for other in (*services[name].needs, *services[name].holders, services[name].dockercfg_service):
                use(other)

    def visit(group: Group) -> None:
        for member in group.members:
            if isinstance(member, Group):
                visit(member)
            elif not member.skipped:
                follow(member)
        if any(not task.skipped for task in group.tasks()):
            for task in group.on_fail:
                follow(task)

    def follow(task: Task) -> None:
        use(task.service)
        use(task.dockercfg_service)
        for after in task.on_fail:
            follow(after)

    visit(plan)
    return list(found)


def source(service: Service) -> str:
    """Where its image comes from."""
    if service.build is None:
        return f"image {service.image}"
    file = f" with {service.build.dockerfile}" if service.build.dockerfile else ""
    return f"built from {service.build.context}{file}"


def beside(service: Service, services: Mapping[str, Service]) -> tuple[str, ...]:
    """What runs beside a service: what it needs, and what that needs."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in services[name].needs if name in services else ():
            if other not in found and other != service.name:
                found[other] = None
                visit(other)

    visit(service.name)
    return tuple(found)


def push_target(task: Task, values: RunValues | None) -> str:
    """Where it pushes; the template itself where it is not known, or cannot be filled in."""
    push = task.step.push
    assert push is not None
    try:
        repository, tag = target(task, values) if values else (push.image, push.tag)
    except KitError:
        repository, tag = push.image, push.tag
    return f"{repository}:{tag}"


def _lines(member: Member, services: Mapping[str, Service], values: RunValues | None, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(member, Task):
        yield f"{indent}{member.number}  {member.name}: {what(member, services, values)}"
    else:
        kind = "manual" if member.manual else member.order
        why = f", left out: {member.skipped}" if member.skipped else ""
        yield f"{indent}{member.number}  {member.name} ({kind}{why})"
        for inner in member.members:
            yield from _lines(inner, services, values, depth + 1)
    if not member.skipped:
        for after in member.on_fail:
            yield f"{indent}    on failure: {what(after, services, values)}"


def what(task: Task, services: Mapping[str, Service], values: RunValues | None = None) -> str:
    """What a task does, or why it does not."""
    if task.skipped:
        return f"left out: {task.skipped}"
    if task.step.push is not None:
        return f"push {task.service} to {push_target(task, values)}"
    others = beside(services[task.service], services) if task.service in services else ()
    return f"{command_of(task, services)} in {task.service}" + (f", beside {', '.join(others)}" if others else "")


def command_of(task: Task, services: Mapping[str, Service]) -> str:
    """The command as one would type it: the step's, else its service's, else the image's."""
    command = task.step.command
    if not command and task.service in services:
        command = services[task.service].command
    return f"`{shlex.join(command)}`" if command else "its own command"


def _entry(member: Member, services: Mapping[str, Service], values: RunValues | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"number": member.number, "name": member.name, "left_out": member.skipped}
    if isinstance(member, Group):
        entry["type"] = "manual" if member.manual else member.order
        entry["steps"] = [_entry(inner, services, values) for inner in member.members]
    else:
        service = services.get(member.service)
        entry |= {
            "type": "push" if member.step.push is not None else "run",
            "service": member.service,
            "file": member.step.place.name,
            "line": member.step.place.line,
        }
        if member.step.push is not None:
            entry["push"] = push_target(member, values)
        else:
            entry["command"] = list(member.step.command) if member.step.command else None
            entry["beside"] = list(beside(service, services)) if service else []
    entry["on_fail"] = [_entry(after, services, values) for after in member.on_fail]
    return entry
