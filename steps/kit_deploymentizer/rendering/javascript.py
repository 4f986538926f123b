# SPDX-License-Identifier: MIT
"""Values as JavaScript sees them, because repositories written for the original count on it (rule 10).

How a value prints (`String(value)`) and whether it counts as true. Dates are aware `datetime` values in UTC.
"""

import datetime as dt
import math
from typing import Any, Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EXACT: Final = 2**53
_SMALLEST_PLAIN_EXPONENT: Final = -7
_LARGEST_PLAIN_EXPONENT: Final = 21


def text_of(value: Any) -> str:
    """`value` as JavaScript's `String(value)` prints it; null is empty inside a list, as `Array.join` has it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -_EXACT <= value <= _EXACT else number_text(_as_double(value))
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list | tuple):
        return ",".join("" if item is None else text_of(item) for item in value)
    if isinstance(value, dt.datetime):
        return _date_text(value)
    return "[object Object]"


def number_text(number: float) -> str:
    """The shortest decimal that reads back as `number`, laid out as ECMAScript's Number::toString does."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    padded = whole + fraction
    digits = padded.lstrip("0")
    # The value is 0.DIGITS times ten to the power of `point`.
    point = int(exponent or 0) + len(whole) - (len(padded) - len(digits))
    digits = digits.rstrip("0")
    return sign + _laid_out(digits, point)


def _laid_out(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= _LARGEST_PLAIN_EXPONENT:
        return digits + "0" * (point - count)
    if 0 < point <= _LARGEST_PLAIN_EXPONENT:
        return f"{digits[:point]}.{digits[point:]}"
    if _SMALLEST_PLAIN_EXPONENT < point - 1 < 0:
        return f"0.{'0' * -point}{digits}"
    exponent = point - 1
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _date_text(value: dt.datetime) -> str:
    day, month = _DAYS[value.weekday()], _MONTHS[value.month - 1]
    return f"{day} {month} {value.day:02} {value.year:04} {value:%H:%M:%S} GMT+0000 (UTC)"


def truthy(value: Any) -> bool:
    """Whether JavaScript takes `value` for true: everything but null, false, 0, NaN and the empty string."""
    if isinstance(value, list | tuple | dict):
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def length_of(value: str) -> int:
    """`value.length`: JavaScript counts UTF-16 code units."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2
