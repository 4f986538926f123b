# SPDX-License-Identifier: MIT
"""Text that is not ours, before it goes into a report: secrets masked, control characters out, Markdown disarmed."""

import html
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Final, TypeVar, cast

from kit_core.secrets import Masker

T = TypeVar("T")

_OURS: Final = frozenset({"did", "health", "kind", "group"})
"""Fields with words of kit or Kubernetes: a password that happens to be one of them must not break a report."""

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# Control characters, half surrogates, and marks that turn the direction of what follows.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~#&])")
_MENTION: Final = re.compile(r"@(?=\w)|[#!](?=[0-9])|\bGH-(?=[0-9])", re.IGNORECASE)


def masked(value: T, masker: Masker) -> T:
    """The same value with every secret in its texts masked.

    Before a report is written, not after: what escapes `&` or `_` would hide a secret from the masker.
    """
    return _with_texts(value, masker.mask)


def cleaned(value: T) -> T:
    """The same value with every text of it `plain`."""
    return _with_texts(value, plain)


def _with_texts(value: T, change: Callable[[str], str]) -> T:
    seen: dict[str, str] = {}

    def text(before: str) -> str:
        # A fleet's results say the same a thousand times.
        found = seen.get(before)
        if found is None:
            found = seen[before] = change(before)
        return found

    return cast("T", _changed(value, text))


def _changed(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, tuple):
        return tuple(_changed(item, text) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for name in _texts_of(type(value)):
            old = getattr(value, name)
            new = _changed(old, text) if old else old
            if new is not old and new != old:
                changed[name] = new
        return replace(value, **changed) if changed else value
    return value


@cache
def _texts_of(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass in which a text may be found."""
    numbers = {"int", "float", "bool", "float | None", "int | None", int, float, bool, float | None, int | None}
    return tuple(field.name for field in fields(kind) if field.name not in _OURS and field.type not in numbers)


def plain(text: str) -> str:
    """The text without escape sequences and without characters that nobody sees; lines and tabs stay."""
    return _UNSEEN.sub("\ufffd", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def inline(text: str) -> str:
    """Markdown that shows the text on one line: it ends no cell, begins no markup, calls nobody by name and points to
    no issue.
    """
    shown = _MARKUP.sub(r"\\\1", " ".join(plain(text).split()))
    # A space without width: forges look for names after they have read the markup.
    return _MENTION.sub(_parted, shown)


def in_element(text: str) -> str:
    """The same for text within an HTML element of a Markdown document, where Markdown is not read."""
    return _MENTION.sub(_parted, html.escape(" ".join(plain(text).split())))


def _parted(found: re.Match[str]) -> str:
    return f"{found[0]}\u200b"


def fenced(text: str, language: str = "") -> str:
    """Markdown that shows the text as it is: no run of backticks in it ends the block."""
    shown = plain(text).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def named(names: tuple[str, ...], shown: int = 10) -> str:
    """The first names of many: `a, b and 3 more`."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def counted(number: int, thing: str) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def duration(seconds: float) -> str:
    """Seconds as a person says them: `3.2 s`, `4 min 10 s`, `1 h 2 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
