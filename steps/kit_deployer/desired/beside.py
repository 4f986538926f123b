# SPDX-License-Identifier: MIT
"""fast-rollback's names: a Deployment is `<name>-<deploy id>`, so that it lives beside those of other deploys, and what
points at it by name or label points at this one.

Pure, on bodies: `annotate` calls it for every object of a run with that strategy.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from kit_deployer.objects import GroupKind, Json, at

LONGEST: Final = 63
"""Characters that the name may have: it is a label's value elsewhere, and the longest that a Service's name can be."""

_DNS: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

_TARGETS: Final = {
    GroupKind("autoscaling", "HorizontalPodAutoscaler"): "scaleTargetRef",
    GroupKind("keda.sh", "ScaledObject"): "scaleTargetRef",
    GroupKind("autoscaling.k8s.io", "VerticalPodAutoscaler"): "targetRef",
}
_BUDGET: Final = GroupKind("policy", "PodDisruptionBudget")


@dataclass(frozen=True)
class Pods:
    """Where a run's Deployment has its pods: its name as the manifest has it, and as it is; the pods' labels."""

    namespace: str
    original_name: str
    name: str
    labels: Mapping[str, str]


def beside(name: str, deploy_id: str) -> str:
    """The Deployment's name. Raises `ValueError` with the reason where Kubernetes would not take it."""
    full = f"{name}-{deploy_id}"
    if len(full) > LONGEST:
        raise ValueError(f"{full} has {len(full)} characters, and a name may have {LONGEST}")
    if not _DNS.fullmatch(full):
        raise ValueError(f"{full} is no name that Kubernetes takes: lower case letters, digits, `-` and `.`")
    return full


def following(
    kind: GroupKind, namespace: str, body: Json, deployments: Collection[Pods], labels: Mapping[str, str]
) -> Json | None:
    """The body of what belongs to one version of a Deployment, made to belong to the run's; None for anything else.

    That is what scales it by name, and a disruption budget that picks its pods: it has to protect the pods that serve,
    and pods in reserve would count for it. `labels` are those that tell the version's pods apart.
    """
    here = [pods for pods in deployments if pods.namespace == namespace]
    if kind in _TARGETS:
        return _retargeted(body, _TARGETS[kind], {pods.original_name: pods.name for pods in here})
    picked = at(body, "spec", "selector", "matchLabels")
    if kind != _BUDGET or not isinstance(picked, Mapping) or not picked:
        return None
    if not any(picked.items() <= pods.labels.items() for pods in here):
        return None
    selector = {**body["spec"]["selector"], "matchLabels": {**picked, **labels}}
    return {**body, "spec": {**body["spec"], "selector": selector}}


def _retargeted(body: Json, field: str, names: Mapping[str, str]) -> Json | None:
    target = at(body, "spec", field)
    if not isinstance(target, Mapping) or target.get("kind", "Deployment") != "Deployment":
        return None
    if target.get("name") not in names:
        return None
    return {**body, "spec": {**body["spec"], field: {**target, "name": names[target["name"]]}}}
