# SPDX-License-Identifier: MIT
"""What the index says of a plan, with lines of the index before it where they still hold."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from kit_deploymentizer.output.file import Output
from kit_deploymentizer.output.index import Index, head_in, head_of, index_text, lines_of, with_entries, with_head
from kit_deploymentizer.plan import ClusterPlan

NOTHING: Final[Mapping[str, Mapping[str, Any]]] = {
    part: {} for part in ("files", "secrets", "objects", "made", "digests")
}
"""The parts of an index that has not been made yet."""


def body_of(plan: ClusterPlan, there: bytes | None) -> dict[str, dict[str, Any]]:
    """All parts. `there` is the index before."""
    files, objects = (lines_of(there, part) if there else {} for part in ("files", "objects"))
    return {
        "files": {
            one.path: (one.kept and files.get(one.path)) or _facts(one, len(plan.inputs)) for one in plan.outputs
        },
        "secrets": {output.path: output.pointers for output in plan.outputs if output.pointers},
        "objects": {
            one.path: (one.kept and objects.get(one.path)) or one.objects for one in plan.outputs if one.objects
        },
        "made": dict(plan.made),
        "digests": dict(plan.digests),
    }


def begun(cluster: str, raw: bytes | None) -> bytes:
    """The index `raw`, if there was one, saying that a run is at work and may be cut off."""
    old = (head_in(raw) if raw is not None else None) or {}
    head = head_of(
        cluster,
        commit=old.get("commit"),
        complete=False,
        placeholders=bool(old.get("placeholders")),
        clean=bool(old.get("clean", True)),
        inputs=old.get("inputs") or (),
    )
    return (with_head(raw, head) if raw is not None and old else None) or index_text(head, NOTHING)


def changed_in(raw: bytes, plan: ClusterPlan, head: Index) -> bytes | None:
    """The index `raw` with what the plan rendered again, if anything; None where it is not laid out as ours."""
    changed = {file: plan.digests[file] for file in plan.rest.changed} if plan.rest else {}
    files = {output.path: _facts(output, len(plan.inputs)) for output in plan.outputs if not output.kept}
    return with_entries(raw, head, {"files": files, "digests": changed})


def add_others(body: dict[str, dict[str, Any]], resource: str, old: Index) -> bool:
    """Add what the index said of other resources' files, for a run about one; whether it said anything.

    What they were made from is left out where it is not the same any more as what this run's resource was made from.
    """
    others = {name: facts for name, facts in old.get("files", {}).items()
              if facts.get("resource") != resource and name not in body["files"]}  # fmt: skip
    for part in ("secrets", "objects"):
        body[part] |= {name: value for name, value in old.get(part, {}).items() if name in others}
    body["files"] |= others
    now, before = body["digests"], old.get("digests", {})
    changed = {file for file, digest in now.items() if before.get(file, digest) != digest}
    torn = {facts.get("resource") for facts in others.values() if not changed.isdisjoint(facts.get("inputs") or ())}
    named = {facts.get("resource") for facts in others.values()} - torn
    body["made"] |= {name: key for name, key in old.get("made", {}).items() if name in named}
    body["digests"] = {**before, **now}
    return bool(others)


def _facts(output: Output, common: int) -> Mapping[str, Any]:
    """Of its inputs, those beside the cluster's."""
    digest = output.kept.sha256 if output.kept else hashlib.sha256(output.content).hexdigest()
    return {"sha256": digest, "resource": output.resource, "inputs": output.inputs[common:]}
