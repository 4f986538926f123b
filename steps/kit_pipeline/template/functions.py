# SPDX-License-Identifier: MIT
"""The functions that Go's templates have built in."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote_plus

from kit_pipeline.template.printing import formatted, printed, shown


class WrongArgument(Exception):
    """A function was given what it cannot take; the text says why."""


def truth(value: Any) -> bool:
    """What `if` thinks of a value: what is empty, zero, false or missing is false."""
    return bool(value)


def _same_kind(left: Any, right: Any) -> None:
    if _kind(left) != _kind(right):
        raise WrongArgument(f"{shown(left)!r} and {shown(right)!r} are of different kinds and do not compare")


def _kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else type(value).__name__


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    _same_kind(left, right)
    return bool(left == right)


def _eq(first: Any, *others: Any) -> bool:
    return any(_equal(first, other) for other in others)


def _compare(decide: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        for value in (left, right):
            if value is None or isinstance(value, bool):
                raise WrongArgument(f"{shown(value)} is neither larger nor smaller than others")
        _same_kind(left, right)
        # Go compares the bytes of UTF-8, whose order is that of the characters.
        return decide(left, right)

    return compared


def _len(value: Any) -> int:
    return len(_text(value, "len").encode())


def _index(value: Any, *places: Any) -> Any:
    for at in places:
        value = _item(value, at)
    return value


def _item(value: Any, at: Any) -> Any:
    if isinstance(value, Mapping):
        if at not in value:
            raise WrongArgument(f"there is no value .{shown(at)}")
        return value[at]
    raw = _text(value, "index").encode()
    if not 0 <= _whole(at) < len(raw):
        raise WrongArgument(f"there is no character {at} in {value!r}")
    return raw[_whole(at)]


def _slice(value: Any, start: Any = 0, end: Any = None) -> str:
    raw = _text(value, "slice").encode()
    stop = len(raw) if end is None else _whole(end)
    if not 0 <= _whole(start) <= stop <= len(raw):
        raise WrongArgument(f"{value!r} has no characters {start} to {stop}")
    return raw[start:stop].decode(errors="replace")


def _text(value: Any, function: str) -> str:
    if not isinstance(value, str):
        raise WrongArgument(f"{function} takes text, and {shown(value)} is none")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise WrongArgument(f"{shown(value)} is no whole number")


def _println(*values: Any) -> str:
    return " ".join(map(shown, values)) + "\n"


def _printf(form: Any, *values: Any) -> str:
    try:
        return formatted(_text(form, "printf"), values)
    except ValueError as error:
        raise WrongArgument(str(error)) from None


def _html(*values: Any) -> str:
    return html.escape(_joined(values)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;").replace("\0", "\ufffd")


_JS: Final = {"\\": "\\\\", "'": "\\'", '"': '\\"'}


def _js(*values: Any) -> str:
    def one(character: str) -> str:
        if character in _JS:
            return _JS[character]
        plain = character not in "<>&=" and (character.isprintable() or character == "\x7f")
        return character if plain else f"\\u{ord(character):04X}"

    return "".join(map(one, _joined(values)))


def _joined(values: Sequence[Any]) -> str:
    """What those functions make of their values that escape."""
    return printed(["<no value>" if value is None else value for value in values])


FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], int, int | None]]] = {
    "not": (lambda value: not truth(value), 1, 1),
    "eq": (_eq, 2, None), "ne": (lambda a, b: not _equal(a, b), 2, 2), "lt": (_compare(lambda a, b: a < b), 2, 2),
    "le": (_compare(lambda a, b: a <= b), 2, 2), "gt": (_compare(lambda a, b: a > b), 2, 2),
    "ge": (_compare(lambda a, b: a >= b), 2, 2),
    "len": (_len, 1, 1), "index": (_index, 1, None), "slice": (_slice, 1, 3),
    "print": (lambda *values: printed(values), 0, None), "println": (_println, 0, None), "printf": (_printf, 1, None),
    "html": (_html, 0, None), "js": (_js, 0, None), "urlquery": (lambda *values: quote_plus(_joined(values)), 0, None),
}  # fmt: skip
"""Each with the least and the most arguments that it takes."""
UNTIL: Final = {"and": False, "or": True}
"""Those whose arguments are looked at one after the other, until one is false (`and`) or true (`or`)."""
NAMES: Final = sorted({*FUNCTIONS, *UNTIL})


def call(name: str, arguments: Sequence[Any]) -> Any:
    """The function's value. Raises `WrongArgument`; a name that is none is a `KeyError`."""
    function, least, most = FUNCTIONS[name]
    if len(arguments) < least or (most is not None and len(arguments) > most):
        wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        raise WrongArgument(f"it takes {wanted} values and was given {len(arguments)}")
    return function(*arguments)
