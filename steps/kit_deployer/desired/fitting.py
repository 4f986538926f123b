# SPDX-License-Identifier: MIT
"""An object without what is not the deployer's to set. Pure."""

from dataclasses import replace

from kit_deployer.desired.annotate import Declared
from kit_deployer.desired.scaling import Scaled
from kit_deployer.objects import Json, at, labels_of
from kit_deployer.strategies.model import DEPLOYMENT


def fit(
    item: Declared, live: Json | None, scaled: frozenset[Scaled], *, replicas: int | None = None
) -> tuple[Declared, str]:
    """The object without what is not ours to set, and a note where that needs telling.

    `replicas` belong to the autoscaler where there is one; those given are what a new workload begins with. A live
    Deployment's selector cannot be changed: where it lacks only what the deployer adds, it is kept.
    """
    spec = item.body.get("spec")
    if is_scaled(item, scaled) and isinstance(spec, dict) and ("replicas" in spec or replicas is not None):
        rest = {name: value for name, value in spec.items() if name != "replicas"}
        rest |= {"replicas": replicas} if replicas is not None else {}
        item = replace(item, body={**item.body, "spec": rest})
    if live is None or item.key.group_kind != DEPLOYMENT:
        return item, ""
    wanted, found = at(item.body, "spec", "selector"), at(live, "spec", "selector")
    if wanted == found or not found or not _is_contained(found, wanted, item):
        return item, ""
    note = f"{item.key} keeps its selector, which cannot be changed; Services find its pods by their labels"
    return replace(item, body={**item.body, "spec": {**item.body["spec"], "selector": found}}), note


def _is_contained(found: Json, wanted: Json, item: Declared) -> bool:
    """Whether the live selector is the manifest's, short of labels that the deployer adds."""
    live, ours = found.get("matchLabels") or {}, wanted.get("matchLabels") or {}
    ours = {**labels_of(at(item.body, "spec", "template") or {}), **ours}
    written = at(item.manifest.body, "spec", "selector", "matchLabels") or {}
    same_rest = (found.get("matchExpressions") or []) == (wanted.get("matchExpressions") or [])
    return same_rest and live.items() <= ours.items() and (written.items() <= live.items())


def is_scaled(item: Declared, scaled: frozenset[Scaled]) -> bool:
    """Whether an autoscaler rules the object's `replicas`."""
    key = item.key
    return (key.namespace, key.kind, key.name) in scaled
