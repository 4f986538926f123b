# SPDX-License-Identifier: MIT
"""Manifests as they may be shown: without the values of Secrets, of secret sources, and of what looks like a
credential. That a hidden value changed is visible. Pure.

The text itself is masked, at the places that its YAML has, so that a reader sees it as it will be written.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit_core.credentials import argument, credentials_in, is_hidden, value_at
from kit_core.secrets import MASK
from kit_core.yamlio import YamlError, load_documents
from kit_core.yamlscalars import Scalar, scalars
from kit_deploymentizer.explain.origins import count_of

_COMMENT: Final = re.compile(r"(?:^(?P<alone>[ \t]*+)|(?<=[ \t]))#[ \t]*+(?P<said>[^\n\r]++)", re.MULTILINE)
_CHANGED: Final = f"{MASK} (changed)"
_MOST: Final = 1_000_000
"""Values of a document, each alias counted as what it stands for."""
_UNREADABLE: Final = "# This is no YAML, so nothing of it is shown"

Path = tuple[str | int, ...]
Spot = tuple[str | int, ...]
"""Where a hidden value stands: its document's object, then keys, items of lists by their name where they have one."""


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
    new = _read(after, pointers_after)
    old = _read(before, pointers_before, _pointed(new))  # an output whose index is lost does not know its secrets
    if _pointed(old) - _pointed(new):
        new = _read(after, pointers_after, _pointed(old))
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
    for one in sorted(hidden, key=lambda one: (one.start, -one.end)):
        if one.start < position:  # an alias: hidden where it is defined; or found in two ways
            position = max(position, one.end)
            continue
        parts += [text[position : one.start], _CHANGED if former.get(one.spot, one.value) != one.value else MASK]
        position = one.end
    return "".join([*parts, text[position:]])


def _pointed(hidden: list[_Hidden] | None) -> frozenset[Spot]:
    return frozenset(one.spot for one in hidden or () if one.pointed)


def _read(text: str | None, pointers: Collection[str], spots: Collection[Spot] = ()) -> list[_Hidden] | None:
    """What is to be hidden, None where the text cannot be read. At `spots` the other side has secret values."""
    if text is None:
        return []
    try:
        found: list[_Hidden] = []
        secret: list[tuple[int, int]] = []
        for number, document in enumerate(load_documents(text, name="")):
            if count_of(document.value) > _MOST:
                return None
            for top, value in _objects(document.value):
                if value.get("kind") == "Secret" and document.node is not None:
                    secret.append((document.node.start_mark.index, document.node.end_mark.index))
                name = value.get("metadata", {}) if isinstance(value, dict) else {}
                head = (str(value.get("kind")), str(name.get("name"))) if isinstance(name, dict) else (str(number), "")
                rules = _Rules(value, frozenset(pointers), spots)
                for scalar in scalars(document, *top):
                    found += rules.hidden(scalar, (*head, number), text)
    except YamlError:
        return None
    return [*found, *_comments(text, found, secret)]


def _objects(value: Any) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """The objects of a document with the paths to them: itself, or the items of a List."""
    items = value.get("items") if isinstance(value, dict) and value.get("kind") == "List" else None
    if isinstance(items, list):
        yield from ((("items", index), item) for index, item in enumerate(items) if isinstance(item, dict))
    else:
        yield (), value if isinstance(value, dict) else {}


class _Rules:
    """What of one object is hidden."""

    def __init__(self, value: Mapping[str, Any], pointers: frozenset[str], spots: Collection[Spot]) -> None:
        self._value = value
        self._pointers = pointers
        self._spots = spots

    def hidden(self, scalar: Scalar, head: Spot, text: str) -> Iterator[_Hidden]:
        path = _without_merges(scalar.path)
        spot = (*head, *self._spot(path))
        if self._is_whole(scalar, path, spot):
            end = scalar.start + len(text[scalar.start : scalar.end].rstrip())
            yield _Hidden(scalar.start, end, spot, scalar.text, self._is_pointed(scalar, spot))
            return
        piece = text[scalar.start : scalar.end]
        part = argument(self._value, path)
        if part and isinstance(scalar.value, str) and (at := piece.find(scalar.value)) >= 0:
            start, end = scalar.start + at + part[0], scalar.start + at + part[1]
            yield _Hidden(start, end, (*spot, "argument"), text[start:end])
        for number, (start, end) in enumerate(credentials_in(piece)):
            yield _Hidden(scalar.start + start, scalar.start + end, (*spot, number), piece[start:end])

    def _is_whole(self, scalar: Scalar, path: Path, spot: Spot) -> bool:
        if not path:
            return False
        return self._is_pointed(scalar, spot) or is_hidden(self._value, path, scalar.value)

    def _is_pointed(self, scalar: Scalar, spot: Spot) -> bool:
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in scalar.path)
        return spot in self._spots or (bool(self._pointers) and "".join(f"/{step}" for step in steps) in self._pointers)

    def _spot(self, path: tuple[str | int, ...]) -> Spot:
        """The path with items of lists by their name, so that a new item in front changes nothing of the others."""
        steps: list[str | int] = []
        for depth, step in enumerate(path):
            item = value_at(self._value, path[: depth + 1]) if isinstance(step, int) else None
            name = item.get("name") if isinstance(item, dict) else None
            steps.append(f"name={name}" if isinstance(name, str) else step)
        return tuple(steps)


def _without_merges(path: Path) -> Path:
    """A value that `<<` brings stands in the map that it is merged into."""
    return tuple(step for number, step in enumerate(path)
                 if step != "<<" and not (isinstance(step, int) and path[number - 1 : number] == ("<<",)))  # fmt: skip


def _comments(text: str, found: list[_Hidden], secret: list[tuple[int, int]]) -> Iterator[_Hidden]:
    """Credentials in comments; among the lines of a Secret (`secret`), all that comments say: a former value, often."""
    if "#" not in text:
        return
    ends = [(one.start, one.end) for one in sorted(found, key=lambda one: (one.start, one.end))]
    number = 0
    for mark in _COMMENT.finditer(text):
        before = bisect_right(ends, (mark.start("said"), len(text))) - 1
        if before >= 0 and mark.start("said") <= ends[before][1]:
            continue  # part of a value
        said, start = mark["said"], mark.start("said")
        if any(begin <= start < end for begin, end in secret):
            number += 1
            yield _Hidden(start, start + len(said), ("#", number), said)
        elif mark["alone"] is not None:
            for begin, end in credentials_in(said):
                yield _Hidden(start + begin, start + end, ("#", said[:begin].strip()), said[begin:end])
