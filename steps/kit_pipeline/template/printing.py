# SPDX-License-Identifier: MIT
"""Go's `print` and `printf` for text, whole numbers, numbers and truth values (https://pkg.go.dev/fmt)."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

_VERB: Final = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?(?P<dot>))?(?P<verb>.)?", re.DOTALL
)


def shown(value: Any) -> str:
    """A value as an action prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def printed(values: Sequence[Any]) -> str:
    """`print`: a space between two values where neither is text."""
    out = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            out += " "
        out += shown(value)
    return out


def formatted(form: str, values: Sequence[Any]) -> str:
    """`printf`. What does not fit is printed as Go prints it (`%!d(string=x)`), which is no error there either."""
    left = list(values)
    used = 0

    def number(text: str | None) -> int | None:
        nonlocal used
        if text == "*":
            used += 1
            value = left[used - 1] if used <= len(left) else 0
            return value if isinstance(value, int) else 0
        return int(text) if text else None

    def one(found: re.Match[str]) -> str:
        nonlocal used
        verb = found["verb"]
        if verb is None:
            return "%!(NOVERB)"
        width = number(found["width"])
        precision = number(found["precision"])
        if found["dot"] is not None and precision is None:
            precision = 0
        if verb == "%":
            return "%"
        if used >= len(left):
            return f"%!{verb}(MISSING)"
        used += 1
        return _padded(_one(verb, left[used - 1], found["flags"], precision), width, found["flags"], left[used - 1])

    out = _VERB.sub(one, form)
    if used < len(left):
        out += "%!(EXTRA " + ", ".join(f"{_type(value)}={shown(value)}" for value in left[used:]) + ")"
    return out


def _one(verb: str, value: Any, flags: str, precision: int | None) -> str:
    if verb == "T":
        return _type(value)
    if isinstance(value, str) and verb in "svqxX":
        return _text(verb, value if precision is None or verb in "xX" else value[:precision], flags)
    if isinstance(value, bool) and verb in "tv":
        return shown(value)
    if isinstance(value, int) and not isinstance(value, bool) and verb in "dvxXobcqU":
        return _whole(verb, value, flags)
    if isinstance(value, float) and verb in "vgGeEfF":
        return (
            _float(value) if verb == "v" else f"%{'.' + str(precision) if precision is not None else ''}{verb}" % value
        )
    return f"%!{verb}({_type(value)}={shown(value)})" if value is not None else f"%!{verb}(<nil>)"


def _text(verb: str, value: str, flags: str) -> str:
    if verb == "q":
        return json.dumps(value, ensure_ascii=False)
    if verb in "xX":
        digits = value.encode().hex(*((" ",) if " " in flags else ()))
        return digits.upper() if verb == "X" else digits
    return value


def _whole(verb: str, value: int, flags: str) -> str:
    if verb in "cqU":
        character = chr(value) if 0 <= value < 0x110000 else "\ufffd"
        return {"c": character, "q": f"'{character}'", "U": f"U+{value:04X}"}[verb]
    out = format(value, "d" if verb in "dv" else verb)
    if "#" in flags and verb in "xX":
        out = out.replace("-", "-0x", 1) if value < 0 else f"0{verb}{out}"
    sign = "+" if "+" in flags else " " if " " in flags else ""
    return sign + out if value >= 0 else out


def _padded(text: str, width: int | None, flags: str, value: Any) -> str:
    if width is None or len(text) >= width:
        return text
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and isinstance(value, int | float) and not isinstance(value, bool):
        return text.zfill(width)
    return text.rjust(width)


def _float(value: float) -> str:
    out = repr(value)
    return out.removesuffix(".0")


def _type(value: Any) -> str:
    return {str: "string", bool: "bool", int: "int", float: "float64"}.get(type(value), "<nil>")
