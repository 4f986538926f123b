# SPDX-License-Identifier: MIT
"""Two states of an object as they may be shown: every secret is replaced by a mark that tells only whether it changed.

Hidden are the values of Secrets, values from secret sources, and what looks like a credential. Pure.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from kit_core.credentials import argument, credentials_in, is_hidden
from kit_core.secrets import MASK
from kit_deployer.diff.items import naming
from kit_deployer.objects import Json

_WORD: Final = re.compile(r"[A-Za-z0-9_./]*")
_CACHED: Final = 500
"""Characters up to which it is remembered what a text holds."""

CHANGED: Final = f"{MASK} (changed)"

Spot = tuple[Any, ...]
"""Where a hidden value stands: keys, and items of lists by their name where they have one."""


def masked(
    before: Json | None, after: Json | None, manifest: Json | None, pointers: Collection[str]
) -> tuple[Json | None, Json | None]:
    """Both states; `pointers` are the JSON pointers of secret values in the manifest."""
    spots = frozenset(_spot_of(manifest, pointer) for pointer in pointers)
    old = _Side(before, spots, {})
    shown_before, shown_after = old.shown(), _Side(after, spots, old.found).shown()
    if shown_before == shown_after and before != after:  # secrets that moved: which of them is not known
        shown_after = _Side(after, spots, None).shown()
    return shown_before, shown_after


class _Side:
    """One state of the object. `found` holds the hidden values by their spot, `former` those of the other state; with
    None all count as changed.
    """

    def __init__(self, body: Json | None, spots: frozenset[Spot], former: Mapping[Spot, Any] | None) -> None:
        self._body = body
        self._spots = spots
        self._former = former
        self.found: dict[Spot, Any] = {}

    def shown(self) -> Json | None:
        return None if self._body is None else self._value(self._body, (), ())

    def _value(self, value: Any, path: tuple[str | int, ...], spot: Spot) -> Any:
        if spot in self._spots:
            return self._mark(spot, value)
        if isinstance(value, dict):
            # A key may hold one too: `{"postgres://user:password@host": …}`.
            return {
                self._text(str(name), (*spot, "key")): self._value(item, (*path, str(name)), (*spot, str(name)))
                for name, item in value.items()
            }
        if isinstance(value, list):
            name = naming(value)
            return [
                self._value(item, (*path, place), (*spot, _step(value, place, name)))
                for place, item in enumerate(value)
            ]
        assert self._body is not None
        if value is not None and is_hidden(self._body, path, value):
            return self._mark(spot, value)
        return self._text(value, spot, path) if isinstance(value, str) else value

    def _text(self, text: str, spot: Spot, path: tuple[str | int, ...] = ()) -> str:
        parts: list[str] = []
        position = 0
        assert self._body is not None
        part = argument(self._body, path)
        spans: list[tuple[int, int]] = sorted([*_spans(text), part], key=_first) if part else [*_spans(text)]
        for number, (start, end) in enumerate(spans):
            if start >= position:
                parts += [text[position:start], self._mark((*spot, "within", number), text[start:end])]
                position = end
        return "".join([*parts, text[position:]]) if parts else text

    def _mark(self, spot: Spot, value: Any) -> str:
        self.found[spot] = value
        if self._former is None:
            return CHANGED
        former = self._former.get(spot, value)
        return MASK if former == value and type(former) is type(value) else CHANGED


def _first(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], -span[1]


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    """The credentials within a text. A single word has none; a fleet's objects say the same a thousand times."""
    return () if _WORD.fullmatch(text) else _looked_up(text) if len(text) <= _CACHED else _looked_up.__wrapped__(text)


@lru_cache(maxsize=20_000)
def _looked_up(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(credentials_in(text), key=_first))


def _step(items: list[Any], place: int, name: str | None) -> Any:
    """What tells an item from others, so that one in front of it changes nothing: its name, or what stands before its
    secret, or its place."""
    item = items[place]
    if name is not None:
        return (name, item[name])
    if isinstance(item, str):
        for start, _ in _spans(item):
            return ("text", item[:start])
        before = items[place - 1] if place else None
        if isinstance(before, str) and before.startswith("-"):
            return ("behind", before)
    return place


def _spot_of(manifest: Any, pointer: str) -> Spot:
    """A pointer into the manifest, with names instead of places: the server may have put further items in front."""
    spot: list[Any] = []
    value = manifest
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            spot.append(_step(value, int(key), naming(value)))
            value = value[int(key)]
        else:
            spot.append(key)
            value = value.get(key) if isinstance(value, Mapping) else None
    return tuple(spot)
