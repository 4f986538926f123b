# SPDX-License-Identifier: MIT
"""What scales what: `replicas` of a workload that an autoscaler rules is none of the deployer's business. Pure."""

from collections.abc import Iterable
from typing import Final

from kit_deployer.objects import GroupKind, Json, at, group_of

HPA: Final = GroupKind("autoscaling", "HorizontalPodAutoscaler")
SCALED_OBJECT: Final = GroupKind("keda.sh", "ScaledObject")
SCALERS: Final = (HPA, SCALED_OBJECT)
SCALABLE: Final = frozenset(
    {GroupKind("apps", "Deployment"), GroupKind("apps", "StatefulSet"), GroupKind("apps", "ReplicaSet")}
)

Scaled = tuple[str, str, str]
"""Namespace, kind and name of what is scaled."""


def scaled(scalers: Iterable[tuple[str, Json]]) -> frozenset[Scaled]:
    """What the given autoscalers (namespace, body) scale."""
    found = set()
    for namespace, body in scalers:
        if GroupKind(group_of(body), body["kind"]) not in SCALERS:
            continue
        kind = at(body, "spec", "scaleTargetRef", "kind") or "Deployment"
        name = at(body, "spec", "scaleTargetRef", "name")
        if isinstance(kind, str) and isinstance(name, str):
            found.add((namespace, kind, name))
    return frozenset(found)
