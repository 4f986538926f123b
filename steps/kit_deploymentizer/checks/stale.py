# SPDX-License-Identifier: MIT
"""Which workloads keep running with an old value: their configuration changed and their own manifest did not. Pure."""

from collections.abc import Iterable, Mapping

from kit_deploymentizer.checks.check import read_rendered
from kit_deploymentizer.checks.manifest import (
    CONFIG_KINDS,
    Reference,
    is_config,
    pod_spec,
    pod_template_path,
    references,
)
from kit_deploymentizer.output.file import Output
from kit_deploymentizer.plan import ClusterPlan


def stale_workloads(
    plans: Iterable[ClusterPlan], changed: Mapping[str, frozenset[str]]
) -> Mapping[str, tuple[str, ...]]:
    """By cluster, `Kind name` of each workload that takes a ConfigMap or Secret of a changed file.

    `changed` are, by cluster, the files that were there before and hold something else now.
    """
    stale = {}
    for plan in plans:
        files = changed.get(plan.name)
        if files:
            names = _of_cluster(plan, files)
            if names:
                stale[plan.name] = names
    return stale


def _of_cluster(plan: ClusterPlan, files: frozenset[str]) -> tuple[str, ...]:
    if not any(_may_be_config(output) for output in plan.outputs if output.path in files):
        return ()
    plan = plan.written_out()
    fresh = [read_rendered(output.read().decode("utf-8", "replace")) for output in plan.outputs if output.path in files]
    configs = {
        Reference(value["kind"], value["metadata"]["name"])
        for rendered in fresh
        for value in rendered.objects
        if is_config(value)
    }
    if not configs:
        return ()
    names = []
    for output in plan.outputs:
        if output.path in files:
            continue
        for value in read_rendered(output.read().decode("utf-8", "replace")).objects:
            spec = pod_spec(value)
            if spec is not None and pod_template_path(value) is not None and references(spec) & configs:
                names.append(f"{value['kind']} {value['metadata']['name']}")
    return tuple(sorted(names))


def _may_be_config(output: Output) -> bool:
    """Whether a ConfigMap or Secret may be in it; what is in it is not always known."""
    return not output.objects or any(parts[1] in CONFIG_KINDS for parts in output.objects)
