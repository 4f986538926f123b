# SPDX-License-Identifier: MIT
"""Go's `print` and `printf` for text, whole numbers, numbers and truth values (https://pkg.go.dev/fmt)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

_DIRECTIVE: Final = re.compile(
    r"""%(?P<flags>[-+\#0 ]*)
    (?P<at_width>\[[^\]]*\])?(?P<width>\*|\d+)?
    (?P<dot>\.(?P<at_precision>\[[^\]]*\])?(?P<precision>\*|\d+)?)?
    (?P<at>\[[^\]]*\])?(?P<verb>.)?""",
    re.DOTALL | re.VERBOSE,
)
_WIDEST: Final = 1_000_000
_EXPONENT_FROM: Final = 6
_ESCAPES: Final = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
                   "\\": r"\\"}  # fmt: skip


def shown(value: Any) -> str:
    """A value as an action and `print` print it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _shortest(value) if isinstance(value, float) else str(value)


def printed(values: Sequence[Any]) -> str:
    """`print`: a space between two values where neither is text."""
    out = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            out += " "
        out += shown(value)
    return out


def formatted(form: str, values: Sequence[Any]) -> str:
    """`printf`. What does not fit is printed as Go prints it (`%!d(string=x)`), which is no error there either.

    Raises `ValueError` for a number with a fraction in base 2 or 16, which nobody wants.
    """
    printer = _Printer(values)
    out = _DIRECTIVE.sub(printer.directive, form)
    return out + printer.rest()


