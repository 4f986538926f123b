# SPDX-License-Identifier: MIT
"""What a template is, in whatever language, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kit_deploymentizer.rendering.remarks import Remark


@dataclass(frozen=True)
class Rendering:
    """What a template made of a view. `remarks` are about values that it printed; `inputs` are the files that it took
    beside its own, as shown."""

    text: str
    remarks: tuple[Remark, ...] = ()
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """A parsed template. `render` raises `WorkError` with file and line where the template does not render."""

    shown: str
    render: Callable[[Mapping[str, Any]], Rendering]


class Engine(Protocol):
    """One template language."""

    def parse(self, name: str, shown: str, text: str) -> Template:
        """The template `name` (below the resources folder). Raises `InputError` with file and line."""
