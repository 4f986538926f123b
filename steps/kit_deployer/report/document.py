# SPDX-License-Identifier: MIT
"""The result as plain JSON values: `report.json`. Keys are only ever added within a major version."""

from typing import Any

from kit_deployer.objects import Json, Key, Place
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult


def document(result: RunResult) -> Json:
    """The document; `schemas/report.schema.json` describes it."""
    return {
        "version": 1,
        "result": result.word,
        "exit_code": result.exit_code,
        "dry_run": result.dry_run,
        "read_only": result.read_only,
        "started": result.started,
        "seconds": round(result.seconds, 3),
        "warnings": list(result.warnings),
        "error": _failure(result.error) if result.error else None,
        "clusters": [_cluster(cluster) for cluster in result.clusters],
    }


def _cluster(cluster: ClusterResult) -> Json:
    return {
        "name": cluster.name,
        "server": cluster.server,
        "namespace": cluster.namespace,
        "commit": cluster.commit,
        "exit_code": cluster.exit_code,
        "finished": cluster.finished,
        "may_fail": cluster.may_fail,
        "begun": round(cluster.begun, 3),
        "seconds": round(cluster.seconds, 3),
        "requests": cluster.requests,
        "counts": dict(cluster.counts),
        "objects": [_object(item) for item in cluster.objects],
        "failures": [_failure(failure) for failure in cluster.failures],
        "leftovers": [_key(key) for key in cluster.leftovers],
        "reserves": [_key(key) for key in cluster.reserves],
        "not_restarted": [
            {"workload": _key(workload), "configuration": _key(configuration)}
            for workload, configuration in cluster.restarts
        ],
        "notes": list(cluster.notes),
    }


def _object(item: ObjectResult) -> Json:
    health: Json | None = {"state": item.health, "why": item.health_why} if item.health else None
    return {
        **_key(item.key),
        "result": item.did,
        "why": item.why,
        "checked_by_server": item.checked,
        "not_checked": item.unchecked,
        "place": _place(item.place),
        "health": health,
        "diff": item.diff,
        "seconds": round(item.seconds, 3),
        "done_at": _at(item.done_at),
        "healthy_at": _at(item.healthy_at),
    }


def _failure(failure: Failure) -> Json:
    return {
        "message": failure.message,
        "exit_code": failure.exit_code,
        "object": _key(failure.object) if failure.object else None,
        "place": _place(failure.place),
        "reason": failure.reason,
        "pod": failure.pod,
        "container": failure.container,
        "events": list(failure.events),
        "logs": failure.logs,
    }


def _key(key: Key) -> Json:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


def _at(moment: float | None) -> float | None:
    return None if moment is None else round(moment, 3)


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line} if place else None
