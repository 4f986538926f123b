# SPDX-License-Identifier: MIT
"""The plan, as people read it (`--plan`)."""

import shlex
from collections.abc import Iterator, Mapping

from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Group, Member, Task


def lines(plan: Group, services: Mapping[str, Service]) -> list[str]:
    """A line a step: number, what it does, in which service, beside which others; or why it does not."""
    return [line for member in plan.members for line in _lines(member, services, 0)]


def _lines(member: Member, services: Mapping[str, Service], depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(member, Task):
        yield f"{indent}{member.number}  {member.name}: {_what(member, services)}"
        return
    kind = "manual" if member.manual else member.order
    why = f", left out: {member.skipped}" if member.skipped else ""
    yield f"{indent}{member.number}  {member.name} ({kind}{why})"
    for inner in member.members:
        yield from _lines(inner, services, depth + 1)


def _what(task: Task, services: Mapping[str, Service]) -> str:
    if task.skipped:
        return f"left out: {task.skipped}"
    if task.step.push is not None:
        return f"push {task.service} to {task.step.push.image}:{task.step.push.tag}"
    command = f"`{shlex.join(task.step.command)}`" if task.step.command else "its own command"
    needs = services[task.service].needs if task.service in services else ()
    beside = f", beside {', '.join(needs)}" if needs else ""
    return f"{command} in {task.service}{beside}"
