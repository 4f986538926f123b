# SPDX-License-Identifier: MIT
"""The message for Slack's incoming webhooks: short, and what failed first.

Slack takes 150 characters in a header, 3,000 in a section, 50 blocks, and some 13,000 characters in all of them.
"""

from typing import Final

from kit_deployer.objects import Json
from kit_deployer.report.markdown import headline, tail
from kit_deployer.report.same import Trouble, changes, troubles
from kit_deployer.report.words import counted, duration, named, plain
from kit_deployer.result import COLUMNS, RunResult

_TROUBLES: Final = 4
_LINES: Final = 8
_LOG: Final = 1_000
_SENTENCE: Final = 900
_CHANGES: Final = 6


def slack(result: RunResult, *, job_url: str | None = None) -> Json:
    """The body of the request. The result's texts must be masked already. `job_url` is the CI's page of the run."""
    title = headline(result)
    sign = ":red_circle:" if result.exit_code else ":large_green_circle:"
    blocks: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": f"{sign} {title}"[:150], "emoji": True}}
    ]
    found = troubles(result)
    if result.error is not None:
        found.insert(0, Trouble(failure=result.error, clusters=()))
    blocks += [_section(_trouble(trouble)) for trouble in found[:_TROUBLES]]
    if len(found) > _TROUBLES:
        blocks.append(_section(f"and {len(found) - _TROUBLES} more failures"))
    changed = changes(result)
    if changed:
        names = tuple(f"{change.did} {change.title}" for change in changed)
        blocks.append(_section(_safe(named(names, _CHANGES))[:2_000]))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _facts(result, job_url)}]})
    return {"text": f"kit-deployer: {_safe(title)}", "blocks": blocks}


def _trouble(trouble: Trouble) -> str:
    failure = trouble.failure
    text = f"*{_emphasised(failure.message[:_SENTENCE])}*"
    if len(trouble.clusters) > 1:
        text += f"\nthe same on {len(trouble.clusters)} clusters: {_safe(named(trouble.clusters, 8))[:400]}"
    block = "\n".join(tail(failure)[-_LINES:])[-_LOG:] or "\n".join(failure.events)[:_LOG]
    if block.strip():
        text += "\n```\n" + _safe(block).replace("```", "'''") + "\n```"
    return text[:2_900]


def _facts(result: RunResult, job_url: str | None) -> str:
    totals = {name: sum(cluster.counts[name] for cluster in result.clusters) for name in COLUMNS}
    counts = ", ".join(f"{number} {name}" for name, number in totals.items() if number) or "no objects"
    facts = [counted(len(result.clusters), "cluster"), counts, duration(result.seconds)]
    commits = tuple(dict.fromkeys(cluster.commit[:12] for cluster in result.clusters if cluster.commit))
    if commits:
        facts.append(f"commit {_safe(named(commits, 3))}")
    if job_url and job_url.startswith(("https://", "http://")):
        facts.append(f"<{_safe(job_url).replace('|', '%7C')}|log>")
    return " · ".join(facts)[:2_000]


def _section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _safe(text: str) -> str:
    """Slack's three characters that begin markup, mentions (`<!channel>`) and links."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _emphasised(text: str) -> str:
    """Text between two asterisks: on one line, and without an asterisk of its own."""
    return " ".join(_safe(text).split()).replace("*", "∗").replace("`", "'")
