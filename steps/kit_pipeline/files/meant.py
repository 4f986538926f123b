# SPDX-License-Identifier: MIT
"""What the author of a file that does not parse probably meant. In public repositories one in fourteen does not."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_DOCKERFILE: Final = re.compile(r"(?i)\A(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:FROM|ARG)\s+\S")
_NO_SPACE: Final = re.compile(r"^\s*-[A-Za-z_]+:(\s|$)")
_TEMPLATE: Final = re.compile(r"^\s*(?:- )?[\w-]+:\s+\{\{.*\}\}")
_BEHIND_LIST: Final = re.compile(r"^\s*(?:- )?[\w-]+:\s+\[.*\][ \t]*[^\s#,\]]")
_ITEM: Final = re.compile(r"^\s*- ")
_KEY: Final = re.compile(r"^[A-Za-z_][\w-]*:")
_TAB: Final = re.compile(r"^ *\t")
_A_DOCKERFILE: Final = "This is a Dockerfile: is it saved under the wrong name?"
_FIRST_ITEM: Final = "A steps file is a list: put `- ` before the first step too, and indent what belongs to it."
_WITH_A_SPACE: Final = "a `-` that begins an item needs a space behind it."


def meant(text: str, line: int) -> str | None:
    """What to do about a text whose parser gave up at `line` (from 1); None where nothing comes to mind."""
    if _DOCKERFILE.match(text):
        return _A_DOCKERFILE
    lines = text.splitlines()
    near = [(number, lines[number - 1]) for number in range(max(1, line - 2), min(len(lines), line + 1) + 1)]
    for looks, sentence in _SIGNS:
        for number, one in near:
            if looks(one):
                return f"Line {number}: {sentence}"
    contents = [one for one in lines if one.strip() and not one.lstrip().startswith(("#", "---"))]
    if contents and not _ITEM.match(contents[0]) and any(_ITEM.match(one) for one in contents if one[:1] == "-"):
        return _FIRST_ITEM
    if contents and _ITEM.match(contents[0]) and any(_KEY.match(one) for one in contents):
        return "What belongs to a step is indented further than its `-`; here a key stands at the margin."
    return None


def other_than_a_map(value: Any) -> str:
    """What to do about a services file that parses, and is no map."""
    if isinstance(value, str) and _DOCKERFILE.match(value):
        return _A_DOCKERFILE
    if isinstance(value, list):
        return "Have the two files changed places?"
    return "Each service is a name, a colon, and below it `image` or `build`."


def other_than_a_list(value: Any, step_keys: frozenset[str]) -> str:
    """What to do about a steps file that parses, and is no list."""
    if isinstance(value, str):
        return _A_DOCKERFILE if _DOCKERFILE.match(value) else "Begin each step with `- `."
    names = set(value) if isinstance(value, Mapping) else set()
    if any(name.startswith("-") for name in names):
        return f"Look at its first lines: {_WITH_A_SPACE}"
    if names & step_keys and not any(isinstance(value[name], Mapping) for name in names):
        return _FIRST_ITEM
    return "Begin each step with `- `. Have the two files changed places?"


_SIGNS: Final[tuple[tuple[Callable[[str], object], str], ...]] = (
    (_TAB.match, "indent with spaces, not tabs."),
    (_NO_SPACE.match, _WITH_A_SPACE),
    (_TEMPLATE.match, 'quote a value that begins with a template: "{{.Branch}}".'),
    (_BEHIND_LIST.match, "nothing may follow a list in brackets; a command in one line needs none."),
)
