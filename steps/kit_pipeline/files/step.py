# SPDX-License-Identifier: MIT
"""What a steps file says, as values."""

from dataclasses import dataclass
from typing import Literal

from kit_core.yamlio import Position

Kind = Literal["run", "serial", "parallel", "manual", "push"]


@dataclass(frozen=True, kw_only=True)
class Push:
    """Where a push step's image goes. `tag` is a Go template."""

    image: str
    tag: str = "latest"
    registry: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step, or a group of steps. `path` is its index in each list from the top, counted from 1.

    `services` has one name, of a group perhaps several; none where the group above says it. `each_service` is a group
    whose steps run once for each of its services (`serial` or `matrix` with several). `local` is false for what is not
    for runs on a person's machine, by itself or by a group around it; CodeShip had no such key.
    """

    name: str
    path: tuple[int, ...]
    kind: Kind
    place: Position
    tag: str | None = None
    exclude: str | None = None
    services: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    steps: tuple["Step", ...] = ()
    push: Push | None = None
    encrypted_dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    on_fail: tuple["Step", ...] = ()
    local: bool = True

    @property
    def is_group(self) -> bool:
        """Whether it holds steps instead of running something."""
        return self.kind in {"serial", "parallel", "manual"}

    @property
    def called(self) -> str:
        """In a sentence: one without a name or a service of its own is `step 2.1` already."""
        return self.name if self.name == f"step {self.number}" else f"step {self.name}"

    @property
    def number(self) -> str:
        """`2.1`: the first step of the second group."""
        return ".".join(map(str, self.path))
