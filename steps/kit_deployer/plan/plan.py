# SPDX-License-Identifier: MIT
"""The plan of one cluster: what is done with each object, and why. Pure; a dry run prints it, a run executes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from kit_deployer.desired.annotate import ID, Declared, Writing
from kit_deployer.desired.fitting import fit, is_scaled
from kit_deployer.desired.scaling import Scaled
from kit_deployer.health.asked import asks
from kit_deployer.health.judge import checked
from kit_deployer.objects import FREEZE, GroupKind, Json, Key, annotations_of, at, key_of, labels_of
from kit_deployer.plan.compare import compare
from kit_deployer.plan.inventory import Inventory
from kit_deployer.plan.jobs import JOB, decide_job, has_completed, is_going
from kit_deployer.plan.managedfields import applied_by_us
from kit_deployer.plan.order import in_order, phase_of
from kit_deployer.plan.takeover import takeover
from kit_deployer.strategies.model import DEPLOYMENT, OTHER, Strategy, orphans, picks, users

CREATE_ONLY = "it exists, and CREATE_ONLY leaves it alone"
SERVICE = GroupKind("", "Service")
Do = Literal["create", "change", "rerun", "keep"]
State = Literal["same", "suspect", "drifted", "completed", "running", "kept", "frozen", "unread"]


@dataclass(frozen=True)
class Action:
    """One object: `do` is what is sent (`keep`: nothing), `why` says so in a few words. `rerun` deletes it, waits until
    it is gone and creates it anew.

    `state` tells a kept object's condition; a `suspect` is settled by a dry run on the server. `waits` is true for a
    Service that changes only when the Deployments are available. `managed_fields` are written before the first apply.
    `settled` is what applying a drifted object again would make of it, `unchecked` why the server could not say that.
    """

    do: Do
    item: Declared
    live: Json | None = None
    why: str = ""
    state: State = "same"
    paths: tuple[str, ...] = ()
    waits: bool = False
    managed_fields: list[Json] | None = None
    settled: Json | None = None
    unchecked: str = ""

    @property
    def key(self) -> Key:
        """The object's key."""
        return self.item.key


@dataclass(frozen=True)
class Outdated:
    """A live object that goes when everything is healthy, and why."""

    body: Json
    why: str

    @property
    def key(self) -> Key:
        """The object's key."""
        return key_of(self.body)


@dataclass(frozen=True)
class Plan:
    """Everything that a run does on one cluster, in order. `reserves` are versions of its Deployments that stay."""

    namespaces: tuple[Declared, ...] = ()
    actions: tuple[Action, ...] = ()
    outdated: tuple[Outdated, ...] = ()
    reserves: tuple[Key, ...] = ()
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
    services = [body for key, body in seen.objects.items() if key.group_kind == SERVICE]
    for item in in_order(items):
        live, going = _still_there(seen.objects.get(item.key))
        scaled = is_scaled(item, seen.scaled)
        first = strategy.replicas(item, seen.deployments, services) if live is None and scaled else None
        fitted, note = fit(item, live, seen.scaled, replicas=first)
        action = decide(fitted, live, seen, writing=writing, wishes=wishes, strategy=strategy)
        if action.state == "frozen":
            note = f"{item.key} is left out of this run ({action.why})"
        if note:
            notes.append(note)
        if going is not None and action.do == "create":
            action = replace(action, do="rerun", live=going, why="the one that is there is being deleted")
        action = _with_takeover(action, scaled=scaled)
        actions.append(_waiting(action) if strategy.switches(item, live) else action)
    held = [_held(action, actions) for action in actions]
    notes += [
        f"{now.key} is left out of this run ({now.why})"
        for now, was in zip(held, actions, strict=True)
        if now is not was
    ]
    actions = held
    outdated: dict[Key, str] = {}
    if not writing.raw and not wishes.create_only:
        # What is frozen takes over from nobody, so that nothing may go in its favour.
        taking = [action.item for action in actions if action.state != "frozen"]
        outdated, kept = _unused(strategy.outdated(taking, seen.deployments), actions, seen)
        notes += kept
    left = orphans(outdated, seen.deployments, seen.replica_sets, strategy.name)
    gone = outdated | dict.fromkeys(left, OTHER)
    by_key = {key_of(body): body for body in (*seen.deployments, *seen.replica_sets)}
    versions = map(key_of, strategy.versions(items, seen.deployments))
    return Plan(
        namespaces=tuple(namespaces),
        actions=tuple(actions),
        outdated=tuple(Outdated(by_key[key], why) for key, why in gone.items()),
        reserves=tuple(sorted(key for key in versions if key not in gone)),
        leftovers=tuple(sorted(key for key in leftovers if key not in gone)),
        notes=tuple(notes),
    )


def _waiting(action: Action) -> Action:
    """The action as one that waits for the Deployments, and says what it waits to do."""
    old, new = (at(body, "spec", "selector", ID) for body in (action.live, action.item.body))
    why = f"from id {old} to {new}" if old and new and old != new else action.why
    why = f"{why}, once all Deployments are available" if action.do == "change" else action.why
    return replace(action, waits=True, why=why)


