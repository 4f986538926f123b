# SPDX-License-Identifier: MIT
"""The plan of one cluster: what is done with each object, and why. Pure; a dry run prints it, a run executes it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from kit_deployer.annotate import STRATEGY, Declared, Writing
from kit_deployer.compare import compare, differences
from kit_deployer.health.pods import condition
from kit_deployer.inventory import Inventory
from kit_deployer.managedfields import applied_by_us, takeover
from kit_deployer.objects import FREEZE, LAST_APPLIED, RUN, GroupKind, Json, Key, annotations_of, at, key_of, labels_of
from kit_deployer.order import CRD, in_order, is_workload, phase_of
from kit_deployer.references import still_old
from kit_deployer.scaling import Scaled
from kit_deployer.strategies import Strategy

JOB = GroupKind("batch", "Job")
SERVICE = GroupKind("", "Service")
Do = Literal["create", "change", "rerun", "keep"]
State = Literal["same", "suspect", "drifted", "completed", "running", "kept", "frozen"]


@dataclass(frozen=True)
class Action:
    """One object: `do` is what is sent (`keep`: nothing), `why` says so in a few words.

    `state` tells a kept object's condition; a `suspect` is settled by a dry run on the server. `waits` is true for a
    Service that changes only when the Deployments are available. `managed_fields` are written before the first apply.
    """

    do: Do
    item: Declared
    live: Json | None = None
    why: str = ""
    state: State = "same"
    paths: tuple[str, ...] = ()
    waits: bool = False
    managed_fields: list[Json] | None = None

    @property
    def key(self) -> Key:
        """The object's key."""
        return self.item.key


