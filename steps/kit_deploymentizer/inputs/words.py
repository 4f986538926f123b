# SPDX-License-Identifier: MIT
"""What a plain scalar means to the original's loader (js-yaml 3.5 with its safe schema): rule 10.

`yes`, `no`, `on` and `off` are strings; `0644` is octal, `1:30` base 60, `1_000` a thousand; a date is a date. A float
needs its point (`1.5e+3`): the original read `1e3` as a string, and the recorded fleets print it as one.
"""

import datetime as dt
import math
import re
from functools import lru_cache
from typing import Any, Final

_CONSTANTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: -math.inf for word in (".inf", ".Inf", ".INF")},
}
_FIRST: Final = frozenset("0123456789+-._")
_INTEGER: Final = re.compile(
    r"(?P<sign>[-+]?)(?:"
    r"0b(?P<binary>_*[01][01_]*)"
    r"|0x(?P<hex>_*[0-9A-Fa-f][0-9A-Fa-f_]*)"
    r"|0(?P<octal>_*[0-7][0-7_]*)"
    r"|(?P<zero>0)"
    r"|(?P<decimal>_*[1-9][0-9_]*|_+[0-9][0-9_]*)(?P<sixties>(?::[0-5]?[0-9])*)"
    r")"
)
_FLOAT: Final = re.compile(
    r"(?P<plain>[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?)"
    r"|(?P<bare>\.[0-9_]+(?:[eE][-+][0-9]+)?)"
    r"|(?P<sixties>[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)"
)
_TIMESTAMP: Final = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9][0-9]?)-(?P<day>[0-9][0-9]?)"
    r"(?:(?:[Tt]|[ \t]+)(?P<hour>[0-9][0-9]?):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]*))?"
    r"(?:[ \t]*(?:Z|(?P<sign>[-+])(?P<hours>[0-9][0-9]?)(?::(?P<minutes>[0-9]{2}))?))?)?"
)
_BASES: Final = {"binary": 2, "hex": 16, "octal": 8}
_LAST_SHORT_YEAR: Final = 99


@lru_cache(maxsize=65536)
def original_words(text: str) -> Any:
    """The value of the plain scalar `text`: None, bool, int, float, aware `datetime` or the text itself."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _FIRST:
        return text
    for read in (_integer, _float, _timestamp):
        value = read(text)
        if value is not None:
            return value
    return text


def _integer(text: str) -> int | None:
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    sign = -1 if found["sign"] == "-" else 1
    for group, base in _BASES.items():
        if found[group]:
            return sign * int(found[group].replace("_", ""), base)
    if found["zero"]:
        return 0
    digits = found["decimal"].replace("_", "")
    if digits[0] == "0":  # `_0644`: the loader looked at the first digit before it dropped the underscores
        return sign * int("0" + re.match("[0-7]*", digits)[0], 8)  # type: ignore[index]
    value = 0
    for part in (digits + found["sixties"]).split(":"):
        value = value * 60 + int(part)
    return sign * value


def _float(text: str) -> float | None:
    found = _FLOAT.fullmatch(text)
    if found is None:
        return None
    plain = text.replace("_", "")
    if found["sixties"]:
        sign = -1.0 if plain[0] == "-" else 1.0
        value = 0.0
        for part in plain.lstrip("+-").split(":"):
            value = value * 60 + float(part)
        return sign * value
    return math.nan if plain == "." else float(plain)


def _timestamp(text: str) -> dt.datetime | None:
    """A date, rolled over as `Date.UTC` does it (the 31st of February is a day in March)."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return None
    number = {name: int(digits) for name, digits in found.groupdict("0").items() if name not in {"sign", "fraction"}}
    year = number["year"] + 1900 if number["year"] <= _LAST_SHORT_YEAR else number["year"]
    months = number["month"] - 1
    shift = dt.timedelta(hours=number["hours"], minutes=number["minutes"])
    try:
        first = dt.datetime(year + months // 12, months % 12 + 1, 1, tzinfo=dt.UTC)
        moment = first + dt.timedelta(
            days=number["day"] - 1,
            hours=number["hour"],
            minutes=number["minute"],
            seconds=number["second"],
            milliseconds=int((found["fraction"] or "0")[:3].ljust(3, "0")),
        )
        return moment + shift if found["sign"] == "-" else moment - shift
    except (ValueError, OverflowError):
        return None
