# SPDX-License-Identifier: MIT
"""fast-rollback: every deploy has Deployments of its own, which live beside the previous ones. Services switch from one
to the other, so that going back is a matter of moments: the pods are still there.
"""

import copy
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from kit_core.errors import InputError
from kit_deployer import objects
from kit_deployer.desired.annotate import ID, STRATEGY, Declared, configuration, configuration_sha1
from kit_deployer.desired.scaling import Scaled
from kit_deployer.objects import FREEZE, Json, Key, annotations_of, at, key_of, labels_of
from kit_deployer.plan.compare import differences, show_path
from kit_deployer.strategies.model import DEPLOYMENT, OTHER, identities, identity, others, serving_replicas

RESERVE: Final = 3
"""How many Deployments older than the chosen one are kept, as the original kept them."""

_NAMED: Final = 3


class FastRollback:
    """See the module and `Strategy`."""

    name = "fast-rollback"
    guarded = True

    def switches(self, item: Declared, live: Json | None) -> bool:
        """As with rolling-update; and what scales or protects the serving version goes with its Service."""
        return (item.serves or item.follows) and live is not None

    def settled(self, item: Declared, live: Json, scaled: frozenset[Scaled]) -> str:
        """A Deployment with this deploy id is there already. Raises `InputError` where it has another content."""
        if item.key.group_kind != DEPLOYMENT:
            return ""
        key = item.key
        why = _other_content(item, live, scaled=(key.namespace, key.kind, key.name) in scaled)
        if why:
            place = item.manifest.place
            raise InputError(
                f"{key} is there already, with another content",
                where=str(place),
                why=f"{why}. A deploy id stands for one content, so that going back to it brings back what it was",
                hint="Deploy this with a DEPLOY_ID of its own. Nothing was touched on this cluster.",
                file=place.file,
                line=place.line,
            )
        return "it is there already"

    def replicas(self, item: Declared, deployments: Iterable[Json], services: Iterable[Json]) -> int | None:
        """As many as the version that serves now: it takes over all of its requests at once."""
        return serving_replicas(item, deployments, services)

    def outdated(self, items: Sequence[Declared], deployments: Sequence[Json]) -> dict[Key, str]:
        """Those created later than the chosen ones, the older ones but the newest, and what another strategy left."""
        gone = {key_of(live): OTHER for live in others(items, deployments, self.name)}
        created = {key_of(live): _created(live) for live in deployments}
        groups: dict[Key, list[Json]] = {}
        ours = identities(items)
        for live in self.versions(items, deployments):
            if FREEZE not in annotations_of(live):
                groups.setdefault(ours[identity(live)].key, []).append(live)
        for chosen, versions in groups.items():
            # One that the run creates is later than all others.
            moment = created.get(chosen, "")
            later = [live for live in versions if moment and _created(live) > moment]
            gone |= {key_of(live): f"deployed later than {chosen.name}" for live in later}
            older = sorted((live for live in versions if live not in later), key=_age, reverse=True)
            gone |= {key_of(live): f"older than the {RESERVE} that are kept in reserve" for live in older[RESERVE:]}
        return gone

    def versions(self, items: Sequence[Declared], deployments: Iterable[Json]) -> list[Json]:
        """The Deployments of other deploys: same `name`, original name and strategy."""
        ours, kept = identities(items), {item.key for item in items}
        return [
            live
            for live in deployments
            if key_of(live) not in kept and labels_of(live).get(STRATEGY) == self.name and identity(live) in ours
        ]


def _created(live: Json) -> str:
    return at(live, "metadata", "creationTimestamp") or ""


def _age(live: Json) -> tuple[str, str]:
    # Times are whole seconds: the name decides between two of the same, so that every run decides alike.
    return _created(live), key_of(live).name


def _other_content(item: Declared, live: Json, *, scaled: bool) -> str:
    """What tells the live Deployment from the manifest; empty where it was made from the same."""
    labels, annotations = labels_of(live), annotations_of(live)
    if labels.get(STRATEGY) != FastRollback.name or labels.get(ID) != labels_of(item.body).get(ID):
        return "it was not deployed with this strategy and deploy id"
    if annotations.get(objects.ORIGINAL_NAME) != item.original_name:
        return f"it was deployed from a manifest named {annotations.get(objects.ORIGINAL_NAME)}"
    text = configuration(item.manifest)
    if annotations.get(objects.LAST_APPLIED_SHA1) == configuration_sha1(text):
        return ""
    try:
        before = json.loads(annotations.get(objects.LAST_APPLIED) or "null")
    except ValueError:
        before = None
    if not isinstance(before, dict):
        return "its content has another hash"
    old, new = (_content(body, scaled=scaled) for body in (before, json.loads(text)))
    # As text: to Python, true is 1.
    if json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True):
        return ""
    paths = list(dict.fromkeys(map(show_path, [*differences(new, old), *differences(old, new)])))
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"it differs in {', '.join(paths[:_NAMED])}{more}" if paths else "it differs in how values are written"


def _content(body: Json, *, scaled: bool) -> Json:
    """A manifest without what says nothing about its pods: marks for the deployer, and a number that others rule."""
    body = copy.deepcopy(body)
    metadata = body.get("metadata") or {}
    annotations = metadata.pop("annotations", None) or {}
    rest = {
        name: value
        for name, value in annotations.items()
        if not name.startswith("kit-deployer/") and name != objects.UUID
    }
    if rest:
        metadata["annotations"] = rest
    if scaled and isinstance(body.get("spec"), dict):
        body["spec"].pop("replicas", None)
    body.pop("status", None)
    return body


def refusal(seen: Json, live: Json | None, *, wanted: Json, now: str, force: bool = False) -> str:
    """Why a Service must not be switched any more; empty where it may be.

    `seen` is the Service as the plan knows it, `live` as it is now, `wanted` as this run wants it, `now` the time of
    this run: one that began later is newer. Anybody else who changed the selector meanwhile had a reason of their own.
    `force` disregards a later time that the plan has seen already: one of the clocks may be wrong.
    """
    if live is None:
        return ""
    before, after = _updated(seen), _updated(live)
    ours = _moment(now)
    if after and ours and after > ours and not (force and after == before):
        return f"a newer run changed it at {annotations_of(live).get(objects.LAST_UPDATED)}; this one began at {now}"
    selectors = [at(body, "spec", "selector") for body in (seen, live, wanted)]
    if selectors[1] not in (selectors[0], selectors[2]) and before == after:
        return "somebody changed its selector while this run was waiting"
    return ""


def _updated(service: Json) -> datetime | None:
    return _moment(annotations_of(service).get(objects.LAST_UPDATED) or "")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
