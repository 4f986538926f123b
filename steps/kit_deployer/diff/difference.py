# SPDX-License-Identifier: MIT
"""What a change does to an object, as unified YAML: without what servers add, and without secrets. Pure."""

from collections.abc import Collection, Iterator
from typing import Final

from kit_deployer.diff.lines import Line, lines
from kit_deployer.diff.masking import masked
from kit_deployer.diff.noise import clean, without_defaults
from kit_deployer.objects import Json, Key

MOST_LINES: Final = 1_000
MOST_CHARACTERS: Final = 60_000
"""How much of one object's difference is shown."""

_AROUND: Final = 3
_WIDEST: Final = 1_000


def unified(
    key: Key,
    before: Json | None,
    after: Json | None,
    *,
    manifest: Json | None = None,
    secrets: Collection[str] = (),
) -> str:
    """The difference between two states of an object; None is not being there. Empty where there is none.

    `manifest` is what somebody wrote: where it says nothing, a default that only one state has is not shown. `secrets`
    are JSON pointers of values in it that must not be seen, beside those that are hidden anyway (`masking`). A hidden
    value that changes is visible as changed.
    """
    old, new = clean(before), clean(after)
    old, new = without_defaults(old, new, manifest), without_defaults(new, old, manifest)
    try:
        old, new = masked(old, new, manifest, secrets)
        shown = list(_hunks(list(lines(old, new))))
    except RecursionError:
        return f"{_head(key, after)}\n@@ @@\n\\ nested too deeply to be shown" if old != new else ""
    return "\n".join([_head(key, after), *_cut(shown)]) if shown else ""


def _head(key: Key, after: Json | None) -> str:
    return f"--- live: {key}\n+++ {'result' if after is not None else 'deleted'}: {key}"


def _hunks(found: list[Line]) -> Iterator[str]:
    """The parts with changes, each with the lines around it and a head that says where in the object it is."""
    changes = [place for place, line in enumerate(found) if line.mark != " "]
    spans: list[tuple[int, int]] = []
    for place in changes:
        begin, end = max(0, place - _AROUND), min(len(found), place + _AROUND + 1)
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    position, old, new = 0, 1, 1
    for begin, end in spans:
        gone = sum(line.mark != "+" for line in found[position:begin])
        come = sum(line.mark != "-" for line in found[position:begin])
        old, new = old + gone, new + come
        part = found[begin:end]
        left, right = (sum(line.mark != mark for line in part) for mark in "+-")
        first = next(line for line in part if line.mark != " ")
        where = ".".join(first.path[:-1] if len(part) < len(found) else ())
        numbers = f"@@ -{old if left else 0},{left} +{new if right else 0},{right} @@"
        yield f"{numbers} {where}".rstrip()
        yield from (f"{line.mark}{_narrow(line.text)}" for line in part)
        position, old, new = end, old + left, new + right


def _narrow(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]} … ({len(text)} characters)"


def _cut(shown: list[str]) -> Iterator[str]:
    """As much as a person may want to read of one object; what is left out is said."""
    size = 0
    for number, text in enumerate(shown):
        size += len(text) + 1
        if number >= MOST_LINES or size > MOST_CHARACTERS:
            yield f"\\ {len(shown) - number} more lines are left out"
            return
        yield text
