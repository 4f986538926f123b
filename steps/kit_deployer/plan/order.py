# SPDX-License-Identifier: MIT
"""In which order kinds are applied. Pure.

What others need comes first: namespaces and definitions, then rights and configuration, then Services (their
variables reach pods that start later), then workloads, then what scales, protects or exposes them.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from kit_deployer.desired.annotate import Declared
from kit_deployer.objects import GroupKind


class Phase(IntEnum):
    """The phases of a rollout, in order."""

    DEFINITIONS = 0
    CONFIGURATION = 1
    SERVICES = 2
    WORKLOADS = 3
    REST = 4


TITLES: Final = {
    Phase.DEFINITIONS: "namespaces and definitions",
    Phase.CONFIGURATION: "rights and configuration",
    Phase.SERVICES: "services",
    Phase.WORKLOADS: "workloads",
    Phase.REST: "scaling, routing and the rest",
}

CRD: Final = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")

_DEFINITIONS: Final = frozenset({GroupKind("", "Namespace"), CRD})
_CONFIGURATION: Final = frozenset(
    {
        GroupKind("", "ServiceAccount"),
        GroupKind("", "ConfigMap"),
        GroupKind("", "Secret"),
        GroupKind("", "PersistentVolume"),
        GroupKind("", "PersistentVolumeClaim"),
        GroupKind("", "ResourceQuota"),
        GroupKind("", "LimitRange"),
        GroupKind("storage.k8s.io", "StorageClass"),
        GroupKind("scheduling.k8s.io", "PriorityClass"),
        GroupKind("node.k8s.io", "RuntimeClass"),
        GroupKind("networking.k8s.io", "NetworkPolicy"),
        GroupKind("networking.k8s.io", "IngressClass"),
    }
)
_CONFIGURATION_GROUPS: Final = frozenset({"rbac.authorization.k8s.io", "flowcontrol.apiserver.k8s.io"})
_POLICIES: Final = frozenset(
    {
        GroupKind("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        GroupKind("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    }
)
_WORKLOADS: Final = frozenset(
    {
        GroupKind("apps", "Deployment"),
        GroupKind("apps", "StatefulSet"),
        GroupKind("apps", "DaemonSet"),
        GroupKind("apps", "ReplicaSet"),
        GroupKind("batch", "Job"),
        GroupKind("batch", "CronJob"),
        GroupKind("", "Pod"),
        GroupKind("", "ReplicationController"),
    }
)


def phase_of(kind: GroupKind) -> Phase:
    """The phase in which objects of a kind are applied; kinds that nobody knows come last."""
    if kind in _DEFINITIONS:
        return Phase.DEFINITIONS
    if kind in _CONFIGURATION or kind in _POLICIES or kind.group in _CONFIGURATION_GROUPS:
        return Phase.CONFIGURATION
    if kind == GroupKind("", "Service"):
        return Phase.SERVICES
    return Phase.WORKLOADS if kind in _WORKLOADS else Phase.REST


def is_workload(kind: GroupKind) -> bool:
    """Whether objects of this kind run pods."""
    return kind in _WORKLOADS


def in_order(declared: Iterable[Declared]) -> list[Declared]:
    """The objects by phase; within one a Namespace before what may live in it, then as they are written."""
    return sorted(declared, key=lambda item: (phase_of(item.key.group_kind), item.key.kind != "Namespace"))
