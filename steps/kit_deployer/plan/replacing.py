# SPDX-License-Identifier: MIT
"""Which objects may be deleted and created anew where a field of theirs cannot be changed: those that say so with
`kit-deployer/replace`, and never what would take data or everything else with it. Pure.
"""

import re
from typing import Final

from kit_deployer.inputs.manifests import wrong_manifest
from kit_deployer.objects import REPLACE, GroupKind, Json, Key, Manifest, annotations_of, at
from kit_deployer.plan.compare import differences, show_path

LOAD_BALANCER: Final = "load-balancer"
_NEVER: Final = {
    GroupKind("", "PersistentVolumeClaim"): "its data would be deleted",
    GroupKind("", "PersistentVolume"): "its data may be deleted",
    GroupKind("", "Namespace"): "everything in it would be deleted",
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): "every object of its kind would be deleted",
}
_SERVICE: Final = GroupKind("", "Service")
_STATEFUL_SET: Final = GroupKind("apps", "StatefulSet")
_IMMUTABLE: Final = re.compile(
    r"immutable|(?:may|can)\s?not (?:be )?(?:change|update|unset)|updates to .*forbidden|is forbidden to change",
    re.IGNORECASE,
)
_NAMED: Final = 3


def check_replace(manifest: Manifest) -> None:
    """Raise `InputError` where the annotation says something that it cannot mean."""
    text = annotations_of(manifest.body).get(REPLACE)
    if text not in {None, "true", "false", LOAD_BALANCER}:
        raise wrong_manifest(
            manifest.where("metadata", "annotations", REPLACE),
            f'{manifest}: {REPLACE} is {text!r}, and not "true", or "{LOAD_BALANCER}" for a Service',
        )


def is_immutable(message: str) -> bool:
    """Whether the server's refusal says that a field cannot be changed."""
    return _IMMUTABLE.search(message) is not None


def wants_replacing(manifest: Manifest) -> bool:
    """Whether the manifest asks for it."""
    return annotations_of(manifest.body).get(REPLACE) in {"true", LOAD_BALANCER}


def why_not(manifest: Manifest, key: Key, live: Json) -> str:
    """Why an object is not replaced, with what to do; empty where it may be."""
    if key.group_kind in _NEVER:
        return f"A {key.kind} is never replaced, since {_NEVER[key.group_kind]}: undo the change, or do it by hand."
    text = annotations_of(manifest.body).get(REPLACE)
    if key.group_kind == _SERVICE and at(live, "spec", "type") == "LoadBalancer":
        if text != LOAD_BALANCER:
            return (
                f'Undo the change, or let it be replaced with the annotation {REPLACE}: "{LOAD_BALANCER}":'
                " it gets another address then."
            )
    elif not wants_replacing(manifest):
        return f'Undo the change, or let the object be deleted and created anew with the annotation {REPLACE}: "true".'
    return ""


def propagation(key: Key) -> str:
    """How the old object is deleted: a StatefulSet leaves its pods, which the new one takes over."""
    return "Orphan" if key.group_kind == _STATEFUL_SET else "Background"


def changed_fields(wanted: Json, live: Json, causes: list[Json]) -> str:
    """The fields that cannot be changed: as the server names them; where it names none in particular, what differs."""
    named = [str(cause["field"]) for cause in causes if cause.get("field")]
    if not named or named == ["spec"]:
        paths = map(show_path, differences(wanted.get("spec"), live.get("spec"), ("spec",)))
        named = [path for path in paths if not path.startswith(("spec.template", "spec.replicas"))] or named
    shown = list(dict.fromkeys(named))
    return ", ".join(shown[:_NAMED]) + (f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else "")
