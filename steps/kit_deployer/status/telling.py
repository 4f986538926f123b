# SPDX-License-Identifier: MIT
"""How clusters are, as people read it and as machines do. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from kit_deployer.health.explain import main_finding
from kit_deployer.health.model import Verdict
from kit_deployer.objects import Json, Key
from kit_deployer.report.words import counted, plain
from kit_deployer.status.model import ClusterStatus, FleetStatus, Remark

_SHOWN: Final = 20
_NOBODY: Final = "unknown: nothing was deployed, or not by this deployer"


def said(verdict: Verdict) -> str:
    """Why an object is not healthy, in one line: what is awaited, and the cause with its pod; nothing of it twice."""
    finding = main_finding(verdict)
    if finding is None:
        return verdict.why
    pod = f"pod {finding.pod['metadata']['name']}" if finding.pod else ""
    reason, message = finding.cause.reason, finding.cause.message
    # What is awaited ends with the cause's name where it is still waited for.
    awaited = verdict.why.removesuffix(f"; {reason}" + (f" of {pod}" if pod else ""))
    parts = [part for part in (pod, reason, message) if part and part not in awaited]
    return f"{awaited} ({': '.join(parts)})" if parts else awaited


def text(status: FleetStatus) -> str:
    """A few lines a cluster: commit, when, health, and what is to be said of its objects."""
    return "\n".join(line for cluster in status.clusters for line in _lines(cluster)) + "\n"


def _lines(cluster: ClusterStatus) -> Iterator[str]:
    yield f"{cluster.name}  ({cluster.server}, namespace {cluster.namespace})"
    if cluster.error:
        yield f"  error      {_one_line(cluster.error)}"
        return
    when = f", deployed {cluster.deployed}" if cluster.deployed else ""
    nobody = "unknown: it was deployed without one" if when else _NOBODY
    yield f"  commit     {cluster.commit or nobody}{when}"
    yield f"  health     {cluster.health} ({counted(cluster.objects, 'object')} in the folder)"
    yield from _remarks("unhealthy", cluster.unhealthy)
    yield from _remarks("drifted", cluster.drifted)
    yield from _remarks("undeployed", cluster.undeployed)
    yield from _remarks("leftover", (Remark(key, "") for key in cluster.leftovers))
    yield from _remarks("frozen", cluster.frozen)
    for note in cluster.notes:
        yield f"  note       {_one_line(note)}"


def _remarks(title: str, remarks: Iterable[Remark]) -> Iterator[str]:
    remarks = list(remarks)
    for remark in remarks[:_SHOWN]:
        why = f": {_one_line(remark.why)}" if remark.why else ""
        yield f"  {title:<10} {remark.key}{why}"
    if len(remarks) > _SHOWN:
        yield f"  {title:<10} and {len(remarks) - _SHOWN} more"


def _one_line(text: str) -> str:
    return plain(" ".join(text.split()))


def document(status: FleetStatus) -> Json:
    """The same as JSON; keys are stable."""
    return {
        "version": 1,
        "deviates": status.deviates,
        "clusters": [
            {
                "name": cluster.name,
                "server": cluster.server,
                "namespace": cluster.namespace,
                "commit": cluster.commit,
                "deployed": cluster.deployed,
                "health": cluster.health,
                "objects": cluster.objects,
                "unhealthy": [_remark(remark) for remark in cluster.unhealthy],
                "drifted": [_remark(remark) for remark in cluster.drifted],
                "undeployed": [_remark(remark) for remark in cluster.undeployed],
                "leftovers": [_key(key) for key in cluster.leftovers],
                "frozen": [_remark(remark) for remark in cluster.frozen],
                "notes": list(cluster.notes),
                "error": cluster.error,
            }
            for cluster in status.clusters
        ],
    }


def _remark(remark: Remark) -> Json:
    return {**_key(remark.key), "why": remark.why}


def _key(key: Key) -> Json:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
