# SPDX-License-Identifier: MIT
"""Manifests as they may be shown: without the values of Secrets, of secret sources, and of what looks like a
credential. That a hidden value changed is visible. Pure.

The text itself is masked, at the places that its YAML has, so that a reader sees it as it will be written.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit_core.secrets import MASK
from kit_core.yamlio import YamlError, load_documents
from kit_core.yamlscalars import Scalar, scalars

_CREDENTIAL: Final = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key|access_?key|auth$", re.IGNORECASE
)
_NO_VALUE: Final = ("Name", "Ref", "_NAME", "_FILE", "_PATH")
"""Endings of names that say where a credential lies, not what it is."""
_ASSIGNED: Final = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(?P<sign>[\"']?\s*[:=]\s*)(?P<value>[^\s,;&]+)")
_IN_URL: Final = re.compile(r"(?<=://)(?P<user>[^\s/:@]*):(?P<password>[^\s/@]+)(?=@)")
_CHANGED: Final = f"{MASK} (changed)"
_UNREADABLE: Final = "# This is no YAML, so nothing of it is shown"

Spot = tuple[str | int, ...]
"""Where a hidden value stands: its document's object, then keys, items of lists by their name where they have one."""


def is_credential(name: str) -> bool:
    """Whether a value of this name is probably a credential: `DB_PASSWORD`, `apiKey`, but not `secretName`."""
    return bool(_CREDENTIAL.search(name)) and not name.endswith(_NO_VALUE)


def masked_pair(
    before: str | None,
    after: str | None,
    pointers_before: Collection[str] = (),
    pointers_after: Collection[str] = (),
    *,
    comparable: bool = True,
) -> tuple[str, str]:
    """Both texts of a file with what must not be seen hidden; None is not being there and becomes the empty text.

    The pointers are JSON pointers of values from secret sources; not `comparable`, one side has placeholders there.
    """
    old, new = _read(before, pointers_before), _read(after, pointers_after)
    shown = _shown(before, old, {})
    if old is None and new is None and before is not None and after is not None and before != after:
        return shown, f"{_UNREADABLE} (changed).\n"
    return shown, _shown(after, new, {one.spot: one.value for one in old or () if comparable or not one.pointed})


@dataclass(frozen=True)
class _Hidden:
    """A value, or a part of one, that must not be seen: where it stands in the text and in its object."""

    start: int
    end: int
    spot: Spot
    value: str
    pointed: bool = False


def _shown(text: str | None, hidden: list[_Hidden] | None, former: Mapping[Spot, str]) -> str:
    if text is None:
        return ""
    if hidden is None:
        return f"{_UNREADABLE}.\n"
    parts, position = [], 0
    for one in sorted(hidden, key=lambda one: one.start):
        if one.start < position:  # an alias: hidden where it is defined
            continue
        parts += [text[position : one.start], _CHANGED if former.get(one.spot, one.value) != one.value else MASK]
        position = one.end
    return "".join([*parts, text[position:]])


def _read(text: str | None, pointers: Collection[str]) -> list[_Hidden] | None:
    """What is to be hidden, None where the text cannot be read."""
    if text is None:
        return []
    try:
        documents = load_documents(text, name="")
        found: list[_Hidden] = []
        for number, document in enumerate(documents):
            for top, value in _objects(document.value):
                name = value.get("metadata", {}) if isinstance(value, dict) else {}
                head = (str(value.get("kind")), str(name.get("name"))) if isinstance(name, dict) else (str(number), "")
                rules = _Rules(value, frozenset(pointers))
                for scalar in scalars(document, *top):
                    found += rules.hidden(scalar, (*head, number), text)
    except YamlError:
        return None
    return [*found, *_comments(text, found)]


def _objects(value: Any) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """The objects of a document with the paths to them: itself, or the items of a List."""
    items = value.get("items") if isinstance(value, dict) and value.get("kind") == "List" else None
    if isinstance(items, list):
        yield from ((("items", index), item) for index, item in enumerate(items) if isinstance(item, dict))
    else:
        yield (), value if isinstance(value, dict) else {}


class _Rules:
    """What of one object is hidden."""

    def __init__(self, value: Mapping[str, Any], pointers: frozenset[str]) -> None:
        self._value = value
        self._secret = value.get("kind") == "Secret"
        self._pointers = pointers

    def hidden(self, scalar: Scalar, head: Spot, text: str) -> Iterator[_Hidden]:
        spot = (*head, *self._spot(scalar.path))
        if self._is_whole(scalar):
            end = scalar.start + len(text[scalar.start : scalar.end].rstrip())
            yield _Hidden(scalar.start, end, spot, scalar.text, self._is_pointed(scalar))
            return
        piece = text[scalar.start : scalar.end]
        for number, (start, end) in enumerate(_credentials_in(piece)):
            yield _Hidden(scalar.start + start, scalar.start + end, (*spot, number), piece[start:end])

    def _is_whole(self, scalar: Scalar) -> bool:
        path = scalar.path
        if self._secret and path and path[0] in {"data", "stringData"}:
            return True
        if self._is_pointed(scalar):
            return True
        if not isinstance(scalar.value, str) or not path:
            return False
        name = self._at(path[:-1], "name") if path[-1] == "value" else path[-1]
        return isinstance(name, str) and is_credential(name)

    def _is_pointed(self, scalar: Scalar) -> bool:
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in scalar.path)
        return bool(self._pointers) and "".join(f"/{step}" for step in steps) in self._pointers

    def _spot(self, path: tuple[str | int, ...]) -> Spot:
        """The path with items of lists by their name, so that a new item in front changes nothing of the others."""
        steps: list[str | int] = []
        for depth, step in enumerate(path):
            name = self._at(path[: depth + 1], "name") if isinstance(step, int) else None
            steps.append(f"name={name}" if isinstance(name, str) else step)
        return tuple(steps)

    def _at(self, path: tuple[str | int, ...], key: str) -> Any:
        value: Any = self._value
        for step in path:
            if isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            elif isinstance(value, dict):
                value = value.get(str(step))
            else:
                return None
        return value.get(key) if isinstance(value, dict) else None


def _credentials_in(text: str) -> Iterator[tuple[int, int]]:
    """Credentials within a longer text: `password=…` in the lines of a configuration file, `user:…@` in an address."""
    for found in _ASSIGNED.finditer(text):
        if is_credential(found["name"]) and not found["value"].startswith(("$", "{{")):
            yield found.span("value")
    for found in _IN_URL.finditer(text):
        yield found.span("password")


def _comments(text: str, found: list[_Hidden]) -> Iterator[_Hidden]:
    """Credentials in lines that are comments."""
    if "#" not in text:
        return
    position = 0
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("#") and not any(one.start <= position < one.end for one in found):
            for start, end in _credentials_in(line):
                yield _Hidden(position + start, position + end, ("#", line[:start].strip()), line[start:end])
        position += len(line)
