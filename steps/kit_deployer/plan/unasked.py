# SPDX-License-Identifier: MIT
"""What a dry run cannot ask the server about, and why. Pure."""

from collections.abc import Container
from dataclasses import replace

from kit_deployer.objects import Json, Key, at, version_of
from kit_deployer.plan.order import CRD
from kit_deployer.plan.plan import Action, Plan


def unchecked(action: Action, plan: Plan) -> str:
    """Why a dry run cannot ask the server about an object, or nothing where it can."""
    new = {item.key.name for item in plan.namespaces}
    new |= {other.key.name for other in plan.actions if other.key.kind == "Namespace" and other.do == "create"}
    if action.key.namespace in new:
        return f"namespace {action.key.namespace} is only created by the run"
    for other in plan.actions:
        names = (at(other.item.body, "spec", "group"), at(other.item.body, "spec", "names", "kind"))
        if other.key.group_kind != CRD or names != (action.key.group, action.key.kind):
            continue
        if other.do == "create":
            return f"its definition {action.key.group_kind} is only created by the run"
        if other.do == "change" and not _serves(other.live, action):
            return f"its definition {action.key.group_kind} serves its version only after the run"
    return ""


def ground(plan: Plan) -> Plan:
    """The part of a plan that decides what can be asked: a few objects of, often, thousands."""
    actions = [action for action in plan.actions if action.key.kind in {"Namespace", CRD.kind}]
    return replace(plan, actions=tuple(actions))


def without_unread(plan: Plan, unreadable: Container[Key]) -> Plan:
    """The plan of a run that only looks: what the account may not read is as unknown as it was."""
    why = "the account may not read it"
    actions = [
        replace(action, do="keep", state="unread", unchecked=why) if action.key in unreadable else action
        for action in plan.actions
    ]
    return replace(plan, actions=tuple(actions))


def _serves(definition: Json | None, action: Action) -> bool:
    """Whether the live definition of an object's kind serves the version that its manifest is written in."""
    names = [
        at(version, "name")
        for version in at(definition, "spec", "versions") or []
        if at(version, "served") is not False
    ]
    return version_of(action.item.body) in names
