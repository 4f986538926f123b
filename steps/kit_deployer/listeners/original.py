# SPDX-License-Identifier: MIT
"""What AVAILABLE_WEBHOOK is told of each resource: the original's payload, key for key, so that receivers carry on.

The original left keys without a value out of its JSON (`url`, `build.number`, `build.log` and the like); so do we.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kit_deployer.objects import Json
from kit_deployer.report.matrix import outcome
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult

_TOOK_PART = frozenset({"created", "changed", "failed"})

Phase = Literal["STARTED", "COMPLETED"]
Status = Literal["IN_PROGRESS", "SUCCESS", "FAILURE"]


@dataclass(frozen=True)
class News:
    """What became of one resource. `reason` is why it failed, in a sentence."""

    name: str
    phase: Phase
    status: Status
    reason: str | None = None


def payload(news: News, *, uuid: str | None, revert: bool, progress: Json) -> Json:
    """The body of a request to `<url>/<name>`."""
    told = {"reason": news.reason} if news.reason else {}
    return {
        "uuid": uuid,
        "name": "kubernetes-deploy",
        "provider": "CodeShip/Kubernetes",
        "build": {
            "phase": news.phase,
            "status": news.status,
            **told,
            "progress": progress,
            "scm": {},
            "parameters": {"REVERT": "true" if revert else "false"},
            "artifacts": {},
        },
    }


def progress(clusters: Sequence[str], over: Sequence[ClusterResult]) -> Json:
    """How far the run is, as the original counted it."""
    done = {cluster.name: cluster for cluster in over}
    failed = [name for name in clusters if name in done and (done[name].exit_code or not done[name].finished)]
    return {
        "percent": len(done) / len(clusters) if clusters else 1,
        "clusters": {
            "total": len(clusters),
            "completed": len(done),
            "found": list(clusters),
            "remaining": [name for name in clusters if name not in done],
            "successful": [name for name in clusters if name in done and name not in failed],
            "failed": failed,
        },
    }


def news_of(result: RunResult, begun: Sequence[str] = ()) -> list[News]:
    """What became of every resource that the run applied or that is not healthy; `begun` are told of in any case.

    One that failed on any cluster has failed, and so has one that did not come to its turn. What is there and healthy
    already is no news.
    """
    found: dict[str, str | None] = dict.fromkeys(begun)
    wanted = {*begun, *(item.told_as for cluster in result.clusters for item in cluster.objects if _news(item))}
    for cluster in result.clusters:
        for item in cluster.objects:
            if item.told_as not in wanted:
                continue
            reason = _reason(cluster, item)
            found[item.told_as] = found.get(item.told_as) or reason
    return [
        News(name, "COMPLETED", "FAILURE" if reason else "SUCCESS", reason) for name, reason in found.items() if name
    ]


def _news(item: ObjectResult) -> bool:
    return item.did in _TOOK_PART or outcome(item) == "failed"


def _reason(cluster: ClusterResult, item: ObjectResult) -> str | None:
    if outcome(item) == "failed":
        own = (failure for failure in cluster.failures if failure.object == item.key)
        return next((failure.message for failure in own), f"{cluster.name}: {item.key} failed: {item.health_why}")
    if item.did == "not done":
        return f"{cluster.name}: {item.key} was not done{_since(cluster.failures)}"
    if not cluster.finished:
        return f"{cluster.name}: the run ended before {item.key} was known to be healthy"
    return None


def _since(failures: Sequence[Failure]) -> str:
    return f", since: {failures[0].message}" if failures else ""
