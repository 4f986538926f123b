# SPDX-License-Identifier: MIT
"""Commands: a text is split at spaces outside of quotes, as a shell would; but there is no shell."""

import re
import shlex
from collections.abc import Sequence
from typing import Final

from kit_pipeline.files.reading import At

_QUOTES: Final = frozenset("'\"\\")
_BLANK: Final = re.compile(r"[ \t\r\n]+")
_LONGEST: Final = 131_072
"""What Linux takes as one argument; the standard library's splitting takes the square of the length in time."""
_SIGNS: Final = frozenset("&|;<>=$")
_OPERATOR: Final = re.compile(r"&&|\|\|?|;;?|&|\d*>>?(&\d)?|<<?")
_REDIRECT: Final = re.compile(r"(\d*>>?|<<?)\S+")
_VARIABLE: Final = re.compile(r"\$(?:[A-Za-z_{(?@*#!]|\d)")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_QUOTED: Final = re.compile(r"(?P<literal>\\.|'[^']*')|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_SHELL: Final = re.compile(r"(?:.*/)?(?:ba|a|da|z|k|fi|c|tc)?sh")


def words(at: At, key: str) -> tuple[str, ...] | None:
    """A command's words: a list as it is, a text split at spaces outside of quotes. None where there is none."""
    if not at.says(key):
        return None
    if isinstance(at.value[key], list):
        # Nothing is left out of a list: an empty argument is one.
        items = tuple(at.below(key).items())
        if all(isinstance(item.value, str) for item in items):
            return tuple(str(item.value) for item in items) or None
        return at.texts(key)
    text = at.text(key)
    if text is None:
        return None
    if not _QUOTES & set(text):
        return tuple(word for word in _BLANK.split(text) if word) or None
    if len(text) > _LONGEST:
        at.say(
            "error", f"`{key}` is longer than {_LONGEST} characters", "No program takes that; use a script.", key=key
        )
        return None
    try:
        return tuple(shlex.split(text)) or None
    except ValueError as error:
        what = "ends with a backslash" if "escape" in str(error) else "has a quote that is not closed"
        at.say("error", f"`{key}` {what}: {_short(text.strip())}", key=key)
        return None


def for_a_shell(text: str, split: Sequence[str]) -> str | None:
    """What of a command only a shell would understand; None where there is nothing, or where a shell gets it.

    `split` are the words of `text`.
    """
    if not _SIGNS & set(text):
        return None
    if any(_SHELL.fullmatch(word) for word in split) and any(re.fullmatch(r"-\w*c", word) for word in split):
        return None
    # Quotes tell what was meant for the program: `awk '{print $1}'` and `grep "a|b"` are what they should be.
    plain = _QUOTED.sub(lambda found: "''" if found["literal"] else found[0].replace("\\$", ""), text)
    operators = [word for word in _unquoted_words(plain) if _OPERATOR.fullmatch(word) or _REDIRECT.fullmatch(word)]
    operators += [";" for word in _unquoted_words(plain) if word.endswith(";") and len(word) > 1]
    if operators:
        return ", ".join(f"`{word}`" for word in dict.fromkeys(operators))
    if split and _ASSIGNMENT.match(split[0]):
        return f"`{split[0].partition('=')[0]}=…` before its program"
    found = _VARIABLE.search(plain)
    return f"a variable (`{_short(plain[found.start() :].split()[0])}`)" if found else None


def _unquoted_words(text: str) -> list[str]:
    return [word for word in re.sub(r"\"(?:\\.|[^\"\\])*\"", '""', text).split() if "''" not in word]


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
