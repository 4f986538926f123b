# SPDX-License-Identifier: MIT
"""The plan of a run, as values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kit_pipeline.files.step import Step

Order = Literal["serial", "parallel"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to do: a command in a service's container, or a push of its image.

    `skipped` says why it is not done; None where it is. `approved` is below a manual group. `on_fail` runs where it
    fails, what is nearest to it first. `number` is its step's, with the service where a group runs for several.
    `after_failure` is what stands in an `on_fail`: it makes nothing green, and its own failure is only told.
    """

    step: Step
    service: str
    number: str
    name: str
    skipped: str | None = None
    approved: bool = False
    encrypted_dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    on_fail: tuple["Task", ...] = ()
    after_failure: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Tasks and groups, in order or side by side. `skipped` holds for all within."""

    name: str
    number: str
    order: Order
    members: tuple["Member", ...]
    skipped: str | None = None
    manual: bool = False
    on_fail: tuple[Task, ...] = ()

    def tasks(self) -> Iterator[Task]:
        """Every task within, in order."""
        for member in self.members:
            if isinstance(member, Task):
                yield member
            else:
                yield from member.tasks()


Member = Task | Group
