# SPDX-License-Identifier: MIT
"""KIT_DIFF_FILE: Markdown for a comment on a pull request. What would change, each change once, folded.

Forges refuse comments that are too long. What does not fit is left out from the end, never without saying so: first
differences, then the names of what changes. Nothing of the text acts there: no mention, no reference, no markup.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from kit_deployer.report.markdown import headline
from kit_deployer.report.same import Change, changes, troubles, unchecked
from kit_deployer.report.words import counted, fenced, in_element, inline, named
from kit_deployer.result import ClusterResult, RunResult

MARKER: Final = "<!-- kit-deployer: diff -->"
"""The first line, by which a pipeline finds the comment that it wrote before."""

_LIMITS: Final[Mapping[str, int]] = {"gitlab": 1_000_000, "bitbucket": 32_768, "azure": 150_000}
_USUAL_LIMIT: Final = 65_536
_RESERVED: Final = 700
_LONGEST_DIFF: Final = 12_000
_COLUMNS: Final = ("created", "changed", "deleted", "drifted", "not checked", "failed")
_ROWS: Final = 100
_FAILURES: Final = 20
_REMARKS: Final = 20
_NAMES: Final = 8


def limit_of(provider: str) -> int:
    """How long a comment may be where a CI service's pull requests are, in bytes (they count characters)."""
    return _LIMITS.get(provider, _USUAL_LIMIT)


def comment(result: RunResult, *, limit: int = _USUAL_LIMIT) -> str:
    """The Markdown, of at most `limit` bytes. The result's texts must be masked already."""
    text = f"{MARKER}\n### kit-deployer: {_headline(result)}\n"
    room = limit - len(text.encode()) - _RESERVED
    folded, unnamed = 0, 0
    for full, short in _sections(result):
        for part in (full, short):
            size = len(part.encode()) + 2
            if part and size <= room:
                text += f"\n{part}\n"
                room -= size
                break
        else:
            part = ""
        folded += part == short != full
        unnamed += not part
    if folded or unnamed:
        text += f"\n**Cut to fit a comment:** {_left_out(folded, unnamed)}. `report.html` (KIT_REPORT_DIR) has all.\n"
    return text


def _left_out(folded: int, unnamed: int) -> str:
    parts = [f"{folded} differences"] if folded else []
    return " and ".join([*parts, *([f"{unnamed} whole parts"] if unnamed else [])]) + " are not shown"


def _headline(result: RunResult) -> str:
    found = sum(len(cluster.objects) > 0 and _counts(cluster)[:3] != (0, 0, 0) for cluster in result.clusters)
    if result.exit_code or result.error is not None:
        return headline(result)
    would = "would change" if result.dry_run else "changed"
    if not found:
        return f"nothing {would}"
    return f"{would} something on {found} of {counted(len(result.clusters), 'cluster')}"


def _sections(result: RunResult) -> Iterator[tuple[str, str]]:
    """Each part in full, and in short for where that does not fit."""
    if result.read_only:
        yield "Read only: the servers were not asked whether they would take it.", ""
    yield from _failures(result)
    if result.clusters:
        yield _table(result), ""
    for why, keys, clusters in unchecked(result) if not result.read_only else ():
        where = named(clusters, _NAMES)
        yield f"**Not checked by the server** on {inline(where)}: {inline(f'{named(keys, _NAMES)} ({why})')}", ""
    for change in changes(result):
        yield _change(change, result)
    yield from _remarks(result)


def _failures(result: RunResult) -> Iterator[tuple[str, str]]:
    found = [(trouble.failure, trouble.clusters) for trouble in troubles(result)]
    if result.error is not None:
        found.insert(0, (result.error, ()))
    for failure, clusters in found[:_FAILURES]:
        same = f" (the same on {len(clusters)} clusters)" if len(clusters) > 1 else ""
        yield f"- **{inline(failure.message)}**{same}", ""
    if len(found) > _FAILURES:
        yield f"- and {len(found) - _FAILURES} more failures", ""


def _counts(cluster: ClusterResult) -> tuple[int, ...]:
    words = [item.did for item in cluster.objects]
    did = [words.count(word) for word in ("created", "changed", "deleted", "drifted")]
    return (*did, sum(not item.checked for item in cluster.objects), len(cluster.failures))


def _table(result: RunResult) -> str:
    """A row for all clusters that have the same numbers; those with failures first."""
    rows: dict[tuple[int, ...], list[str]] = {}
    for cluster in result.clusters:
        rows.setdefault(_counts(cluster), []).append(cluster.name)
    shown = sorted(rows.items(), key=lambda row: (-row[0][-1], -len(row[1])))
    lines = ["| clusters | " + " | ".join(_COLUMNS) + " |", "|---|" + "---:|" * len(_COLUMNS)]
    for counts, names in shown[:_ROWS]:
        lines.append(f"| {inline(named(tuple(names), _NAMES))} | " + " | ".join(map(str, counts)) + " |")
    more = [f"\nand {len(shown) - _ROWS} more rows"] if len(shown) > _ROWS else []
    return "\n".join([*lines, *more])


def _change(change: Change, result: RunResult) -> tuple[str, str]:
    everywhere = len(change.clusters) == len(result.clusters) > 1
    where = f"all {len(change.clusters)} clusters" if everywhere else named(change.clusters, _NAMES)
    title = f"{change.did} {change.title} on {where}" + (f" ({change.why})" if change.why else "")
    short = f"- {inline(title)}"
    if not change.diff:
        return short, short
    diff = change.diff
    if len(diff) > _LONGEST_DIFF:
        kept = diff[:_LONGEST_DIFF].rpartition("\n")[0]
        diff = f"{kept}\n\\ {diff.count(chr(10)) - kept.count(chr(10))} more lines are left out"
    summary = f"<details><summary>{in_element(title)}</summary>"
    return "\n".join([summary, "", fenced(diff, "diff"), "", "</details>"]), short


def _remarks(result: RunResult) -> Iterator[tuple[str, str]]:
    lines = [inline(warning) for warning in result.warnings]
    leftovers: dict[str, list[str]] = {}
    for cluster in result.clusters:
        for key in cluster.leftovers:
            leftovers.setdefault(str(key), []).append(cluster.name)
        lines += [f"{inline(cluster.name)}: {inline(note)}" for note in cluster.notes]
    lines += [
        f"left over, no longer in the folder: {inline(key)} on {inline(named(tuple(names), _NAMES))}"
        for key, names in leftovers.items()
    ]
    for line in lines[:_REMARKS]:
        yield f"- {line}", ""
    if len(lines) > _REMARKS:
        yield f"- and {len(lines) - _REMARKS} more to know", ""
