# SPDX-License-Identifier: MIT
"""The change of a file as `git diff` shows it. Pure.

What two texts begin and end with together is cut off before `difflib` compares them line by line: an edit is a few
lines, and the file may have hundreds of thousands.
"""

import difflib
import re
from typing import Final

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_PLACE: Final = re.compile(r"(?<=[-+])[0-9]+")
_CONTEXT: Final = 3


def unified_diff(before: bytes | None, after: bytes, path: str) -> str:
    """The change of a file (None: it was not there) as `git diff` would show it, without its index line."""
    old = before or b""
    head = _with_context_above(old, _shared_beginning(old, after))
    tail = _shared_end(old[head:], after[head:])
    above = old.count(b"\n", 0, head)
    middles = [text[head : _with_context_below(text, len(text) - tail)] for text in (old, after)]
    names = ("/dev/null" if before is None else f"a/{path}", f"b/{path}")
    shown = []
    lines = [_LINE.findall(text.decode("utf-8", "replace")) for text in middles]
    for line in difflib.unified_diff(lines[0], lines[1], *names):
        text = _PLACE.sub(lambda found: str(int(found[0]) + above), line, count=2) if line.startswith("@@ ") else line
        shown.append(text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n")
    return "".join(shown)


def _shared_beginning(one: bytes, other: bytes) -> int:
    """How many bytes the two begin with together. By halves: comparing slices costs next to nothing."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _shared_end(one: bytes, other: bytes) -> int:
    """How many bytes the two end with together."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _with_context_above(text: bytes, position: int) -> int:
    """Where the line begins that stands a few above the one with this position."""
    for _ in range(_CONTEXT + 1):
        position = text.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return position + 1


def _with_context_below(text: bytes, position: int) -> int:
    """Where the line ends that stands a few below the one with this position."""
    for _ in range(_CONTEXT + 1):
        position = text.find(b"\n", position) + 1
        if not position:
            return len(text)
    return position
