# SPDX-License-Identifier: MIT
"""What a run did, as one value. Every report and the exit code are made from it, and from nothing else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kit_core.errors import InputError, KitError, worst_exit_code
from kit_deployer.objects import Key, Place

Did = Literal["created", "changed", "unchanged", "drifted", "deleted", "failed", "not done"]
"""What happened to an object. In a dry run: what would happen."""

COLUMNS: Final = ("created", "changed", "unchanged", "pruned", "failed")
_COUNTED_AS: Final = {"drifted": "unchanged", "deleted": "pruned"}


@dataclass(frozen=True, kw_only=True)
class ObjectResult:
    """One object. `why` is a few words; `unchecked` says why the server was not asked about it in a dry run.

    `health` is empty for what was not waited for. `diff` is unified YAML of before and after, secrets masked. `seconds`
    is how long its request took; `done_at` and `healthy_at` are when that ended and when its health was decided, in
    seconds after its cluster began. `told_as` is what webhooks call it.
    """

    key: Key
    did: Did
    why: str = ""
    place: Place | None = None
    unchecked: str = ""
    health: Literal["", "ready", "waiting", "failed", "timeout"] = ""
    health_why: str = ""
    diff: str = ""
    seconds: float = 0.0
    told_as: str = ""
    done_at: float | None = None
    healthy_at: float | None = None

    @property
    def checked(self) -> bool:
        """Whether the server had its say; where it had not, the object is neither passed nor failed."""
        return not self.unchecked


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One thing that went wrong: a whole sentence, and what a person needs to mend it."""

    message: str
    exit_code: int = 1
    object: Key | None = None
    place: Place | None = None
    reason: str = ""
    pod: str | None = None
    container: str | None = None
    events: tuple[str, ...] = ()
    logs: str = ""


def cluster_failure(
    error: KitError,
    object: Key | None = None,  # noqa: A002 - the field's name
    *,
    untouched: bool = False,
) -> Failure:
    """The failure of one cluster. Code 2 says that nothing was touched: it stays only where that is so."""
    wrong = error.exit_code == InputError.exit_code
    code = 1 if wrong and not untouched else error.exit_code
    return Failure(message=str(error), exit_code=code, object=object)


@dataclass(frozen=True, kw_only=True)
class ClusterResult:
    """One cluster folder. `leftovers` are objects that an earlier run applied and the folder no longer holds;

    `reserves` are earlier versions that fast-rollback keeps to go back to;
    `restarts` are workloads that still run with old values of a ConfigMap or Secret (workload, configuration). `begun`
    is when its turn came, in seconds after the run began. A failure of one that `may_fail` is told, and no more.
    """

    name: str
    server: str
    namespace: str
    commit: str | None = None
    objects: tuple[ObjectResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    leftovers: tuple[Key, ...] = ()
    reserves: tuple[Key, ...] = ()
    restarts: tuple[tuple[Key, Key], ...] = ()
    notes: tuple[str, ...] = ()
    finished: bool = True
    may_fail: bool = False
    begun: float = 0.0
    seconds: float = 0.0
    requests: int = 0

    @property
    def exit_code(self) -> int:
        """0, or the worst of the failures."""
        return worst_exit_code(failure.exit_code for failure in self.failures)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many objects were created, changed, left alone, pruned (deleted), failed; each counts once.

        One that was changed and then did not become healthy counts as failed only, a drifted one as unchanged, and
        what was not done nowhere.
        """
        found = Counter(
            "failed" if item.health in {"failed", "timeout"} else _COUNTED_AS.get(item.did, item.did)
            for item in self.objects
        )
        return {column: found.get(column, 0) for column in COLUMNS}

    @property
    def changed(self) -> bool:
        """Whether anything was (or would be) written."""
        return any(item.did in {"created", "changed", "deleted"} for item in self.objects)


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """All clusters of a run, in the order of their names. `started` is an ISO time. `read_only` is a dry run that asked
    no server to check anything.

    `error` is what kept the run from touching any cluster.
    """

    clusters: tuple[ClusterResult, ...]
    dry_run: bool
    started: str
    seconds: float
    interrupted: int = 0
    warnings: tuple[str, ...] = field(default=())
    read_only: bool = False
    error: Failure | None = None

    @property
    def exit_code(self) -> int:
        """As the contract of all steps says; an interruption is the signal's."""
        if self.error is not None:
            return self.error.exit_code
        counting = [cluster for cluster in self.clusters if not cluster.may_fail]
        code = self.interrupted or worst_exit_code(cluster.exit_code for cluster in counting)
        if code == InputError.exit_code and any(cluster.changed for cluster in self.clusters) and not self.dry_run:
            return KitError.exit_code  # other clusters were touched
        return code

    @property
    def word(self) -> str:
        """The run's result in one word."""
        if self.interrupted:
            return "interrupted"
        if self.exit_code:
            return "timeout" if self.exit_code == 70 else "failed"
        if not any(cluster.changed for cluster in self.clusters):
            return "unchanged"
        return "planned" if self.dry_run else "deployed"
