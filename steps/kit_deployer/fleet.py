# SPDX-License-Identifier: MIT
"""Many clusters side by side: each in a thread of its own, so that one that is dead or slow delays nobody."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kit_core.console import Console
from kit_core.errors import Interrupted, KitError
from kit_deployer.desired.annotate import Declared
from kit_deployer.inputs.reading import Inputs
from kit_deployer.listeners.listener import Applied, Listener, Nobody
from kit_deployer.objects import Json
from kit_deployer.options import Options
from kit_deployer.result import ClusterResult, Failure, RunResult, cluster_failure
from kit_deployer.rollout.rollout import Rollout
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.connection import CONNECTIONS, Connection, connect

PATIENCE_SECONDS = 1.5
"""How long running requests may go on after a signal: CI services kill what does not end within a few seconds."""

_ALL_WORKERS = 200


class Fleet:
    """Deploys to all clusters of a run. Connections are made when a cluster's turn comes."""

    def __init__(
        self,
        inputs: Sequence[Inputs],
        options: Options,
        console: Console,
        *,
        stop: threading.Event,
        env: Mapping[str, str],
        ca_cert: Path | None,
        secret_found: Callable[[str], None],
        listener: Listener | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs = inputs
        self._options = options
        self._console = console
        self._stop = stop
        self._env = env
        self._ca_cert = ca_cert
        self._secret_found = secret_found
        self._listener = listener or Nobody()
        self._clock = clock
        self._begun = self._deadline = 0.0
        self._lock = threading.Lock()
        self._rollouts: dict[str, Rollout] = {}
        self._results: dict[str, ClusterResult] = {}
        self._turns: dict[str, float] = {}

    def run(self) -> RunResult:
        """Deploy; the result holds every cluster, also after a signal."""
        self._begun, started = self._clock(), datetime.now(UTC).isoformat(timespec="seconds")
        self._deadline = self._begun + self._options.run_timeout
        self._listener.begin([inputs.target.name for inputs in self._inputs])
        threads = self._start()
        interrupted = 0
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
                    if self._stop.is_set():
                        raise Interrupted(15)
        except Interrupted as signal:
            interrupted = signal.exit_code
            self._stop.set()
            self._console.warning("stopping: nothing new is begun")
            end = self._clock() + PATIENCE_SECONDS
            for thread in threads:
                thread.join(max(0.0, end - self._clock()))
        clusters = tuple(self._result(inputs) for inputs in self._inputs)
        if self._stop.is_set() and not interrupted and not all(cluster.finished for cluster in clusters):
            interrupted = Interrupted(15).exit_code  # the threads ended before they were looked at
        return RunResult(
            clusters=clusters,
            dry_run=bool(self._options.dry_run),
            read_only=self._options.dry_run == "read",
            started=started,
            seconds=self._clock() - self._begun,
            interrupted=interrupted,
        )

    def _start(self) -> list[threading.Thread]:
        waiting = list(reversed(self._inputs))

        def work() -> None:
            while not self._stop.is_set():
                with self._lock:
                    if not waiting:
                        return
                    inputs = waiting.pop()
                result = self._one(inputs)
                with self._lock:
                    self._results[inputs.target.name] = result
                self._listener.cluster_over(result)

        count = min(self._options.max_parallel, len(self._inputs))
        threads = [threading.Thread(target=work, name=f"kit-cluster-{number}", daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def _one(self, inputs: Inputs) -> ClusterResult:
        """One cluster from connecting to its result; nothing that happens to it reaches the others."""
        target = inputs.target
        begun = self._clock()
        with self._lock:
            self._turns[target.name] = begun - self._begun
        if target.name in self._options.freeze:
            return self._frozen(inputs)
        try:
            if target.kubeconfig.insecure:
                self._console.warning(
                    "insecure-skip-tls-verify: the server's certificate is not checked, so anybody on the way"
                    " can read and change what is sent",
                    cluster=target.name,
                )
            connection = connect(
                target.kubeconfig,
                env=self._env,
                ca_cert=self._ca_cert,
                request_timeout=self._options.request_timeout,
                secret_found=self._secret_found,
            )
            return self._roll_out(inputs, connection)
        except KitError as error:
            self._console.error(error, cluster=target.name)
            failure = cluster_failure(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one cluster must not end the others
            failure = Failure(message=f"{target.name}: {type(error).__name__}: {error}. This is a fault of kit.")
            self._console.error(failure.message, cluster=target.name)
            self._console.detail(_trace(error), cluster=target.name)
        return ClusterResult(
            name=target.name,
            server=target.server,
            namespace=target.namespace,
            commit=inputs.commit,
            failures=(failure,),
            seconds=self._clock() - begun,
        )

    def _frozen(self, inputs: Inputs) -> ClusterResult:
        """A cluster that this run leaves alone, and says so."""
        target = inputs.target
        note = "frozen (KIT_FREEZE): left out of this run, nothing was read or sent"
        self._console.warning(note, cluster=target.name)
        return ClusterResult(name=target.name, server=target.server, namespace=target.namespace, notes=(note,))

    def _roll_out(self, inputs: Inputs, connection: Connection) -> ClusterResult:
        name = inputs.target.name
        cluster = Cluster(
            name,
            connection,
            backoff=self._options.backoff,
            stop=self._stop,
            tell=lambda text: self._console.warning(text, cluster=name),
            rate=self._options.requests_per_second,
            deadline=self._deadline,
            clock=self._clock,
        )
        running = min(self._options.max_parallel, len(self._inputs))
        rollout = Rollout(
            inputs,
            self._options,
            cluster,
            self._console,
            deadline=self._deadline,
            # Many clusters share this machine: each gets fewer connections then, and always some.
            workers=max(2, min(CONNECTIONS, _ALL_WORKERS // running)),
            began=self._listener.began,
            applied=lambda item, body: self._listener.applied(_applied(inputs, item, body)),
            clock=self._clock,
        )
        with self._lock:
            self._rollouts[name] = rollout
        try:
            return rollout.run()
        finally:
            connection.close()

    def _result(self, inputs: Inputs) -> ClusterResult:
        """What became of a cluster; one that was never begun, or still hangs in a request, is not finished."""
        target = inputs.target
        with self._lock:
            done, rollout = self._results.get(target.name), self._rollouts.get(target.name)
            turn = self._turns.get(target.name, 0.0)
        if done is None and rollout is not None:
            done = rollout.result()
        if done is not None:
            return replace(done, begun=turn, may_fail=self._may_fail(inputs))
        return ClusterResult(
            name=target.name,
            server=target.server,
            namespace=target.namespace,
            commit=inputs.commit,
            finished=False,
            may_fail=self._may_fail(inputs),
        )

    def _may_fail(self, inputs: Inputs) -> bool:
        return inputs.target.name in self._options.allow_failure or inputs.target.kubeconfig.may_fail


def _applied(inputs: Inputs, item: Declared, body: Json) -> Applied:
    return Applied(
        cluster=inputs.target.name,
        namespace=inputs.target.namespace,
        key=item.key,
        body=body,
        secrets=inputs.secrets_of(item.manifest),
    )


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))