def _held(action: Action, actions: Sequence[Action]) -> Action:
    """What moves to other pods stays with those it has where all the Deployments that it would move to are frozen."""
    body = action.item.body
    if not action.waits or action.do != "change":
        return action
    target = at(body, "spec", "scaleTargetRef", "name") or at(body, "spec", "targetRef", "name")
    chosen = [
        other
        for other in actions
        if other.key.group_kind == DEPLOYMENT and other.key.namespace == action.key.namespace
        if other.key.name == target or picks(body, labels_of(at(other.item.body, "spec", "template") or {}))
    ]
    if not chosen or any(other.state != "frozen" for other in chosen):
        return action
    return replace(action, do="keep", state="frozen", why=f"{chosen[0].key} is frozen")


def _still_there(live: Json | None) -> tuple[Json | None, Json | None]:
    """The object as one to compare with; and where it is being deleted, as one that has to be gone first."""
    if live is not None and is_going(live) and not has_completed(live):
        return None, live
    return live, None


def _with_takeover(action: Action, *, scaled: bool) -> Action:
    """The action with the managedFields to write before it; a suspect may yet be sent."""
    live, body = action.live, action.item.body
    if live is None or not (action.do == "change" or action.state == "suspect"):
        return action
    # Taking over `replicas` only to leave them out would reset them to 1: somebody chose the live number.
    unsaid = not applied_by_us(live) and at(body, "spec", "replicas") is None
    fields = takeover(live, keep_replicas=scaled or unsaid)
    return replace(action, managed_fields=fields)


def _unused(outdated: Mapping[Key, str], actions: Sequence[Action], seen: Seen) -> tuple[dict[Key, str], list[str]]:
    """The outdated Deployments without those that a Service will still send its requests to, and notes on these."""
    bodies = {key_of(body): body for body in seen.deployments}
    after = {key: body for key, body in seen.objects.items() if key.group_kind == SERVICE}
    after |= {
        action.key: action.item.body for action in actions if action.key.group_kind == SERVICE and action.do != "keep"
    }
    gone, notes = {}, []
    for key, why in outdated.items():
        needing = users(bodies[key], sorted(after.items()))
        if needing:
            notes.append(f"{key} ({why}) is kept: {needing[0]}, which this run leaves alone, needs its pods")
        else:
            gone[key] = why
    return gone, notes


def decide(
    item: Declared, live: Json | None, seen: Seen, *, writing: Writing, wishes: Wishes, strategy: Strategy
) -> Action:
    """What is to be done with one object."""
    # On the live object: somebody froze it there, and lets it go there.
    reason = annotations_of(item.manifest.body).get(FREEZE, annotations_of(live or {}).get(FREEZE))
    if reason is not None:
        return Action("keep", item, live, f"frozen: {reason}", "frozen")
    if item.key.group_kind == JOB and not writing.raw:
        do, why, state = decide_job(item, live, seen.objects.values(), seen.inventory, force=wishes.force)
        if live is not None and wishes.create_only:
            return Action("keep", item, live, CREATE_ONLY, "kept")
        # One whose time to live is over cannot be looked at any more.
        return Action(do, item, None if live and state == "completed" and is_going(live) else live, why, state)
    if live is None:
        return Action("create", item)
    if wishes.create_only:
        return Action("keep", item, live, CREATE_ONLY, "kept")
    settled = "" if writing.raw else strategy.settled(item, live, seen.scaled)
    found = compare(item, live, writing)
    if settled:
        suspect = found.verdict == "suspect"
        return Action("keep", item, live, settled, "suspect" if suspect else "same", found.paths if suspect else ())
    if found.verdict == "changed":
        return Action("change", item, live, found.why, paths=found.paths)
    if wishes.force:
        return Action("change", item, live, "FORCE")
    if found.verdict == "suspect":
        return Action("keep", item, live, state="suspect", paths=found.paths)
    return Action("keep", item, live)


def to_await(plan: Plan, *, everything: bool) -> list[Key]:
    """The objects whose health a run waits for before it switches and cleans up: all, or only Deployments for that."""
    if not everything and not plan.switches:
        return []
    return [
        action.key
        for action in plan.actions
        if (everything and _is_awaited(action) and not (action.waits and action.do != "keep"))
        or action.key.group_kind == DEPLOYMENT
        # A Job that a TTL has removed cannot be looked at; it completed before. What is frozen is nobody's business.
        if not (action.state == "completed" and action.live is None) and action.state != "frozen"
    ]


def _is_awaited(action: Action) -> bool:
    return checked(action.key.group_kind) or asks(action.item.manifest.body)


def by_phase(actions: Iterable[Action]) -> list[list[Action]]:
    """The actions that send something, phase by phase; Services that wait come after the workloads."""
    phases: dict[int, list[Action]] = {}
    for action in actions:
        if action.do != "keep":
            phases.setdefault(int(phase_of(action.key.group_kind)), []).append(action)
    return [phases[number] for number in sorted(phases)]
