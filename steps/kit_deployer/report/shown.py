# SPDX-License-Identifier: MIT
"""What changes and what is to be known, in the log at the end: each once, with the clusters that have it."""

from typing import TYPE_CHECKING

from kit_deployer.report.same import Change, changes
from kit_deployer.report.table import remarks
from kit_deployer.report.words import named
from kit_deployer.result import RunResult

if TYPE_CHECKING:
    from kit_core.console import Console

_IMPERATIVE = {"created": "create", "changed": "change", "deleted": "delete"}
_CLUSTERS = 10


def show_changes(result: RunResult, console: "Console", *, diff: bool) -> None:
    """What a dry run would do. Of a real run, which has told what it did, with `diff` what that changed."""
    if not (diff or result.dry_run):
        return
    for change in changes(result):
        shown = change.diff if diff else ""
        if not (shown or (result.dry_run and change.did != "drifted")):
            continue
        word = _IMPERATIVE.get(change.did, change.did) if result.dry_run else change.did
        line = f"{word} {change.title}" + (f" ({change.why})" if change.why else "")
        if len(change.clusters) == 1:
            _tell(console, line, shown, change, cluster=change.clusters[0])
        else:
            line = f"{line}, the same on {len(change.clusters)} clusters: {named(change.clusters, _CLUSTERS)}"
            _tell(console, line, shown, change, cluster=None)


def show_remarks(result: RunResult, console: "Console") -> None:
    """What a person should know beside the numbers; what holds for several clusters once."""
    found: dict[str, list[str]] = {}
    for cluster in result.clusters:
        for remark in remarks(cluster):
            found.setdefault(remark, []).append(cluster.name)
    for remark, clusters in found.items():
        if len(clusters) == 1:
            console.warning(remark, cluster=clusters[0])
        else:
            names = named(tuple(clusters), _CLUSTERS)
            console.warning(f"on {len(clusters)} clusters ({names}): {remark}", clusters=clusters)


def _tell(console: "Console", line: str, diff: str, change: Change, *, cluster: str | None) -> None:
    facts = {"object": change.title} | ({"clusters": change.clusters} if cluster is None else {})
    if not diff:
        console.info(line, cluster=cluster, **facts)
        return
    with console.group(f"[{cluster}] {line}" if cluster else line):
        console.foreign(diff, cluster=cluster, **facts)
