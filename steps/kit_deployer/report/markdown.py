# SPDX-License-Identifier: MIT
"""`report.md`: what a person wants to read in a merge request or on a job's page. The result first, then what failed.

Forges take 65,536 characters in a comment. What does not fit is left out from the end, and said so: logs and diffs of
what comes late, never the result or the names of what failed.
"""

from collections.abc import Iterator
from typing import Final

from kit_deployer.report.same import Change, Trouble, changes, troubles
from kit_deployer.report.summary import table_rows
from kit_deployer.report.table import in_reserve, remarks, undone
from kit_deployer.report.words import counted, duration, fenced, in_element, inline, named
from kit_deployer.result import COLUMNS, Failure, RunResult

LONGEST: Final = 60_000
_LOG_LINES: Final = 15
_LONGEST_LINE: Final = 300
_LONGEST_BLOCK: Final = 6_000
_FAILURES: Final = 20
_ROWS: Final = 100
_CHANGES: Final = 100
_REMARKS: Final = 40


def markdown(result: RunResult) -> str:
    """The Markdown text, within `LONGEST`. The result's texts must be masked already."""
    text = f"# kit-deployer: {headline(result)}\n\n{_facts(result)}\n"
    rest = LONGEST - 500
    left_out = 0
    for section in (*_failures(result), _table(result), *_changes(result), _remarks(result)):
        if not section:
            continue
        if len(text) + len(section) > rest:
            left_out += 1
            continue
        text += f"\n{section}\n"
    if left_out:
        verb = "does" if left_out == 1 else "do"
        text += f"\n{counted(left_out, 'more part')} {verb} not fit here; `report.html` has everything.\n"
    return text


def headline(result: RunResult) -> str:
    """What the run was and what became of it, in a few words."""
    title = "dry run" if result.dry_run else "deploy"
    failed = sum(bool(cluster.exit_code) for cluster in result.clusters)
    if failed:
        return f"{title} {result.word} on {failed} of {counted(len(result.clusters), 'cluster')}"
    return f"{title} {result.word}"


def _facts(result: RunResult) -> str:
    totals = {name: sum(cluster.counts[name] for cluster in result.clusters) for name in COLUMNS}
    counts = ", ".join(f"{number} {name}" for name, number in totals.items() if number) or "no objects"
    facts = [counted(len(result.clusters), "cluster"), counts, duration(result.seconds)]
    commits = tuple(dict.fromkeys(cluster.commit for cluster in result.clusters if cluster.commit))
    if commits:
        facts.append("commit " + named(tuple(inline(commit[:12]) for commit in commits), 3))
    return " · ".join(facts)


def _failures(result: RunResult) -> Iterator[str]:
    found = troubles(result)
    if result.error is not None:
        found.insert(0, Trouble(failure=result.error, clusters=()))
    if not found:
        return
    yield "## What failed"
    for trouble in found[:_FAILURES]:
        yield _failure(trouble)
    if len(found) > _FAILURES:
        rest = [f"- {inline(trouble.failure.message)}" for trouble in found[_FAILURES : 4 * _FAILURES]]
        yield "\n".join([f"{len(found) - _FAILURES} more:", "", *rest])


def _failure(trouble: Trouble) -> str:
    failure = trouble.failure
    lines = [f"**{inline(failure.message)}**"]
    if len(trouble.clusters) > 1:
        names = named(tuple(map(inline, trouble.clusters)), 20)
        lines += ["", f"The same on {len(trouble.clusters)} clusters: {names}."]
    facts = list(facts_of(failure))
    if facts:
        lines += ["", *(f"- {name}: {inline(value)}" for name, value in facts)]
    block = "\n".join([*map(_shortened, failure.events), *tail(failure)])
    if block.strip():
        what = "Events and last log lines" if failure.logs and failure.events else "Events"
        title = what if failure.events else "Last log lines"
        lines += ["", f"<details><summary>{title}</summary>", "", fenced(block[-_LONGEST_BLOCK:]), "", "</details>"]
    return "\n".join(lines)


def facts_of(failure: Failure) -> Iterator[tuple[str, str]]:
    """Name and value of what is known of a failure beside its sentence."""
    if failure.reason:
        yield "cause", failure.reason
    if failure.object:
        yield "object", str(failure.object)
    if failure.pod:
        yield "pod", f"{failure.pod}, container {failure.container}" if failure.container else failure.pod
    if failure.place:
        yield "manifest", str(failure.place)


def tail(failure: Failure) -> list[str]:
    """The last lines of a failure's log; a line without end leaves room for the others."""
    return [_shortened(line) for line in failure.logs.rstrip().splitlines()[-_LOG_LINES:]]


def _shortened(line: str) -> str:
    return (
        line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}… ({len(line) - _LONGEST_LINE} more characters)"
    )


def _table(result: RunResult) -> str:
    if not result.clusters:
        return ""
    rows = table_rows(result)
    more = [f"\n{counted(len(rows) - _ROWS, 'more cluster')}."] if len(rows) > _ROWS else []
    heads = ["| cluster | " + " | ".join(COLUMNS) + " | seconds | |", "|---|" + "---:|" * (len(COLUMNS) + 1) + "---|"]
    return "\n".join(["## Clusters", "", *heads, *rows[:_ROWS], *more])


def _changes(result: RunResult) -> Iterator[str]:
    found = changes(result)
    if not found:
        return
    yield "## What would change" if result.dry_run else "## What changed"
    plain = [change for change in found if not change.diff]
    for change in [change for change in found if change.diff][:_CHANGES]:
        yield _change(change, result)
    if plain:
        lines = [f"- {inline(_title(change, result))}" for change in plain[:_CHANGES]]
        more = [f"- and {len(plain) - _CHANGES} more"] if len(plain) > _CHANGES else []
        yield "\n".join([*lines, *more])


def _change(change: Change, result: RunResult) -> str:
    diff = change.diff
    if len(diff) > _LONGEST_BLOCK:
        diff = diff[:_LONGEST_BLOCK].rpartition("\n")[0] + "\n… cut; report.html has all of it"
    summary = in_element(_title(change, result))
    return "\n".join([f"<details><summary>{summary}</summary>", "", fenced(diff, "diff"), "", "</details>"])


def _title(change: Change, result: RunResult) -> str:
    where = "everywhere" if len(change.clusters) == len(result.clusters) > 1 else named(change.clusters, 5)
    return f"{change.did} {change.title}: {where}" + (f" ({change.why})" if change.why else "")


def _remarks(result: RunResult) -> str:
    lines = [inline(warning) for warning in result.warnings]
    for cluster in result.clusters:
        left = undone(cluster)
        lines += [
            f"{inline(cluster.name)}: {inline(note)}"
            for note in (*remarks(cluster), *in_reserve(cluster), *cluster.notes)
        ]
        if left:
            lines.append(f"{inline(cluster.name)}: not done: {inline(named(tuple(left), 20))}")
    if not lines:
        return ""
    lines = list(dict.fromkeys(lines))
    more = [f"- and {len(lines) - _REMARKS} more"] if len(lines) > _REMARKS else []
    return "\n".join(["## To know", "", *(f"- {line}" for line in lines[:_REMARKS]), *more])
