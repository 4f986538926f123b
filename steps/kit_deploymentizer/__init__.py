# SPDX-License-Identifier: MIT
"""From a deployments repository to every cluster's manifests.

In the order in which data flows: `settings` say what to render, `limits` for which clusters; `layout` reads kit.yaml,
`repository` the base, the types and the clusters (`reading` keeps file and line, `words` reads scalars as the original
did, `merge` lays base, type and cluster over one another; `encrypted` decrypts, and `secret_values` are what nobody
may see) and `checking` finds keys that kit does not know (`schema`) and files that nobody reads (`overlooked`). `view`
makes what one resource's template sees, with `images` and, where kit.yaml names any, `sources` (`placeholders` in
their place where no secret may be read). `templates` renders it (`mustache` with `mustache_scan`, `jinja`;
`javascript` knows how values print, `remarks` what was printed and will not be meant). `plan` holds what came out as a
value with all `problems`; `inspect` checks it (`check`, `manifest`, `refusals`), inserts checksums (`checksum`) and
locates secrets. `write` brings the output folder to the plan (`guard` keeps it from the sources, `lock` keeps others
out, `folders` knows what lies there, `commit` tells what was rendered) and notes in `index` and `stamps` what it made;
`reuse` takes from there what the next run need not render again (`digests` say of files whether they changed). `stale`
names workloads that keep an old value. `deploymentizer` ties these together, `cli` is the program.

`explain` says where each value of a view comes from: `origins` merges as `merge` does and keeps every value's place,
`explained` tells it. `difference` compares two renders, `masking` hides what must not be seen of them, `differing`
tells it; `comparing` gets both sides, `gittree` the repository at another commit. `lint` says what nobody uses: `named`
knows what templates mention, `repeats` which overrides change nothing, and a `finding` tells where. `outcome` is how a
run ends. `scaffold` makes what is new: a repository, a service, a cluster. `watch` renders at every save. `desk` and
`telling` belong to the program.

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
    from kit_deploymentizer.difference import Difference
    from kit_deploymentizer.explain import Explained
    from kit_deploymentizer.finding import Finding
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
_MODULES = {"Difference": "difference", "Explained": "explain", "Finding": "finding", "Plan": "plan"} | {
    "DeploymentizerSettings": "settings", "RenderError": "outcome", "Report": "outcome"
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load the library when it is asked for, so that `--help` does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"kit_deploymentizer.{_MODULES.get(name, 'deploymentizer')}"), name)
