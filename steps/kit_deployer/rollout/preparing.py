# SPDX-License-Identifier: MIT
"""From a cluster and its inputs to the plan: everything is read, nothing is written."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from kit_deployer import parallel
from kit_deployer.desired.annotate import Declared, declare
from kit_deployer.desired.scaling import scaled
from kit_deployer.inputs.reading import Inputs
from kit_deployer.objects import SECRET, Json, Key, key_of
from kit_deployer.options import Options
from kit_deployer.plan.inventory import Inventory
from kit_deployer.plan.plan import Action, Plan, Seen, Wishes, make_plan
from kit_deployer.plan.unasked import without_unread
from kit_deployer.rollout.applying import settle
from kit_deployer.rollout.namespaces import look_for, without
from kit_deployer.rollout.survey import NAMESPACE, find_leftovers, look_around, look_at, resolve
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Resource
from kit_deployer.strategies import STRATEGIES

_NAMED: Final = 3


@dataclass(frozen=True)
class Prepared:
    """A plan, where each of its kinds is found, and the inventory before and as it will be."""

    plan: Plan
    resources: dict[Key, Resource] = field(default_factory=dict)
    before: Inventory | None = None
    inventory: Inventory = field(default_factory=lambda: Inventory(""))
    parts: tuple[Json, ...] = ()
    notes: tuple[str, ...] = ()


def prepare(
    cluster: Cluster,
    inputs: Inputs,
    options: Options,
    *,
    workers: int,
    say: Callable[[str], None] = lambda _text: None,
) -> Prepared:
    """Read the cluster and decide everything; `say` is told what has to be waited for.

    Raises `WorkError` for what keeps the folder from being deployed.
    """
    target, writing = inputs.target, options.writing
    strategy = STRATEGIES[writing.strategy]
    wanted = [Declared(Key("", "Namespace", "", item.name), item.body, item) for item in inputs.namespaces]
    namespaces = look_for(cluster, wanted, wait=not options.dry_run, say=say)
    ground = look_around(cluster, inputs.manifests, folder=target.name, namespace=target.namespace, adopt=options.adopt)
    resolved = resolve(inputs.manifests, ground.kinds, namespace=target.namespace, cluster=target.name)
    live = look_at(
        cluster,
        resolved,
        ground.kinds,
        raw=writing.raw,
        strategy=strategy.name,
        versions=writing.beside,
        lenient=options.dry_run == "read",
    )
    live = without(live, namespaces.going)
    declared = declare(resolved.keyed, writing, live_deployments=live.deployments)
    resources = {item.key: resolved.resources[key] for item, (key, _) in zip(declared, resolved.keyed, strict=True)}
    resources |= {item.key: NAMESPACE for item in wanted}
    versions = [key_of(body) for body in strategy.versions(declared, live.deployments)]
    plan = make_plan(
        [item for item in declared if inputs.chosen(item.manifest)],
        Seen(
            objects=live.objects,
            # What scales a Deployment by name may have got another name to scale.
            scaled=live.scaled | scaled((item.key.namespace, item.body) for item in declared),
            deployments=live.deployments,
            replica_sets=live.replica_sets,
            inventory=ground.inventory,
        ),
        writing=writing,
        wishes=Wishes(force=options.force, create_only=options.create_only),
        strategy=strategy,
        namespaces=namespaces.missing,
        leftovers=find_leftovers(
            cluster, ground.inventory, [*(item.key for item in declared), *versions], ground.kinds
        ),
    )
    plan = without_unread(plan, live.unreadable)
    plan = _settled(plan, cluster, resources, options, workers)
    inventory = _inventory(plan, declared, versions, ground.inventory, ground.identity, inputs, options)
    notes = (*namespaces.notes, *ground.notes, *live.notes, *plan.notes)
    return Prepared(plan, resources, ground.inventory, inventory, ground.parts, notes)


def _settled(plan: Plan, cluster: Cluster, resources: dict[Key, Resource], options: Options, workers: int) -> Plan:
    """The plan without suspects: each is compared with what the server would make of it."""

    def decide(action: Action) -> Action:
        if action.state != "suspect":
            return action
        raw = options.writing.raw or action.key.group_kind == SECRET
        if options.drift == "ignore" and not raw:
            return replace(action, state="same", paths=())
        read_only = options.dry_run == "read"
        settled = settle(cluster, resources[action.key], action, options.writing, read_only=read_only)
        if settled.state != "drifted":
            return settled
        if raw:  # without annotations, a changed manifest and a changed object look the same
            why = f"the manifest changed, or somebody changed {', '.join(settled.paths[:_NAMED])}"
            return replace(settled, do="change", state="same", why=why)
        return replace(settled, do="change", why="drift corrected") if options.drift == "correct" else settled

    return replace(plan, actions=tuple(parallel.each(decide, plan.actions, workers=workers, name=cluster.name)))


def _inventory(
    plan: Plan,
    declared: list[Declared],
    versions: list[Key],
    before: Inventory | None,
    identity: str | None,
    inputs: Inputs,
    options: Options,
) -> Inventory:
    """The inventory of after this run: what it deploys, what was there before and still is."""
    known = before.objects if before else frozenset()
    # What the run leaves alone is ours only if it was before.
    current = {
        action.key for action in plan.actions if action.key in known or action.state not in {"frozen", "kept"}
    } | {item.key for item in declared if item.key in known}
    # Versions in reserve are ours; what is to go is, until it has gone.
    current |= set(versions) | {gone.key for gone in plan.outdated if gone.key in known}
    completed = [action.key for action in plan.actions if action.state == "completed"]
    return Inventory(
        cluster=inputs.target.name,
        identity=identity or (before.identity if before else None),
        commit=inputs.commit,
        objects=frozenset(current | set(plan.leftovers)),
        jobs=before.jobs if before else {},
        updated=options.writing.now,
    ).with_jobs(completed, options.writing.now)
