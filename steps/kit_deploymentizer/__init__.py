# SPDX-License-Identifier: MIT
"""From a deployments repository to every cluster's manifests.

In the order in which data flows: `settings` say what to render; `inputs/` reads the repository: kit.yaml, the base,
the types and the clusters, each value with file and line. `rendering/` merges them, makes what each template sees,
and renders it; `sources/` are asked for what comes from outside. `planner` does so cluster by cluster, and `plan`
holds what came out as a value with all `problems`, after `checks/` has judged it. `output/` brings the folder to the
plan, notes in an index what was made, and finds there what the next run need not render again. `deploymentizer` ties
these together with an `outcome`, and `cli` is the program (`telling` shows what commands found).

Beside the run: `explain/` says where each value of a view comes from, `diff/` what a change does to every cluster,
`lint/` what nobody uses. `desk/` has the commands for people who edit, and `scaffold/` makes repositories, services
and clusters.

As a library:

    from pathlib import Path
    from kit_deploymentizer import Deploymentizer, DeploymentizerSettings

    report = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml"))).run()
    print(report.word, report.written)

`plan` renders in memory, `explain`, `diff` and `lint` answer what the commands of these names do; all of them return
frozen values. What is wrong with the input raises `kit_core.errors.InputError`, what does not render `RenderError`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit_deploymentizer.deploymentizer import Deploymentizer
    from kit_deploymentizer.diff.difference import Difference
    from kit_deploymentizer.explain.places import Explained
    from kit_deploymentizer.lint.finding import Finding
    from kit_deploymentizer.outcome import RenderError, Report
    from kit_deploymentizer.plan import Plan
    from kit_deploymentizer.settings import DeploymentizerSettings

__all__ = [
    "Deploymentizer",
    "DeploymentizerSettings",
    "Difference",
    "Explained",
    "Finding",
    "Plan",
    "RenderError",
    "Report",
]
_MODULES = {
    "DeploymentizerSettings": "settings",
    "Difference": "diff.difference",
    "Explained": "explain.places",
    "Finding": "lint.finding",
    "Plan": "plan",
    "RenderError": "outcome",
    "Report": "outcome",
}


def __getattr__(name: str) -> Any:
    """Load the library when it is asked for, so that `--help` does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"kit_deploymentizer.{_MODULES.get(name, 'deploymentizer')}"), name)
