# SPDX-License-Identifier: MIT
"""A difference as people, forges and programs read it. Pure."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Final

from kit_core.render import commandless
from kit_deploymentizer.diff.difference import Change, Difference

LIMIT: Final = 65_536
"""Characters that forges take in a comment."""
_FEW: Final = 5
_WORDS: Final = {"added": "is added", "changed": "changes", "removed": "is removed"}
_RESERVE: Final = 500
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_FENCES: Final = re.compile(r"`{3,}")


def summary(difference: Difference, against: str) -> str:
    """One sentence."""
    if not difference:
        return f"No manifest differs from {against}."
    count = {kind: sum(len(change.clusters) for change in difference.changes if change.kind == kind) for kind in _WORDS}
    told = [f"{count[kind]} {kind}" for kind in ("changed", "added", "removed") if count[kind]]
    clusters = len(difference.clusters)
    where = f"{clusters} cluster{'s' if clusters != 1 else ''}"
    return f"Manifests compared with {against}: {', '.join(told) or 'none changed'}, in {where}."


def _news(difference: Difference, shown: Callable[[str], str] = str) -> list[str]:
    told = []
    if difference.new:
        told.append(f"New clusters: {', '.join(map(shown, difference.new))}.")
    if difference.gone:
        told.append(f"Clusters that are gone: {', '.join(map(shown, difference.gone))} (nothing is deleted there).")
    return told


def as_text(difference: Difference, against: str) -> str:
    """Unified, each change once below the clusters that have it; the first cluster's surroundings are shown."""
    parts = [summary(difference, against), *_news(difference)]
    for change in difference.changes:
        head = f"{change.path} {_WORDS[change.kind]} in {', '.join(change.clusters)}"
        parts += ["", head, *_unified(change)]
    return commandless("\n".join(parts) + "\n")


def _unified(change: Change) -> list[str]:
    name = f"{change.clusters[0]}/{change.path}"
    before = "/dev/null" if change.kind == "added" else f"a/{name}"
    after = "/dev/null" if change.kind == "removed" else f"b/{name}"
    return [f"--- {before}", f"+++ {after}", *change.lines]


def as_markdown(difference: Difference, against: str, *, limit: int = LIMIT) -> str:
    """For a comment of a pull request: at most `limit` characters, what does not fit is counted."""
    head = "\n\n".join([f"### {summary(difference, against)}", *_news(difference, _named)]) + "\n"
    if len(head) > limit - _RESERVE:
        head = f"### {summary(difference, against)}\n\nMore clusters are new or gone than can be named here.\n"
    parts, room = [head], limit - _RESERVE - len(head)
    left: list[Change] = []
    for change in difference.changes:
        section = _section(change, change.lines)
        if len(section) > room and not left and room > 2 * _RESERVE:
            section = _section(change, _first(change.lines, room - len(_section(change, ())) - _RESERVE))
        if left or len(section) > room:
            left.append(change)
            continue
        parts.append(section)
        room -= len(section)
    if left:
        files, clusters = sum(len(change.clusters) for change in left), {one for each in left for one in each.clusters}
        parts.append(
            f"\n_{len(left)} more changes (of {files} files, in {len(clusters)} clusters) are not shown: a comment"
            f" holds {limit:,} characters. `kit-deploymentizer diff` shows them all._\n"
        )
    return "".join(parts)


def _section(change: Change, lines: Iterable[str]) -> str:
    clusters = [_named(name) for name in change.clusters]
    if len(clusters) > _FEW:
        names = f"{len(clusters)} clusters\n\n<details><summary>which</summary>\n\n{', '.join(clusters)}\n\n</details>"
    else:
        names = ", ".join(clusters)
    body = commandless("\n".join(lines))
    longest = max((len(found) for found in _FENCES.findall(body)), default=2)
    fence = "`" * (longest + 1)
    return f"\n**{_named(change.path)}** {_WORDS[change.kind]} in {names}\n\n{fence}diff\n{body}\n{fence}\n"


def _named(name: str) -> str:
    """A name that Markdown, or a forge that notifies people, would make something of, as code."""
    if _PLAIN.fullmatch(name):
        return name
    fence = "``" if "`" in name else "`"
    return f"{fence} {name} {fence}"


def _first(lines: tuple[str, ...], room: int) -> list[str]:
    """As many lines as fit, and how many more there are."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return [*kept, f"… {len(lines) - len(kept)} more lines"] if len(kept) < len(lines) else kept


def as_json(difference: Difference, against: str) -> str:
    """One JSON object."""
    content = {
        "against": against,
        "files": difference.files,
        "clusters": difference.clusters,
        "new": difference.new,
        "gone": difference.gone,
        "changes": [
            {
                "path": change.path,
                "kind": change.kind,
                "clusters": change.clusters,
                "diff": "\n".join(_unified(change)) + "\n",
            }
            for change in difference.changes
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False)
