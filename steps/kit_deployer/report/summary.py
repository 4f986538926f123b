# SPDX-License-Identifier: MIT
"""A few lines of Markdown for the CI service's page of the job: the table, and what went wrong."""

from kit_deployer.report.same import unchecked
from kit_deployer.report.table import by_outcome
from kit_deployer.report.words import inline, named
from kit_deployer.result import COLUMNS, RunResult

_SHOWN = 20


def summary(result: RunResult) -> str:
    """The Markdown; log lines and events stay in the log, since pages of jobs are read by more people.

    The result's texts must be masked already.
    """
    title = "dry run" if result.dry_run else "deploy"
    lines = [f"### kit-deployer: {title} {result.word}", ""]
    lines.append("| cluster | " + " | ".join(COLUMNS) + " | seconds | |")
    lines.append("|---|" + "---:|" * (len(COLUMNS) + 1) + "---|")
    lines += table_rows(result)
    failures = [failure for cluster in by_outcome(result.clusters) for failure in cluster.failures]
    if failures:
        lines.append("")
    lines += [f"- {inline(failure.message)}" for failure in failures[:_SHOWN]]
    if len(failures) > _SHOWN:
        lines.append(f"- and {len(failures) - _SHOWN} more")
    for why, keys, clusters in unchecked(result):
        where = f"{len(clusters)} clusters" if len(clusters) > 1 else clusters[0]
        lines += ["", inline(f"Not checked by the server on {where}: {named(keys, 3)} ({why})")]
    return "\n".join(lines) + "\n"


def table_rows(result: RunResult) -> list[str]:
    """A row a cluster, failures first."""
    rows = []
    for cluster in by_outcome(result.clusters):
        counts = " | ".join(str(cluster.counts[column]) for column in COLUMNS)
        failed = "failed, and may" if cluster.may_fail else "**failed**"
        word = failed if cluster.exit_code else "" if cluster.finished else "not finished"
        rows.append(f"| {inline(cluster.name)} | {counts} | {cluster.seconds:.1f} | {word} |")
    return rows
