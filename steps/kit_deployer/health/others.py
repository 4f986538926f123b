# SPDX-License-Identifier: MIT
"""The kinds that run no pods and yet take a while: claims, definitions, load balancers. Pure."""

from typing import Final

from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Cause, Snapshot, Status
from kit_deployer.health.pods import condition, condition_of
from kit_deployer.health.workloads import Check
from kit_deployer.objects import GroupKind, Json, at


def claim(body: Json, snapshot: Snapshot, limits: Limits) -> Status:
    """Done: Bound, or waiting for the first pod that uses it. Failed for good: Lost."""
    phase = at(body, "status", "phase") or "Pending"
    if phase == "Bound":
        return Status(True, "bound")
    if phase == "Lost":
        return Status(False, "lost", Cause("Lost", "its volume is gone", limits.at_once))
    events = snapshot.about(body)
    if events and events[-1].reason == "WaitForFirstConsumer":
        return Status(True, "waiting for the first pod that uses it")
    return Status(False, str(events[-1]) if events else "not bound yet")


def definition(body: Json, _snapshot: Snapshot, limits: Limits) -> Status:
    """Done: Established. Failed for good: its names are taken."""
    if condition(body, "Established") == "True":
        return Status(True, "established")
    names = condition_of(body, "NamesAccepted") or {}
    if names.get("status") == "False" and names.get("message"):
        return Status(False, "refused", Cause(names.get("reason") or "NamesAccepted", names["message"], limits.at_once))
    return Status(False, "not established yet")


def service(body: Json, snapshot: Snapshot, _limits: Limits) -> Status:
    """Done: it is there; a load balancer also has its address."""
    if at(body, "spec", "type") != "LoadBalancer" or at(body, "status", "loadBalancer", "ingress"):
        return Status(True, "there")
    events = snapshot.about(body)
    return Status(False, str(events[-1]) if events else "its load balancer has no address yet")


CHECKS: Final[dict[GroupKind, Check]] = {
    GroupKind("", "PersistentVolumeClaim"): claim,
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    GroupKind("", "Service"): service,
}
