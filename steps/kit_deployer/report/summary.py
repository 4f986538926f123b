# SPDX-License-Identifier: MIT
"""A few lines of Markdown for the CI service's page of the job: the table, and what went wrong."""

from kit_deployer.report.table import by_outcome
from kit_deployer.result import COLUMNS, RunResult

_SHOWN = 20


def summary(result: RunResult) -> str:
    """The Markdown; log lines and events stay in the log, since pages of jobs are read by more people."""
    title = "dry run" if result.dry_run else "deploy"
    lines = [f"### kit-deployer: {title} {result.word}", ""]
    lines.append("| cluster | " + " | ".join(COLUMNS) + " | seconds | |")
    lines.append("|---|" + "---:|" * (len(COLUMNS) + 1) + "---|")
    for cluster in by_outcome(result.clusters):
        counts = " | ".join(str(cluster.counts[column]) for column in COLUMNS)
        word = "**failed**" if cluster.exit_code else "" if cluster.finished else "not finished"
        lines.append(f"| {_cell(cluster.name)} | {counts} | {cluster.seconds:.1f} | {word} |")
    failures = [failure for cluster in by_outcome(result.clusters) for failure in cluster.failures]
    if failures:
        lines.append("")
    lines += [f"- {_cell(failure.message)}" for failure in failures[:_SHOWN]]
    if len(failures) > _SHOWN:
        lines.append(f"- and {len(failures) - _SHOWN} more")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that is not ours, so that it neither ends a cell nor begins markup."""
    shown = " ".join(text.split())
    for character in "\\`*_[]<>|":
        shown = shown.replace(character, f"\\{character}")
    return shown
