# SPDX-License-Identifier: MIT
"""One cluster: look, plan, apply, wait, finish. What has been done is known at any moment, also from other threads."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from kit_core.console import Console
from kit_core.errors import KitError, TimeLimitError
from kit_deployer import parallel
from kit_deployer.annotate import Declared, declare
from kit_deployer.applying import Applied, apply_action, settle
from kit_deployer.cluster import Cluster
from kit_deployer.diff import unified
from kit_deployer.discovery import Resource
from kit_deployer.explain import error_of, failure_of, main_finding
from kit_deployer.failures import Stopped
from kit_deployer.health.judge import checked
from kit_deployer.health.model import DEPLOYMENT, Verdict
from kit_deployer.inputs import Inputs
from kit_deployer.inventory import Inventory, to_configmap
from kit_deployer.objects import Key, key_of
from kit_deployer.options import Options, Waiting
from kit_deployer.order import CRD, TITLES, phase_of
from kit_deployer.plan import JOB, Action, Plan, Seen, Wishes, by_phase, make_plan, not_restarting, unchecked
from kit_deployer.result import ClusterResult, Did, Failure, ObjectResult
from kit_deployer.strategies import STRATEGIES
from kit_deployer.survey import (
    CONFIG_MAP,
    NAMESPACE,
    find_leftovers,
    look_around,
    look_at,
    missing_namespaces,
    resolve,
)
from kit_deployer.waiting import Awaited, Health, read_log, wait_until_healthy

WORKERS = 20
DEFINITION_SECONDS = 60.0


class Rollout:
    """Brings one cluster to its manifests. `run` in one thread; `result` from any."""

    def __init__(
        self,
        inputs: Inputs,
        options: Options,
        cluster: Cluster,
        console: Console,
        *,
        deadline: float,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs = inputs
        self._target = inputs.target
        self._cluster = cluster
        self._console = console
        self._options = replace(options, writing=replace(options.writing, commit=inputs.commit))
        self._deadline = deadline
        self._workers = workers
        self._clock = clock
        self._begun = clock()
        self._lock = threading.Lock()
        self._objects: dict[Key, ObjectResult] = {}
        self._failures: list[Failure] = []
        self._notes: list[str] = []
        self._plan = Plan()
        self._resources: dict[Key, Resource] = {}
        self._inventory = Inventory(inputs.target.name)
        self._before: Inventory | None = None
        self._applied: dict[Key, Awaited] = {}
        self._finished = False

    def run(self) -> ClusterResult:
        """Do it all; failures are part of the result. Only an interruption leaves it unfinished."""
        try:
            self._look()
            if self._options.dry_run:
                self._check()
            else:
                self._execute()
            self._finished = True
        except Stopped:
            pass
        except KitError as error:
            self._fail(error)
            self._finished = True
        return self.result()

    def result(self) -> ClusterResult:
        """What has been done so far."""
        with self._lock:
            return ClusterResult(
                name=self._target.name,
                server=self._target.server,
                namespace=self._target.namespace,
                commit=self._inputs.commit,
                objects=tuple(self._objects.values()),
                failures=tuple(self._failures),
                leftovers=self._plan.leftovers,
                restarts=tuple(not_restarting(self._plan.actions)),
                notes=tuple(self._notes),
                finished=self._finished,
                seconds=self._clock() - self._begun,
                requests=self._cluster.requests,
            )

    # Look and plan

    def _look(self) -> None:
        inputs, options, cluster = self._inputs, self._options, self._cluster
        writing = options.writing
        strategy = STRATEGIES[writing.strategy]
        self._say(f"reading the cluster ({cluster.server}, namespace {self._target.namespace})")
        ground = look_around(
            cluster, inputs.manifests, folder=self._target.name, namespace=self._target.namespace, adopt=options.adopt
        )
        self._note(*ground.notes)
        resolved = resolve(inputs.manifests, ground.kinds, namespace=self._target.namespace, cluster=self._target.name)
        live = look_at(cluster, resolved, ground.kinds, raw=writing.raw, strategy=strategy.name)
        declared = declare(resolved.keyed, writing, live_deployments=live.deployments)
        self._resources = {
            item.key: resolved.resources[key] for item, (key, _) in zip(declared, resolved.keyed, strict=True)
        }
        wanted = [Declared(Key("", "Namespace", "", item.name), item.body, item) for item in inputs.namespaces]
        self._resources |= {item.key: NAMESPACE for item in wanted}
        leftovers = find_leftovers(cluster, ground.inventory, (item.key for item in declared), ground.kinds)
        chosen = [item for item in declared if inputs.chosen(item.manifest)]
        plan = make_plan(
            chosen,
            Seen(
                objects=live.objects,
                scaled=live.scaled,
                deployments=live.deployments,
                replica_sets=live.replica_sets,
                inventory=ground.inventory,
            ),
            writing=writing,
            wishes=Wishes(force=options.force, create_only=options.create_only),
            strategy=strategy,
            namespaces=missing_namespaces(cluster, wanted),
            leftovers=leftovers,
        )
        self._accept(self._settled(plan), declared, ground.inventory, ground.identity)

    def _settled(self, plan: Plan) -> Plan:
        """The plan without suspects: each was compared with what the server would make of it."""
        drift = self._options.drift

        def decide(action: Action) -> Action:
            if action.state != "suspect":
                return action
            if drift == "ignore" and not self._options.writing.raw:
                return replace(action, state="same", paths=())
            settled = settle(self._cluster, self._resources[action.key], action, self._options.writing)
            if settled.state == "drifted" and (drift == "correct" or self._options.writing.raw):
                return replace(settled, do="change", why="corrected: " + settled.why)
            return settled

        actions = parallel.each(decide, plan.actions, workers=self._workers, name=self._target.name)
        return replace(plan, actions=tuple(actions))

    def _accept(self, plan: Plan, declared: list[Declared], before: Inventory | None, identity: str | None) -> None:
        with self._lock:
            self._plan = plan
            for item in plan.namespaces:
                self._objects[item.key] = ObjectResult(key=item.key, did="not done", place=item.manifest.place)
            for action in plan.actions:
                self._objects[action.key] = _planned(action)
            for body in plan.outdated:
                key = key_of(body)
                self._objects[key] = ObjectResult(key=key, did="not done", why="replaced by another strategy's")
        self._note(*plan.notes)
        known = before.objects if before else frozenset()
        current = {action.key for action in plan.actions} | {item.key for item in declared if item.key in known}
        completed = [action.key for action in plan.actions if action.state == "completed"]
        self._before = before
        self._inventory = Inventory(
            cluster=self._target.name,
            identity=identity or (before.identity if before else None),
            commit=self._inputs.commit,
            objects=frozenset(current | set(plan.leftovers)),
            jobs=before.jobs if before else {},
            updated=self._options.writing.now,
        ).with_jobs(completed, self._options.writing.now)
        sent = sum(action.do != "keep" for action in plan.actions)
        drifted = sum(action.state == "drifted" and action.do == "keep" for action in plan.actions)
        text = f"{len(plan.actions)} objects: {sent} to send, {len(plan.actions) - sent} as they are"
        self._say(text + (f", {drifted} of them drifted" if drifted else ""))

    # Dry run

    def _check(self) -> None:
        """Have the server check everything that would be sent; nothing is written."""
        for item in self._plan.namespaces:
            self._cluster.create(NAMESPACE, item.body, dry_run=True)
            self._done(item.key, "created", "namespace")
        actions = [action for action in self._plan.actions if action.do != "keep"]
        parallel.each(self._check_one, actions, workers=self._workers, name=self._target.name)
        for body in self._plan.outdated:
            self._done(key_of(body), "deleted", "replaced by another strategy's")

    def _check_one(self, action: Action) -> None:
        did: Did = "created" if action.do == "create" else "changed"
        why = unchecked(action, self._plan)
        if why:
            with self._lock:
                planned = self._objects[action.key]
                self._objects[action.key] = replace(
                    planned, did=did, checked=False, why=f"not checked by the server: {why}"
                )
            return
        try:
            applied = apply_action(
                self._cluster, self._resources[action.key], action, self._options.writing, dry_run=True
            )
        except KitError as error:
            self._fail(error, action.key)
            return
        self._done(action.key, did, action.why, diff=self._diff(applied))

    def _diff(self, applied: Applied) -> str:
        if not self._options.diff:
            return ""
        action = applied.action
        secrets = self._inputs.secrets_of(action.item.manifest)
        return unified(action.key, action.live, applied.result, secrets)

    # Run

    def _execute(self) -> None:
        for item in self._plan.namespaces:
            self._cluster.create(NAMESPACE, item.body)
            self._done(item.key, "created", "namespace")
        self._write_inventory(self._inventory)
        waiting = [action for action in self._plan.actions if action.waits and action.do != "keep"]
        actions = [action for action in self._plan.actions if not action.waits]
        for phase in by_phase(actions):
            if not self._apply(phase):
                self._say("what comes after the failed objects was not begun")
                return
            self._await_definitions(phase)
        if not self._await_health():
            return
        if waiting and not self._apply(waiting):
            return
        self._remove_outdated()
        self._remember_jobs()

    def _apply(self, actions: list[Action]) -> bool:
        """Apply the actions of one phase side by side; False where one failed."""
        self._overdue()
        title = TITLES[phase_of(actions[0].key.group_kind)]
        self._say(f"applying {title}: {len(actions)}")
        before = len(self._failures)
        parallel.each(self._apply_one, actions, workers=self._workers, name=self._target.name)
        return len(self._failures) == before

    def _apply_one(self, action: Action) -> None:
        try:
            applied = apply_action(
                self._cluster, self._resources[action.key], action, self._options.writing, dry_run=False
            )
        except KitError as error:
            self._fail(error, action.key)
            return
        generation = applied.result["metadata"].get("generation") or 0
        self._applied[action.key] = Awaited(self._resources[action.key], generation, self._clock())
        did: Did = "created" if action.do == "create" else "changed"
        self._done(action.key, did, action.why, diff=self._diff(applied), seconds=applied.seconds)

    def _await_definitions(self, actions: list[Action]) -> None:
        awaited = {a.key: self._applied[a.key] for a in actions if a.key.group_kind == CRD and a.key in self._applied}
        if not awaited:
            return
        policy = replace(self._options.waiting.policy, timeout=DEFINITION_SECONDS)
        self._await(awaited, replace(self._options.waiting, policy=policy))
        if self._failures:
            raise Stopped

    def _await_health(self) -> bool:
        """Wait as far as the settings or the plan ask for it; False where something did not become healthy."""
        everything = self._options.waiting.enabled
        if not everything and not self._plan.switches:
            return True
        now = self._clock()
        awaited = {
            action.key: self._applied.get(action.key, Awaited(self._resources[action.key], since=now))
            for action in self._plan.actions
            if (everything and checked(action.key.group_kind) and not action.waits)
            or action.key.group_kind == DEPLOYMENT
        }
        awaited = {key: value for key, value in awaited.items() if not self._already_complete(key)}
        return self._await(awaited, self._options.waiting)

    def _already_complete(self, key: Key) -> bool:
        """A Job that a TTL has removed cannot be looked at; it completed before."""
        return key.group_kind == JOB and self._inventory.completed(key)

    def _await(self, awaited: dict[Key, Awaited], waiting: Waiting) -> bool:
        health = Health()

        def ready(key: Key, verdict: Verdict) -> None:
            self._healthy(key, verdict)
            self._say(f"{key}: {verdict.why}", success=True)

        try:
            with self._console.waiting(health.describe, cluster=self._target.name):
                wait_until_healthy(
                    self._cluster, awaited, waiting, health, deadline=self._deadline, ready=ready, clock=self._clock
                )
        finally:
            self._note(*health.notes)
            for key, verdict in health.verdicts.items():
                self._healthy(key, verdict)
        for key, verdict in health.failed.items():
            self._report_unhealthy(key, verdict, waiting)
        return not health.failed

    def _report_unhealthy(self, key: Key, verdict: Verdict, waiting: Waiting) -> None:
        place = self._objects[key].place
        finding = main_finding(verdict)
        logs = ""
        if finding is not None:
            logs, note = read_log(self._cluster, finding, waiting.log_lines)
            self._note(*filter(None, [note]))
        name, timeout = self._target.name, waiting.policy.timeout
        failure = failure_of(key, verdict, cluster=name, place=place, timeout=timeout, logs=logs)
        with self._lock:
            self._failures.append(failure)
        self._console.error(error_of(key, verdict, cluster=name, place=place, timeout=timeout), object=str(key))
        for event in failure.events:
            self._console.foreign(event, cluster=name)
        if logs:
            self._say(f"last log lines of {failure.pod}, container {failure.container}:")
            self._console.foreign(logs, cluster=name)

    def _remove_outdated(self) -> None:
        for body in self._plan.outdated:
            key = key_of(body)
            kind = "deployments" if key.kind == "Deployment" else "replicasets"
            self._cluster.delete(Resource(key.group, "v1", key.kind, kind, namespaced=True), body)
            self._done(key, "deleted", "replaced by another strategy's")
            self._say(f"deleted {key}, which another strategy had deployed")

    def _remember_jobs(self) -> None:
        done = [
            key
            for key, item in self._objects.items()
            if key.group_kind == JOB and item.health == "ready" and item.health_why == "completed"
        ]
        inventory = self._inventory.with_jobs(done, self._options.writing.now)
        if not inventory.same_as(self._inventory):
            self._write_inventory(inventory, force=True)

    def _write_inventory(self, inventory: Inventory, *, force: bool = False) -> None:
        if force or self._before is None or not inventory.same_as(self._before):
            self._cluster.apply(CONFIG_MAP, to_configmap(inventory, self._target.namespace))

    # What is known

    def _done(self, key: Key, did: Did, why: str, *, diff: str = "", seconds: float = 0.0) -> None:
        with self._lock:
            self._objects[key] = replace(self._objects[key], did=did, why=why, diff=diff, seconds=seconds)

    def _healthy(self, key: Key, verdict: Verdict) -> None:
        with self._lock:
            if key in self._objects:
                self._objects[key] = replace(self._objects[key], health=verdict.state, health_why=verdict.why)

    def _fail(self, error: KitError, key: Key | None = None) -> None:
        with self._lock:
            self._failures.append(Failure(message=str(error), exit_code=error.exit_code, object=key))
            if key is not None:
                self._objects[key] = replace(self._objects[key], did="failed", why=error.why or error.what)
        where = {} if key is None else {"object": str(key)}
        self._console.error(error, **where)

    def _overdue(self) -> None:
        if self._clock() >= self._deadline:
            raise TimeLimitError(
                "The run took longer than KIT_RUN_TIMEOUT allows",
                where=self._target.name,
                hint="Run it again to go on where it stopped, or raise the limit.",
            )

    def _note(self, *notes: str) -> None:
        for note in notes:
            with self._lock:
                if note in self._notes:
                    continue
                self._notes.append(note)
            self._console.warning(note, cluster=self._target.name)

    def _say(self, text: str, *, success: bool = False) -> None:
        (self._console.success if success else self._console.info)(text, cluster=self._target.name)


def _planned(action: Action) -> ObjectResult:
    did: Did = "not done"
    if action.do == "keep":
        did = "drifted" if action.state == "drifted" else "unchanged"
    why = action.why
    if action.paths and action.state == "drifted":
        why = f"{why}: {', '.join(action.paths[:3])}"
    return ObjectResult(key=action.key, did=did, why=why, place=action.item.manifest.place)
