# SPDX-License-Identifier: MIT
"""Versions beside each other, as fast-rollback keeps them."""

from __future__ import annotations

from typing import Any

from kit_deployer.desired.annotate import Declared, Writing
from kit_deployer.desired.scaling import scaled
from kit_deployer.objects import Json, key_of
from kit_deployer.plan.plan import Plan, Seen, Wishes, make_plan
from kit_deployer.strategies import STRATEGIES
from tests.unit.deployer.words import DEPLOYMENT, SERVICE, declared, live

FAST = STRATEGIES["fast-rollback"]
NOW = "2026-11-23T12:00:00.000Z"
AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {name: web}}}
"""
WEB = f"{DEPLOYMENT}---\n{SERVICE}"
FROZEN = DEPLOYMENT.replace("name: web,", "name: web, annotations: {kit-deployer/freeze: audit},", 1)


def writing(number: str = "8", **more: Any) -> Writing:
    return Writing(strategy="fast-rollback", deploy_id=number, commit="4f2a91c", **{"now": NOW, **more})


def wanted(text: str = WEB, number: str = "8") -> list[Declared]:
    return declared(text, writing(number))


def version(number: str, created: int = 0, text: str = DEPLOYMENT, **spec: Any) -> Json:
    """The live Deployment of another deploy, created so many seconds after noon."""
    (item,) = [item for item in wanted(text, number) if item.key.kind == "Deployment"]
    body = live(item, writing(number), **spec)
    body["metadata"]["creationTimestamp"] = f"2026-11-23T12:{created // 60:02}:{created % 60:02}Z"
    return body


def planned(items: list[Declared], *bodies: Json, wishes: Wishes | None = None, number: str = "8", **more: Any) -> Plan:
    objects = {key_of(body): body for body in bodies}
    deployments = tuple(body for body in bodies if body["kind"] == "Deployment")
    rules = scaled([(item.key.namespace, item.body) for item in items])
    world = Seen(objects=objects, deployments=deployments, scaled=rules)
    return make_plan(items, world, writing=writing(number), wishes=wishes or Wishes(), strategy=FAST, **more)


def did(plan: Plan) -> dict[str, str]:
    return {f"{action.key.kind}/{action.key.name}": action.do for action in plan.actions}


def gone(plan: Plan) -> list[str]:
    return sorted(item.key.name for item in plan.outdated)


def old_service(number: str = "7", text: str = WEB) -> Json:
    return next(live(item, writing(number)) for item in wanted(text, number) if item.key.kind == "Service")


def services(number: str, updated: str | None, **selector: str) -> Json:
    annotations = {} if updated is None else {"kit-deployer/last-updated": updated}
    return {"metadata": {"annotations": annotations}, "spec": {"selector": {"name": "web", "id": number, **selector}}}
