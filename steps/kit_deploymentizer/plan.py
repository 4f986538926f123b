# SPDX-License-Identifier: MIT
"""What a run makes, as a value: every output with its inputs, what was left out, and all that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from kit_deploymentizer.output.file import Output
from kit_deploymentizer.problems import Problem

if TYPE_CHECKING:
    from kit_deploymentizer.output.rest import Rest

Level = Literal["error", "warn", "off"]


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster's files. `left_out` are resources that failed where that is allowed; `placeholders` that secrets were
    not read, so that it is good for checks only; `inputs` are the files that all of it is made from.

    `made` says of a resource that can be used again what it was made from, beside files that have these `digests`.
    `same`: all of it is kept, and its index says so already. `key` is what all of it was made from, where all of it can
    be used again. With a `rest`, `outputs` are only those that are rendered again.
    """

    name: str
    outputs: tuple[Output, ...]
    left_out: tuple[str, ...]
    placeholders: bool = False
    inputs: tuple[str, ...] = ()
    made: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    same: bool = False
    key: str | None = None
    rest: "Rest | None" = None

    def written_out(self) -> "ClusterPlan":
        """The same without a `rest`: the outputs that stay are among the others."""
        if self.rest is None:
            return self
        others = self.rest.others()
        outputs = {output.path: output for _, found in others.values() for output in found}
        outputs |= {output.path: output for output in self.outputs}
        return replace(
            self,
            outputs=tuple(outputs[path] for path in sorted(outputs)),
            made={**{name: made for name, (made, _) in others.items()}, **self.made},
            digests=self.rest.digests,
            rest=None,
        )


@dataclass(frozen=True)
class Plan:
    """All clusters of a run, in the order of their names, and every problem that was found while making it."""

    clusters: tuple[ClusterPlan, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep anything from being written."""
        return tuple(problem for problem in self.problems if not problem.warning)
