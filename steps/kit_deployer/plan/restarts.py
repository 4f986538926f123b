# SPDX-License-Identifier: MIT
"""Which workloads of a plan keep running with old values of a ConfigMap or Secret. Pure."""

import json
from collections.abc import Iterable

from kit_deployer.objects import LAST_APPLIED, Json, Key, annotations_of, at
from kit_deployer.plan.compare import differences
from kit_deployer.plan.order import is_workload
from kit_deployer.plan.plan import Action
from kit_deployer.plan.references import still_old


def not_restarting(actions: Iterable[Action]) -> list[tuple[Key, Key]]:
    """Workloads that keep running with old values: their ConfigMap or Secret changes and their pods do not."""
    actions = list(actions)
    changed = [action.key for action in actions if action.do == "change" and action.key.kind in {"ConfigMap", "Secret"}]
    running = [
        (action.key, action.item.body)
        for action in actions
        if is_workload(action.key.group_kind)
        and action.key.kind not in {"Job", "CronJob"}
        and action.live is not None
        and (action.do == "keep" or not _template_changes(action))
    ]
    return still_old(changed, running)


def _template_changes(action: Action) -> bool:
    """Whether applying it makes new pods: its pod template says something that the live one does not."""
    wanted, live = at(action.item.body, "spec", "template"), at(action.live, "spec", "template")
    before = _last_template(action.live) if action.live else None
    return any(differences(wanted, live)) or (
        before is not None and before != at(action.item.manifest.body, "spec", "template")
    )


def _last_template(live: Json) -> Json | None:
    try:
        found = at(json.loads(annotations_of(live).get(LAST_APPLIED) or "null"), "spec", "template")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
