# SPDX-License-Identifier: MIT
"""The summary at the end of the log: a row a cluster, failures first, then what a person should know."""

from collections.abc import Iterable, Iterator

from kit_deployer.result import COLUMNS, ClusterResult, RunResult

_SHOWN = 20
_NAMED = 3


def table(result: RunResult) -> list[str]:
    """The lines of the table clusters x (created, changed, unchanged, pruned, failed, seconds)."""
    head = ["cluster", *COLUMNS, "seconds", ""]
    rows = [head, *(_row(cluster) for cluster in by_outcome(result.clusters))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["  ".join(_cell(row, column, widths) for column in range(len(head))).rstrip() for row in rows]


def by_outcome(clusters: Iterable[ClusterResult]) -> list[ClusterResult]:
    """Failures first, then what was not finished, each by name."""
    return sorted(clusters, key=lambda cluster: (_rank(cluster), cluster.name))


def remarks(cluster: ClusterResult) -> Iterator[str]:
    """What a person should know of a cluster beside the numbers."""
    if cluster.may_fail and cluster.exit_code:
        yield "it failed, and may (KIT_ALLOW_FAILURE, or its kubeconfig's annotation): the run does not fail for it"
    for workload, configuration in cluster.restarts[:_SHOWN]:
        yield f"{workload} still runs with the old values of {configuration}; restart it (or set KIT_CONFIG_CHECKSUM)"
    if len(cluster.restarts) > _SHOWN:
        yield f"and {len(cluster.restarts) - _SHOWN} more that still run with old values"
    if cluster.leftovers:
        names = ", ".join(map(str, cluster.leftovers[:_SHOWN]))
        more = f" and {len(cluster.leftovers) - _SHOWN} more" if len(cluster.leftovers) > _SHOWN else ""
        yield f"leftovers, no longer in the folder: {names}{more}"
    for item in cluster.objects:
        if item.did == "drifted":
            yield f"{item.key} {item.why}"
        elif item.why.startswith("frozen: "):
            yield f"{item.key} is {item.why}"
    unchecked: dict[str, list[str]] = {}
    for item in cluster.objects:
        if not item.checked:
            unchecked.setdefault(item.unchecked, []).append(str(item.key))
    for why, keys in unchecked.items():
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        yield f"{', '.join(keys[:_NAMED])}{more}: not checked by the server: {why}"


def in_reserve(cluster: ClusterResult) -> Iterator[str]:
    """Which earlier versions are kept to go back to: no news for a log, which has told it, and asked for in reports."""
    if cluster.reserves:
        yield f"in reserve, to go back to: {', '.join(map(str, cluster.reserves))}"


def undone(cluster: ClusterResult) -> list[str]:
    """The objects that a run that ended early did not get to."""
    return [str(item.key) for item in cluster.objects if item.did == "not done"]


def _rank(cluster: ClusterResult) -> int:
    if cluster.exit_code:
        return 0
    return 1 if not cluster.finished else 2


def _row(cluster: ClusterResult) -> list[str]:
    failed = "failed, and may" if cluster.may_fail else "failed"
    word = failed if cluster.exit_code else "" if cluster.finished else "not finished"
    counts = cluster.counts
    return [cluster.name, *(str(counts[column]) for column in COLUMNS), f"{cluster.seconds:.1f}", word]


def _cell(row: list[str], column: int, widths: list[int]) -> str:
    text = row[column]
    return text.ljust(widths[column]) if column in {0, len(row) - 1} else text.rjust(widths[column])