class _Printer:
    """Walks the values: each directive takes the next one, unless it names another (`%[1]s`)."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values, self._next, self._jumped = values, 0, False

    def directive(self, found: re.Match[str]) -> str:
        form = _Form(minus="-" in found["flags"], plus="+" in found["flags"], sharp="#" in found["flags"],
                     space=" " in found["flags"], zero="0" in found["flags"])  # fmt: skip
        good, trouble = self._jump(found["at_width"]), ""
        if found["width"] == "*":
            form.width = self._star()
            trouble = "%!(BADWIDTH)" if form.width is None else ""
            if form.width is not None and form.width < 0:
                form.minus, form.width = True, -form.width
        elif found["width"]:
            form.width = int(found["width"])
        if found["dot"]:
            good = self._jump(found["at_precision"]) and good
            form.precision = self._star() if found["precision"] == "*" else int(found["precision"] or 0)
            if form.precision is None or form.precision < 0:
                trouble += "%!(BADPREC)" if form.precision is None else ""
                form.precision = None
        good = self._jump(found["at"]) and good
        return trouble + self._verb(found["verb"], form, good=good)

    def _verb(self, verb: str | None, form: "_Form", *, good: bool) -> str:
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not good:
            return f"%!{verb}(BADINDEX)"
        if self._next >= len(self._values):
            return f"%!{verb}(MISSING)"
        self._next += 1
        return form.one(verb, self._values[self._next - 1])

    def rest(self) -> str:
        """What is said of values that no directive took."""
        if self._jumped or self._next >= len(self._values):
            return ""
        left = self._values[self._next :]
        return "%!(EXTRA " + ", ".join(_typed(value, shown(value)) for value in left) + ")"

    def _jump(self, at: str | None) -> bool:
        if at is None:
            return True
        self._jumped = True
        number = int(at[1:-1]) if at[1:-1].isdecimal() else 0
        if not 1 <= number <= len(self._values):
            return False
        self._next = number - 1
        return True

    def _star(self) -> int | None:
        if self._next >= len(self._values):
            return None
        value = self._values[self._next]
        self._next += 1
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _WIDEST
        return value if fits else None


@dataclass
class _Form:
    """The flags, width and precision of a directive."""

    minus: bool = False
    plus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    width: int | None = None
    precision: int | None = None

    def one(self, verb: str, value: Any) -> str:
        """A value by a verb."""
        self.width = None if self.width is not None and self.width > _WIDEST else self.width
        if verb == "T":
            return self._text("s", _type(value))
        if value is None:
            return self._padded("<nil>") if verb == "v" else f"%!{verb}(<nil>)"
        known = {str: "svqxX", bool: "tv", int: "dvxXobOcqU", float: "vgGeEfF"}
        if isinstance(value, float) and verb in "bxX":
            raise ValueError(f"{shown(value)} is not written by %{verb} here")
        if verb not in known[type(value)]:
            return f"%!{verb}({_typed(value, self._plain(value, verb))})"
        if verb == "v":
            self.plus = False  # there it asks for the names of fields
            return self._plain(value)
        if isinstance(value, str):
            return self._text(verb, value)
        if isinstance(value, bool):
            return self._padded(shown(value))
        return self._whole(verb, value) if isinstance(value, int) else self._number(verb, value)

    def _plain(self, value: Any, verb: str = "v") -> str:
        """By `%v`, where `#` asks for a program's way to say it; in the error about another verb it does not."""
        sharp = self.sharp and verb == "v"
        self.sharp = self.sharp and verb != "v"
        if isinstance(value, bool):
            return self._padded(shown(value))
        if isinstance(value, str):
            return self._text("q" if sharp else "s", value)
        return self._whole("d", value) if isinstance(value, int) else self._number("g", value)

    def _text(self, verb: str, value: str) -> str:
        if verb in "xX":
            raw = value.encode()[: self.precision]
            if not raw:
                return self._padded("")
            head = f"0{verb}" if self.sharp else ""
            pairs = [f"{byte:02{verb}}" for byte in raw]
            return self._padded(" ".join(head + pair for pair in pairs) if self.space else head + "".join(pairs))
        cut = value[: self.precision]
        if verb == "q":
            raw_quotes = self.sharp and not any(c in "`\x7f\ufeff" or (c < " " and c != "\t") for c in cut)
            return self._padded(f"`{cut}`" if raw_quotes else _quoted(cut, '"', ascii_only=self.plus))
        return self._padded(cut)

    def _whole(self, verb: str, value: int) -> str:
        if verb in "cq":
            character = chr(value) if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
            return self._padded(character if verb == "c" else _quoted(character, "'", ascii_only=self.plus))
        if verb == "U":
            code = f"U+{value & (2**64 - 1):0{max(4, self.precision or 4)}X}"
            named = self.sharp and 0 <= value < 0x110000 and chr(value).isprintable()
            self.zero = False
            return self._padded(f"{code} '{chr(value)}'" if named else code)
        digits = format(abs(value), {"O": "o"}.get(verb, verb))
        least = self.precision
        if least is not None:
            self.zero = False
            if least == 0 and value == 0:
                return self._padded("")
        elif self.zero and not self.minus and self.width is not None:
            least = self.width - (1 if value < 0 or self.plus or self.space else 0)
        digits = digits.zfill(least or 0)
        if self.sharp and verb in "bxX":
            digits = f"0{verb}{digits}"
        elif self.sharp and verb == "o" and not digits.startswith("0"):
            digits = f"0{digits}"
        elif verb == "O":
            digits = f"0o{digits}"
        sign = "-" if value < 0 else "+" if self.plus else " " if self.space else ""
        self.zero = False
        return self._padded(sign + digits)

    def _number(self, verb: str, value: float) -> str:
        if self.precision is None and verb in "gG" and not self.sharp:
            text = _shortest(abs(value))
            text = text.upper() if verb == "G" else text
        else:
            text = f"%{'#' if self.sharp else ''}.{6 if self.precision is None else self.precision}{verb}" % abs(value)
        sign = "-" if value < 0 else "+" if self.plus else " " if self.space else ""
        if sign and self.zero and not self.minus and self.width is not None:
            return sign + text.rjust(self.width - 1, "0")
        return self._padded(sign + text)

    def _padded(self, text: str) -> str:
        if self.width is None:
            return text
        return text.ljust(self.width) if self.minus else text.rjust(self.width, "0" if self.zero else " ")


def _quoted(text: str, quote: str, *, ascii_only: bool) -> str:
    """As Go writes a constant: what cannot be printed is an escape."""

    def one(character: str) -> str:
        if character == quote:
            return f"\\{quote}"
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character.isprintable() and (character.isascii() or not ascii_only):
            return character
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return f"{quote}{''.join(map(one, text))}{quote}"


def _shortest(value: float) -> str:
    """The fewest digits that mean this number; with an exponent where it is very small or large."""
    number = Decimal(repr(value)).normalize()
    sign, digits, _ = number.as_tuple()
    exponent = number.adjusted() if value else 0
    head = "-" if sign else ""
    if -4 <= exponent < _EXPONENT_FROM:
        return head + format(abs(number), "f")
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{head}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _typed(value: Any, text: str) -> str:
    return "<nil>" if value is None else f"{_type(value)}={text}"


def _type(value: Any) -> str:
    return {str: "string", bool: "bool", int: "int", float: "float64"}.get(type(value), "<nil>")
