# SPDX-License-Identifier: MIT
"""`report.html`: the whole run on one page that needs nothing else, not even a network, and works without JavaScript.

The page is the template `page.html.j2` with `page.css` and `page.js` in it. jinja2 escapes every value; no value goes
into the style or the script, and the page's content security policy lets no others run. A large fleet still makes a
page that a browser opens: what is the same on many clusters is there once, and what exceeds a budget is counted.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kit_deployer.objects import Key
from kit_deployer.report.markdown import facts_of, headline
from kit_deployer.report.matrix import SIGNS, matrix, outcome
from kit_deployer.report.same import Change, Trouble, change_id, changes, troubles
from kit_deployer.report.table import in_reserve, remarks, undone
from kit_deployer.report.timeline import details, lines, ticks
from kit_deployer.report.words import cleaned, duration, named
from kit_deployer.result import COLUMNS, RunResult

_HERE: Final = Path(__file__).parent

# In characters. Together with a matrix of CELLS and a thousand clusters they stay under 5 MB.
_DIFFS: Final = 900_000
_ONE_DIFF: Final = 60_000
_LOGS: Final = 400_000
_CHANGES: Final = 1_500
_TROUBLES: Final = 300
_REMARKS: Final = 500
_NAMES: Final = 20
_ALL_NAMES: Final = 40_000


@dataclass(frozen=True)
class _Entry:
    """A change or a failure on the page, with as much of its text as there is room for."""

    id: str
    of: Any
    clusters: str
    text: str
    cut: bool = False
    filtered_by: str = ""


def page(result: RunResult) -> str:
    """The page. The result's texts must be masked already."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(_HERE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"duration": duration, "facts": facts_of}
    result = cleaned(result)
    found, failed = changes(result), _all_troubles(result)
    shown = _changes(found, len(result.clusters))
    broken = _troubles(failed)
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return environment.get_template("page.html.j2").render(
        result=result,
        headline=headline(result),
        totals={name: sum(cluster.counts[name] for cluster in result.clusters) for name in COLUMNS},
        commits=named(tuple(dict.fromkeys(cluster.commit for cluster in result.clusters if cluster.commit)), 3),
        troubles=broken,
        more_troubles=len(failed) - len(broken),
        matrix=matrix(result, _targets(result, shown, broken)),
        signs=SIGNS,
        lines=lines(result),
        details=details(result),
        ticks=ticks(result),
        changes=shown,
        more_changes=len(found) - len(shown),
        remarks=list(_remarks(result)),
        style=Markup(style),  # noqa: S704 - ours, and without any value
        script=Markup(script),  # noqa: S704
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'",
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _all_troubles(result: RunResult) -> list[Trouble]:
    own = [Trouble(failure=result.error, clusters=())] if result.error else []
    return [*own, *troubles(result)]


def _changes(found: list[Change], clusters: int) -> list[_Entry]:
    room, entries = _DIFFS, []
    for number, change in enumerate(found[:_CHANGES]):
        text = change.diff[: min(_ONE_DIFF, room)]
        room -= len(text)
        everywhere = len(change.clusters) == clusters > 1
        names = f"all {clusters} clusters" if everywhere else named(change.clusters, _NAMES)
        entries.append(_Entry(f"c{number}", change, names, text, cut=len(text) < len(change.diff)))
    return entries


def _troubles(found: list[Trouble]) -> list[_Entry]:
    room, entries = _LOGS, []
    for number, trouble in enumerate(found[:_TROUBLES]):
        logs = trouble.failure.logs.rstrip()
        # The end of a log tells most.
        text = logs[-room:] if room > 0 else ""
        room -= len(text)
        names = " ".join(trouble.clusters)
        # Where there is no room for the names that a filter would look at, the failure is always shown.
        names = names if len(names) < _ALL_NAMES // (number + 1) else ""
        shown = named(trouble.clusters, 5 * _NAMES)
        entries.append(_Entry(f"f{number}", trouble, shown, text, len(text) < len(logs), names))
    return entries


def _targets(result: RunResult, shown: list[_Entry], broken: list[_Entry]) -> dict[tuple[str, Key], str]:
    """Which part of the page tells more of a cluster's object: its failure, else its change."""
    by_change = {entry.of.id: entry.id for entry in shown}
    targets = {}
    for cluster in result.clusters:
        for item in cluster.objects:
            id_ = change_id(cluster, item)
            if id_ is not None and id_ in by_change:
                targets[cluster.name, item.key] = by_change[id_]
    names = {
        (cluster.name, _nameless(item.key)): item.key
        for cluster in result.clusters
        for item in cluster.objects
        if outcome(item) == "failed"
    }
    for entry in broken:
        key = entry.of.failure.object
        for cluster_name in entry.of.clusters if key else ():
            own = names.get((cluster_name, _nameless(key)))
            if own is not None:
                targets[cluster_name, own] = entry.id
    return targets


def _nameless(key: Key) -> tuple[str, str, str]:
    return key.group, key.kind, key.name


def _remarks(result: RunResult) -> Iterator[tuple[str, str]]:
    """What a person should know beside failures and changes, each once, with the clusters that it is about."""
    found: dict[str, list[str]] = {warning: [] for warning in result.warnings}
    for cluster in result.clusters:
        for text in (*remarks(cluster), *in_reserve(cluster), *cluster.notes):
            found.setdefault(text, []).append(cluster.name)
        left = undone(cluster)
        if left:
            found.setdefault(f"not done: {named(tuple(left), _NAMES)}", []).append(cluster.name)
        elif not cluster.finished and not cluster.objects:
            found.setdefault("not begun; nothing was touched", []).append(cluster.name)
    for text, names in list(found.items())[:_REMARKS]:
        yield text[:2000], named(tuple(names), _NAMES)
    if len(found) > _REMARKS:
        yield f"and {len(found) - _REMARKS} more, in report.json", ""
