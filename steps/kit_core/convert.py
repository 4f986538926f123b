# SPDX-License-Identifier: MIT
"""From the text of a variable to a typed value. Errors say what was expected; secrets are not repeated."""

import json
import math
import typing
from pathlib import Path
from typing import Any, Final

from kit_core.declare import Setting
from kit_core.secrets import Secret

_YES: Final = frozenset({"true", "1", "yes", "on"})
_NO: Final = frozenset({"false", "0", "no", "off"})
_LARGEST: Final = 2**63
_LONGEST: Final = 10**9
"""Bounds numbers that have a unit: in seconds some 31 years. Longer waits overflow what the system's clocks take."""


class Unfit(ValueError):
    """The text is no value of the setting's type; the message continues the sentence "X=… is wrong: "."""


def convert(setting: Setting, text: str) -> Any:
    """The value that `text` (not empty) stands for. Raises `Unfit`."""
    kind = setting.kind
    if kind is bool:
        return _boolean(setting, text)
    if setting.choices:
        return _choice(setting, text)
    if kind in {int, float}:
        return _number(setting, text)
    if kind is Secret:
        return Secret(text)
    if kind is Path:
        if "\0" in text:
            raise Unfit("a path cannot hold a NUL character")
        return Path(text)
    if typing.get_origin(kind) is tuple:
        return _listed(text)
    return text


def _boolean(setting: Setting, text: str) -> bool | str:
    word = text.strip().lower()
    if word in setting.choices:
        return word
    if word in _YES:
        return True
    if word in _NO:
        return False
    words = ", ".join(["true", "false", *setting.choices][:-1])
    words = f"{words} or {setting.choices[-1] if setting.choices else 'false'}"
    raise Unfit(f"expected {words} (also 1/0, yes/no, on/off, in any case)")


def _choice(setting: Setting, text: str) -> str:
    word = text.strip()
    for choice in setting.choices:
        if word.lower() == choice.lower():
            return choice
    raise Unfit(f"expected one of {', '.join(setting.choices)}")


def _number(setting: Setting, text: str) -> int | float:
    whole = setting.kind is int
    minimum = -_LARGEST if setting.minimum is None else setting.minimum
    maximum = setting.maximum
    if maximum is None:
        maximum = _LONGEST if setting.unit else _LARGEST
    try:
        value: int | float = int(text.strip()) if whole else float(text.strip())
    except ValueError:
        value = math.nan
    if minimum <= value <= maximum:  # not so for NaN
        return value
    expected = "a whole number" if whole else "a number"
    if setting.unit:
        expected += f" in {setting.unit}"
    if setting.minimum is not None:
        expected += f", {minimum:.15g} or more"
    if setting.maximum is not None or value > maximum:
        expected += f", {maximum:.15g} or less"
    raise Unfit(f"expected {expected}")


def _listed(text: str) -> tuple[str, ...]:
    stripped = text.strip()
    if stripped.lower() == "none":
        return ()
    if not stripped.startswith("["):
        return tuple(item.strip() for line in stripped.splitlines() for item in line.split(",") if item.strip())
    try:
        items = json.loads(stripped)
    except json.JSONDecodeError as error:
        raise Unfit(f"it begins like a JSON array and is none ({error.msg} at character {error.pos + 1})") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; thousands of brackets
        raise Unfit("expected a JSON array of strings") from None
    if not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in items):
        raise Unfit("expected a JSON array of strings")
    return tuple(str(item) for item in items)