@dataclass(frozen=True)
class Plan:
    """Everything that a run does on one cluster, in order."""

    namespaces: tuple[Declared, ...] = ()
    actions: tuple[Action, ...] = ()
    outdated: tuple[Json, ...] = ()
    leftovers: tuple[Key, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether anything would be written."""
        return bool(self.namespaces or self.outdated or any(action.do != "keep" for action in self.actions))

    @property
    def switches(self) -> bool:
        """Whether something has to wait for health, whatever the settings say."""
        return bool(self.outdated or any(action.waits and action.do != "keep" for action in self.actions))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was read from the cluster before anything was done."""

    objects: Mapping[Key, Json] = field(default_factory=dict)
    scaled: frozenset[Scaled] = frozenset()
    deployments: tuple[Json, ...] = ()
    replica_sets: tuple[Json, ...] = ()
    inventory: Inventory | None = None


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person asked for that changes decisions."""

    force: bool = False
    create_only: bool = False


def make_plan(
    items: Sequence[Declared],
    seen: Seen,
    *,
    writing: Writing,
    wishes: Wishes,
    strategy: Strategy,
    namespaces: Sequence[Declared] = (),
    leftovers: Iterable[Key] = (),
) -> Plan:
    """Decide for every object. `namespaces` are those that do not exist yet."""
    actions, notes = [], []
    for item in in_order(items):
        live = seen.objects.get(item.key)
        fitted, note = fit(item, live, seen.scaled)
        action = decide(fitted, live, seen, writing=writing, wishes=wishes)
        if action.state == "frozen":
            note = f"{item.key} is left out of this run ({action.why})"
        if note:
            notes.append(note)
        scaled = _is_scaled(item, seen.scaled)
        actions.append(
            replace(
                action, waits=strategy.switches(item, live), managed_fields=_handed_over(action, fitted, scaled=scaled)
            )
        )
    outdated: list[Key] = []
    if not writing.raw and not wishes.create_only:
        # What is frozen takes over from nobody, so that nothing may go in its favour.
        taking = [action.item for action in actions if action.state != "frozen"]
        outdated, held = _unused(strategy.outdated(taking, seen.deployments), actions, seen)
        notes += held
    gone = [*outdated, *strategy.orphans(outdated, seen.deployments, seen.replica_sets)]
    by_key = {key_of(body): body for body in (*seen.deployments, *seen.replica_sets)}
    return Plan(
        namespaces=tuple(namespaces),
        actions=tuple(actions),
        outdated=tuple(by_key[key] for key in gone),
        leftovers=tuple(sorted(key for key in leftovers if key not in gone)),
        notes=tuple(notes),
    )


def _handed_over(action: Action, fitted: Declared, *, scaled: bool) -> list[Json] | None:
    """The managedFields to write before an object is applied (a suspect may yet be), or None."""
    live = action.live
    if live is None or not (action.do == "change" or action.state == "suspect"):
        return None
    # Taking over `replicas` only to leave them out would reset them to 1: somebody chose the live number.
    unsaid = not applied_by_us(live) and at(fitted.body, "spec", "replicas") is None
    return takeover(live, keep_replicas=scaled or unsaid)


def _unused(outdated: Iterable[Key], actions: Sequence[Action], seen: Seen) -> tuple[list[Key], list[str]]:
    """The outdated Deployments without those that a Service will still send its requests to, and notes on these."""
    bodies = {key_of(body): body for body in seen.deployments}
    after = {key: body for key, body in seen.objects.items() if key.group_kind == SERVICE}
    after |= {
        action.key: action.item.body for action in actions if action.key.group_kind == SERVICE and action.do != "keep"
    }
    selectors = [(key, at(body, "spec", "selector")) for key, body in sorted(after.items())]
    gone, notes = [], []
    for key in outdated:
        labels = labels_of(at(bodies[key], "spec", "template") or {})
        users = [
            service
            for service, selector in selectors
            if service.namespace == key.namespace and selector and STRATEGY in selector
            if selector.items() <= labels.items()
        ]
        if users:
            notes.append(f"{key} of another strategy is kept: {users[0]}, which this run leaves alone, needs its pods")
        else:
            gone.append(key)
    return gone, notes


def decide(item: Declared, live: Json | None, seen: Seen, *, writing: Writing, wishes: Wishes) -> Action:
    """What is to be done with one object."""
    reason = annotations_of(item.manifest.body).get(FREEZE)
    if reason is not None:
        return Action("keep", item, live, f"frozen: {reason}", "frozen")
    if item.key.group_kind == JOB and not writing.raw:
        return _decide_job(item, live, seen.inventory, wishes)
    if live is None:
        return Action("create", item)
    if wishes.create_only:
        return Action("keep", item, live, "it exists, and CREATE_ONLY leaves it alone", "kept")
    found = compare(item, live, writing)
    if found.verdict == "changed":
        return Action("change", item, live, found.why, paths=found.paths)
    if wishes.force:
        return Action("change", item, live, "FORCE")
    if found.verdict == "suspect":
        return Action("keep", item, live, state="suspect", paths=found.paths)
    return Action("keep", item, live)


def _decide_job(item: Declared, live: Json | None, inventory: Inventory | None, wishes: Wishes) -> Action:
    anew = wishes.force or annotations_of(item.manifest.body).get(RUN) == "always"
    if live is None:
        if inventory is not None and inventory.completed(item.key) and not anew:
            return Action("keep", item, why="completed by an earlier run", state="completed")
        return Action("create", item)
    if wishes.create_only:
        return Action("keep", item, live, "it exists, and CREATE_ONLY leaves it alone", "kept")
    if condition(live, "Complete") == "True":
        if anew:
            return Action("rerun", item, live, "FORCE" if wishes.force else f"{RUN}: always")
        return Action("keep", item, live, "completed by an earlier run", "completed")
    if condition(live, "Failed") == "True":
        return Action("rerun", item, live, "its last run failed")
    return Action("keep", item, live, "still running", "running")


def fit(item: Declared, live: Json | None, scaled: frozenset[Scaled]) -> tuple[Declared, str]:
    """The object without what is not ours to set, and a note where that needs telling.

    `replicas` belong to the autoscaler where there is one. A live Deployment's selector cannot be changed: where it
    lacks only what the deployer adds, it is kept.
    """
    spec = item.body.get("spec")
    if _is_scaled(item, scaled) and isinstance(spec, dict) and "replicas" in spec:
        rest = {name: value for name, value in spec.items() if name != "replicas"}
        item = replace(item, body={**item.body, "spec": rest})
    if live is None or item.key.group_kind != GroupKind("apps", "Deployment"):
        return item, ""
    wanted, found = at(item.body, "spec", "selector"), at(live, "spec", "selector")
    if wanted == found or not found or not _is_contained(found, wanted, item):
        return item, ""
    note = f"{item.key} keeps its selector, which cannot be changed; Services find its pods by their labels"
    return replace(item, body={**item.body, "spec": {**item.body["spec"], "selector": found}}), note


def _is_contained(found: Json, wanted: Json, item: Declared) -> bool:
    """Whether the live selector is the manifest's, short of labels that the deployer adds."""
    live, ours = found.get("matchLabels") or {}, wanted.get("matchLabels") or {}
    written = at(item.manifest.body, "spec", "selector", "matchLabels") or {}
    same_rest = (found.get("matchExpressions") or []) == (wanted.get("matchExpressions") or [])
    return same_rest and live.items() <= ours.items() and (written.items() <= live.items())


def _is_scaled(item: Declared, scaled: frozenset[Scaled]) -> bool:
    key = item.key
    return (key.namespace, key.kind, key.name) in scaled


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


def unchecked(action: Action, plan: Plan) -> str:
    """Why a dry run cannot ask the server about an object, or nothing where it can."""
    new = {item.key.name for item in plan.namespaces}
    new |= {other.key.name for other in plan.actions if other.key.kind == "Namespace" and other.do == "create"}
    if action.key.namespace in new:
        return f"namespace {action.key.namespace} is only created by the run"
    defined = {
        (at(other.item.body, "spec", "group"), at(other.item.body, "spec", "names", "kind"))
        for other in plan.actions
        if other.key.group_kind == CRD and other.do == "create"
    }
    if (action.key.group, action.key.kind) in defined:
        return f"its definition {action.key.group_kind} is only created by the run"
    return ""


def by_phase(actions: Iterable[Action]) -> list[list[Action]]:
    """The actions that send something, phase by phase; Services that wait come after the workloads."""
    phases: dict[int, list[Action]] = {}
    for action in actions:
        if action.do != "keep":
            phases.setdefault(int(phase_of(action.key.group_kind)), []).append(action)
    return [phases[number] for number in sorted(phases)]
