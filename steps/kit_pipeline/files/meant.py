# SPDX-License-Identifier: MIT
"""What the author of a file that does not parse probably meant. In public repositories one in fourteen does not."""

import re
from collections.abc import Callable
from typing import Final

_DOCKERFILE: Final = re.compile(r"(?i)\A(?:\s*#.*\n|\s*\n)*\s*(?:FROM|ARG)\s+\S")
_NO_SPACE: Final = re.compile(r"^\s*-[A-Za-z_]+:(\s|$)")
_TEMPLATE: Final = re.compile(r"^\s*(?:- )?[\w-]+:\s+\{\{.*\}\}")
_BEHIND_LIST: Final = re.compile(r"^\s*(?:- )?[\w-]+:\s+\[.*\]\s*\S")
_ITEM: Final = re.compile(r"^\s*- ")
_KEY: Final = re.compile(r"^[A-Za-z_][\w-]*:")
_TAB: Final = re.compile(r"^ *\t")


def meant(text: str, line: int) -> str | None:
    """What to do about a text whose parser gave up at `line` (from 1); None where nothing comes to mind."""
    if _DOCKERFILE.match(text):
        return "This is a Dockerfile: is it saved under the wrong name?"
    lines = text.splitlines()
    near = [(number, lines[number - 1]) for number in range(max(1, line - 2), min(len(lines), line + 1) + 1)]
    for looks, sentence in _SIGNS:
        for number, one in near:
            if looks(one):
                return f"Line {number}: {sentence}"
    contents = [one for one in lines if one.strip() and not one.lstrip().startswith(("#", "---"))]
    if contents and not _ITEM.match(contents[0]) and any(_ITEM.match(one) for one in contents if one[:1] == "-"):
        return "A steps file is a list: put `- ` before the first step too, and indent what belongs to it."
    if contents and _ITEM.match(contents[0]) and any(_KEY.match(one) for one in contents):
        return "What belongs to a step is indented further than its `-`; here a key stands at the margin."
    return None


_SIGNS: Final[tuple[tuple[Callable[[str], object], str], ...]] = (
    (_TAB.match, "indent with spaces, not tabs."),
    (_NO_SPACE.match, "a `-` that begins an item needs a space behind it."),
    (_TEMPLATE.match, 'quote a value that begins with a template: "{{.Branch}}".'),
    (_BEHIND_LIST.match, "nothing may follow a list in brackets; a command in one line needs none."),
)
