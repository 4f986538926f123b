# SPDX-License-Identifier: MIT
"""What a change does to an object, as unified YAML: without what servers add, and without secrets. Pure."""

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final

from kit_deployer import objects
from kit_deployer.objects import Json, Key

MASK: Final = "***"

_NOISE: Final = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
_ANNOTATION_NOISE: Final = objects.WRITTEN_ANNOTATIONS | {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
}
_CREDENTIAL: Final = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key|auth$", re.IGNORECASE
)


def unified(key: Key, before: Json | None, after: Json | None, secrets: Iterable[str] = ()) -> str:
    """The difference between two states of an object; None is not being there. Empty where there is none.

    `secrets` are JSON pointers of values that must not be seen, beside those that are masked anyway: everything in a
    Secret, and literals whose name looks like a credential's. A masked value that changes is visible as changed.
    """
    old, new = masked(before, after, [_steps(pointer) for pointer in secrets])
    lines = difflib.unified_diff(
        _yaml(old),
        _yaml(new),
        f"live: {key}",
        f"result: {key}" if after is not None else f"deleted: {key}",
        lineterm="",
    )
    return "\n".join(lines)


def masked(before: Json | None, after: Json | None, secrets: list[list[str]]) -> tuple[Json | None, Json | None]:
    """Both states without noise and with every secret replaced by marks that tell only whether it changed."""
    old, new = clean(before), clean(after)
    is_secret = "Secret" in {(state or {}).get("kind") for state in (old, new)}
    pair = _mask(old, new, (), secrets, is_secret)
    return pair[0], pair[1]


def clean(body: Json | None) -> Json | None:
    """An object without what the server and the deployer write down for themselves."""
    if body is None:
        return None
    metadata = {name: value for name, value in body["metadata"].items() if name not in _NOISE}
    annotations = {
        name: value
        for name, value in (metadata.pop("annotations", None) or {}).items()
        if name not in _ANNOTATION_NOISE
    }
    if annotations:
        metadata["annotations"] = annotations
    rest = {name: value for name, value in body.items() if name not in {"status", "metadata"}}
    return {"apiVersion": rest.pop("apiVersion", None), "kind": rest.pop("kind", None), "metadata": metadata, **rest}


_ABSENT: Final = object()


def _mask(old: Any, new: Any, path: tuple[str, ...], secrets: list[list[str]], secret: bool) -> tuple[Any, Any]:
    if _hidden(path, old, new, secrets, secret):
        return _marks(old, new)
    if isinstance(old, dict) or isinstance(new, dict):
        return _mask_maps(old, new, path, secrets, secret)
    if isinstance(old, list) or isinstance(new, list):
        return _mask_lists(old, new, path, secrets, secret)
    return old, new


def _mask_maps(old: Any, new: Any, path: tuple[str, ...], secrets: list[list[str]], secret: bool) -> tuple[Any, Any]:
    before, after = (side if isinstance(side, dict) else {} for side in (old, new))
    left, right = {}, {}
    for name in [*before, *(name for name in after if name not in before)]:
        one, two = before.get(name, _ABSENT), after.get(name, _ABSENT)
        one, two = _mask(one, two, (*path, str(name)), secrets, secret)
        if one is not _ABSENT:
            left[name] = one
        if two is not _ABSENT:
            right[name] = two
    return left if isinstance(old, dict) else old, right if isinstance(new, dict) else new


def _mask_lists(old: Any, new: Any, path: tuple[str, ...], secrets: list[list[str]], secret: bool) -> tuple[Any, Any]:
    """Items are matched by their name where all have one, else by their place."""
    before, after = (_keyed(side) if isinstance(side, list) else {} for side in (old, new))
    places = {key: str(index) for index, key in enumerate(before)} | {
        key: str(index) for index, key in enumerate(after)
    }
    pairs = {}
    for key, place in places.items():
        item_path = (*path, place)
        hidden = secrets
        if path and path[-1] == "env" and isinstance(key, str) and _CREDENTIAL.search(key):
            hidden = [*secrets, [*item_path, "value"]]
        pairs[key] = _mask(before.get(key, _ABSENT), after.get(key, _ABSENT), item_path, hidden, secret)
    left, right = [pairs[key][0] for key in before], [pairs[key][1] for key in after]
    return left if isinstance(old, list) else old, right if isinstance(new, list) else new


def _keyed(items: list[Any]) -> dict[Any, Any]:
    named = {item["name"]: item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)}
    return named if len(named) == len(items) else dict(enumerate(items))


def _hidden(path: tuple[str, ...], old: Any, new: Any, secrets: list[list[str]], secret: bool) -> bool:
    if not path:
        return False
    if secret and path[0] == "data" and len(path) == 2:
        return True
    if list(path) in secrets:
        return True
    texts = [isinstance(side, str) for side in (old, new) if side is not _ABSENT]
    return all(texts) and bool(_CREDENTIAL.search(path[-1])) and not path[-1].endswith(("Name", "Ref"))


def _marks(old: Any, new: Any) -> tuple[Any, Any]:
    if old == new or old is _ABSENT or new is _ABSENT:
        return MASK if old is not _ABSENT else old, MASK if new is not _ABSENT else new
    return f"{MASK} (before)", f"{MASK} (after)"


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.lstrip("/").split("/")]


def _yaml(body: Json | None) -> list[str]:
    if body is None:
        return []
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(body, Dumper=dumper, sort_keys=False, allow_unicode=True, width=200, default_flow_style=False)
    return text.splitlines()
