# SPDX-License-Identifier: MIT
"""One cluster: look, plan, apply, wait, finish. What has been done is known at any moment, also from other threads."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from kit_core.console import Console
from kit_core.errors import KitError, TimeLimitError
from kit_deployer import parallel
from kit_deployer.desired.annotate import Declared
from kit_deployer.health.asked import asked_of
from kit_deployer.health.model import JOB
from kit_deployer.inputs.reading import Inputs
from kit_deployer.objects import Json, Key
from kit_deployer.options import Options
from kit_deployer.plan.dependencies import find_dependents, in_waves
from kit_deployer.plan.order import CRD, TITLES, phase_of
from kit_deployer.plan.plan import Action, Plan, by_phase, to_await
from kit_deployer.plan.restarts import not_restarting
from kit_deployer.result import ClusterResult, Did
from kit_deployer.rollout.applying import Applied, apply_action
from kit_deployer.rollout.checking import Check
from kit_deployer.rollout.depending import Doorkeeper
from kit_deployer.rollout.healthy import Attendant
from kit_deployer.rollout.preparing import Prepared, prepare
from kit_deployer.rollout.record import Record
from kit_deployer.rollout.remembering import Memory
from kit_deployer.rollout.showing import Differences
from kit_deployer.rollout.survey import NAMESPACE
from kit_deployer.rollout.switching import await_endpoints, check_ready, left_behind, remove, switch
from kit_deployer.rollout.waiting import Awaited
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.failures import Stopped
from kit_deployer.strategies import STRATEGIES

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
        began: Callable[[str], None] = lambda _name: None,
        applied: Callable[[Declared, Json], None] = lambda _item, _body: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs = inputs
        self._target = inputs.target
        self._cluster = cluster
        self._console = console
        self._options = replace(options, writing=replace(options.writing, commit=inputs.commit))
        self._strategy = STRATEGIES[options.writing.strategy]
        self._deadline = deadline
        self._workers = workers
        self._clock = clock
        self._tell = applied
        self._begun = clock()
        self._record = Record(inputs.target.name, console, clock, began)
        self._prepared = Prepared(Plan())
        self._attendant = Attendant(cluster, self._record, console, deadline, clock)
        self._doorkeeper = Doorkeeper(cluster, self._attendant, options.waiting, inputs.target.namespace, clock)
        self._differences = Differences(inputs, options.diff)
        self._applied: dict[Key, Awaited] = {}
        self._memory = Memory(cluster, inputs.target.namespace)
        self._home = Key("", "Namespace", "", inputs.target.namespace)
        self._finished = False
        self._begun_writing = False

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
            self._record.fail(error, untouched=not self._begun_writing)
            self._finished = True
        return self.result()

    def result(self) -> ClusterResult:
        """What has been done so far."""
        record, plan = self._record, self._prepared.plan
        return ClusterResult(
            name=self._target.name,
            server=self._target.server,
            namespace=self._target.namespace,
            commit=self._inputs.commit,
            objects=tuple(record.objects.values()),
            failures=record.failures,
            leftovers=() if self._inputs.index.partial else plan.leftovers,
            reserves=plan.reserves,
            restarts=tuple(not_restarting(plan.actions)),
            notes=record.notes,
            finished=self._finished,
            seconds=self._clock() - self._begun,
            requests=self._cluster.requests,
        )

    def _look(self) -> None:
        self._record.say(f"reading the cluster ({self._cluster.server}, namespace {self._target.namespace})")
        self._prepared = prepare(
            self._cluster, self._inputs, self._options, workers=self._workers, say=self._record.say
        )
        plan = self._prepared.plan
        self._memory.inventory, self._memory.parts = self._prepared.before, self._prepared.parts
        self._record.begin(plan)
        self._record.differs(self._differences.drift(plan.actions))
        self._record.note(*self._prepared.notes)
        sent = sum(action.do != "keep" for action in plan.actions)
        drifted = sum(action.state == "drifted" and action.do == "keep" for action in plan.actions)
        count = len(plan.actions)
        text = f"{count} object{'s' if count != 1 else ''}: {sent} to send, {count - sent} as they are"
        self._record.say(text + (f", {drifted} of them drifted" if drifted else ""))
        if plan.reserves:
            self._record.say(f"in reserve, to go back to: {', '.join(map(str, plan.reserves))}")

    # Dry run

    def _check(self) -> None:
        """Have the server check everything that would be sent, or only read from it; nothing is written."""
        plan, options = self._prepared.plan, self._options
        for dependent in find_dependents(plan.actions):
            self._doorkeeper.foresee(dependent)
        check = Check(
            self._cluster,
            self._record,
            options.writing,
            self._differences,
            send=self._ask,
            read_only=options.dry_run == "read",
        )
        check.run(plan, workers=self._workers)

    def _ask(self, action: Action) -> Applied:
        self._still_in_time()
        return self._send(action, dry_run=True)

    def _send(self, action: Action, *, dry_run: bool) -> Applied:
        resource = self._prepared.resources[action.key]
        if action.waits and self._strategy.guarded and not dry_run:
            return switch(self._cluster, resource, action, self._options, clock=self._clock)
        return apply_action(
            self._cluster,
            resource,
            action,
            self._options.writing,
            dry_run=dry_run,
            force=self._options.conflicts == "force",
            secrets=self._inputs.secrets_of(action.item.manifest),
            clock=self._clock,
        )

    # Run

    def _execute(self) -> None:
        plan = self._prepared.plan
        self._begun_writing = True
        for item in plan.namespaces:
            self._cluster.create(NAMESPACE, item.body)
            self._record.done(item.key, "created")
            self._tell(item, item.body)
        # The inventory lives in the folder's namespace, which may be among its own manifests.
        first = [action for action in plan.actions if action.key == self._home and action.do in {"create", "rerun"}]
        if not self._apply_in_order(first):
            return
        self._memory.write(self._prepared.inventory)
        switching = [action for action in plan.actions if action.waits and action.do != "keep"]
        dependents = find_dependents(plan.actions)
        later = {dependent.action.key for dependent in dependents} | {action.key for action in first}
        if not self._apply_in_order(action for action in plan.actions if not action.waits and action.key not in later):
            return
        for wave in in_waves(dependents):
            if not self._doorkeeper.passes(wave, self._awaited) or not self._apply_in_order(one.action for one in wave):
                return
        if not self._await_health():
            return
        if not self._switch(switching):
            return
        removed = self._remove_outdated(switching)
        results = self._record.objects.values()
        self._memory.finish(self._prepared.inventory, results, removed, self._options.writing.now)

    def _apply_in_order(self, actions: Iterable[Action]) -> bool:
        """Apply phase by phase; False where one failed, and what comes after it was not begun."""
        for phase in by_phase(actions):
            if not self._apply(phase) or not self._await_definitions(phase):
                self._record.say("what comes after the failed objects was not begun")
                return False
        return True

    def _apply(self, actions: list[Action]) -> bool:
        """Apply the actions of one phase side by side; False where one failed."""
        self._record.say(f"applying {TITLES[phase_of(actions[0].key.group_kind)]}: {len(actions)}")
        before = len(self._record.failures)
        parallel.each(self._apply_one, actions, workers=self._workers, name=self._target.name)
        return len(self._record.failures) == before

    def _switch(self, actions: list[Action]) -> bool:
        """Change what waited for the Deployments, or nothing where one must not be changed; False where that failed."""
        if self._strategy.guarded:
            before = len(self._record.failures)
            parallel.each(self._check_ready, actions, workers=self._workers, name=self._target.name)
            if len(self._record.failures) > before:
                return False
        return all(self._apply(phase) for phase in by_phase(actions))

    def _check_ready(self, action: Action) -> None:
        try:
            check_ready(self._cluster, action)
        except KitError as error:
            self._record.fail(error, action.key)

    def _still_in_time(self) -> None:
        if self._clock() >= self._deadline:
            raise TimeLimitError(
                "The run took longer than KIT_RUN_TIMEOUT allows",
                where=self._target.name,
                hint="Run it again to go on where it stopped, or raise the limit.",
            )

    def _apply_one(self, action: Action) -> None:
        self._still_in_time()
        try:
            applied = self._send(action, dry_run=False)
        except KitError as error:
            self._record.fail(error, action.key)
            return
        metadata = applied.result["metadata"]
        self._applied[action.key] = Awaited(
            self._prepared.resources[action.key],
            metadata.get("generation") or 0,
            self._clock(),
            uid=metadata.get("uid") or "",
            asked=asked_of(action.item.manifest.body),
        )
        did: Did = "created" if action.do == "create" else "changed"
        diff = self._differences.change(action, applied.result)
        self._record.done(action.key, did, applied.action.why, diff=diff, seconds=applied.seconds)
        self._tell(action.item, applied.sent)

    def _await_definitions(self, actions: list[Action]) -> bool:
        """New kinds can be used once they are established."""
        keys = [action.key for action in actions if action.key.group_kind == CRD]
        waiting = self._options.waiting
        policy = replace(waiting.policy, timeout=DEFINITION_SECONDS)
        return not keys or self._attendant.wait(
            {key: self._applied[key] for key in keys}, replace(waiting, policy=policy)
        )

    def _awaited(self, key: Key) -> Awaited:
        """What to wait for: an object as we applied it, or as it was found."""
        found = self._applied.get(key)
        if found is not None:
            return found
        action = next((action for action in self._prepared.plan.actions if action.key == key), None)
        asked = asked_of(action.item.manifest.body if action else {})
        # By its uid the events of a Job are found, which tell how it ended also when a TTL has removed it.
        uid = action.live["metadata"]["uid"] if action and action.live and key.group_kind == JOB else ""
        return Awaited(self._prepared.resources[key], since=self._clock(), fresh=False, uid=uid, asked=asked)

    def _await_health(self) -> bool:
        """Wait as far as the settings or the plan ask for it; False where something did not become healthy."""
        waiting = self._options.waiting
        keys = to_await(self._prepared.plan, everything=waiting.enabled)
        return not keys or self._attendant.wait({key: self._awaited(key) for key in keys}, waiting)

    def _remove_outdated(self, switched: list[Action]) -> list[Key]:
        """Delete what is no longer needed, once no request goes there any more; what was deleted."""
        outdated = self._prepared.plan.outdated
        if not outdated:
            return []
        if services := left_behind(switched, outdated):
            self._record.say("waiting until no request goes to what will be deleted")
            await_endpoints(self._cluster, services, outdated, clock=self._clock)
        went, notes = remove(self._cluster, outdated)
        for gone in outdated:
            if gone in went:
                self._record.done(gone.key, "deleted", gone.why, diff=self._differences.deletion(gone))
            else:
                self._record.done(gone.key, "unchanged", "a Service needs its pods")
        self._record.note(*notes)
        return [gone.key for gone in went]
