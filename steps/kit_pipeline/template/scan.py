# SPDX-License-Identifier: MIT
"""From text to tokens: plain text, and what stands between `{{` and `}}`."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kit_pipeline.template.error import TemplateError

Kind = Literal["text", "open", "close", "string", "character", "number", "field", "variable", "word", "symbol", "space"]

_SPACE: Final = " \t\r\n"
_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<close>(?<=[ \t\r\n])-\}\}|\}\})
    | (?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)
    | (?P<character>'(?:\\.[^'\n]*|[^'\\\n])')
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
                       |\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)(?![A-Za-z0-9]))
    | (?P<field>\.(?:[^\W\d]\w*)?)
    | (?P<variable>\$\w*)
    | (?P<word>[^\W\d]\w*)
    | (?P<symbol>:=|[=|(),])
    """,
    re.VERBOSE,
)
_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
}
_COMMENT: Final = re.compile(r"/\*.*?\*/(?P<trim>[ \t\r\n]-)?\}\}", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """A piece of a template: what it is, its text (a string's without quotes), and where it begins."""

    kind: Kind
    text: str
    at: int


def scan(text: str, name: str) -> list[Token]:
    """The tokens of `text`. White space in an action is one, since `.A .B` is not `.A.B`. Raises `TemplateError`."""
    return list(_tokens(text, name))


def _tokens(text: str, name: str) -> Iterator[Token]:
    at, trim = 0, False
    while True:
        opening = text.find("{{", at)
        plain = text[at:] if opening < 0 else text[at:opening]
        if trim:
            plain = plain.lstrip(_SPACE)
        if opening < 0:
            yield Token("text", plain, at)
            return
        inside = opening + 2
        if text.startswith("-", inside) and text[inside + 1 : inside + 2] in tuple(_SPACE):
            plain, inside = plain.rstrip(_SPACE), inside + 1
        yield Token("text", plain, at)
        comment = _COMMENT.match(text, inside + (inside - opening - 2))  # a space belongs to the `-` that trims
        if comment:
            at, trim = comment.end(), comment["trim"] is not None
            continue
        yield Token("open", "{{", opening)
        end = yield from _action(text, inside, name)
        trim = text.startswith("-}}", end - 3)
        at = end


def _action(text: str, at: int, name: str) -> Generator[Token, None, int]:
    """The tokens of one action; what it returns is where the text goes on."""
    start = at
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise TemplateError(
                "The template is wrong",
                where=name,
                why=f"{text[at : at + 10]!r} is nothing that may stand in `{{{{ }}}}`",
                hint=_hint(text[at]),
            )
        kind = found.lastgroup
        if kind in {"string", "character"}:
            yield Token(kind, _unquoted(found[0], name), at)  # type: ignore[arg-type]
        else:
            yield Token(kind, found[0], at)  # type: ignore[arg-type]
        at = found.end()
        if kind == "close":
            return at
    raise TemplateError(
        "The template is wrong", where=name, why=f"`{{{{` at character {start - 1} is not closed", hint="Add `}}`."
    )


def _unquoted(quoted: str, name: str) -> str:
    """What a quoted text means; of a single character, its number."""
    if quoted[0] == "`":
        return quoted[1:-1].replace("\r", "")

    def one(found: re.Match[str]) -> str:
        digits, octal = found[2] or found[3] or found[1], found[4]
        code = int(digits, 16) if digits else int(octal, 8) if octal else -1
        known = {**_ESCAPES, quoted[0]: quoted[0]}.get(found[5])
        # \x and three digits mean a byte; beyond ASCII that is a part of a character.
        if code > 0x10FFFF or 0xD800 <= code < 0xE000 or (code > 0x7F and (found[1] or octal)):
            known = None
        elif code >= 0:
            known = chr(code)
        if known is None:
            raise TemplateError("The template is wrong", where=name, why=f"{found[0]} is no escape in {quoted}")
        return known

    text = _ESCAPE.sub(one, quoted[1:-1])
    if quoted[0] == "'":
        if len(text) != 1:
            raise TemplateError("The template is wrong", where=name, why=f"{quoted} is more than one character",
                                hint="A text has double quotes.")  # fmt: skip
        return str(ord(text))
    return text


def _hint(character: str) -> str | None:
    if character in "\"'`":
        return "A quote is not closed."
    return (
        "Go's templates know no operators; `eq a b`, `and a b`, `not a` are functions."
        if character in "&!<>+="
        else None
    )
