# SPDX-License-Identifier: MIT
"""Plans of rolling updates."""

from __future__ import annotations

from typing import Any

from kit_deployer.desired.annotate import Declared, Writing
from kit_deployer.objects import Json, Key
from kit_deployer.plan.plan import Plan, Seen, Wishes, make_plan
from kit_deployer.strategies import STRATEGIES
from tests.unit.deployer.words import WRITING

ROLLING = STRATEGIES["rolling-update"]


def plan_of(
    items: list[Declared], *bodies: Json, wishes: Wishes | None = None, writing: Writing = WRITING, **seen: Any
) -> Plan:
    objects = {
        Key(b["apiVersion"].rpartition("/")[0], b["kind"], b["metadata"].get("namespace", ""), b["metadata"]["name"]): b
        for b in bodies
    }
    world = Seen(objects=objects, **seen)
    return make_plan(items, world, writing=writing, wishes=wishes or Wishes(), strategy=ROLLING)


def did(plan: Plan) -> dict[str, str]:
    return {action.key.kind: action.do for action in plan.actions}
