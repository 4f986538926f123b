# SPDX-License-Identifier: MIT
"""From a Mustache template's text to its tags and what stands between them, with the lines they begin at. Pure."""

import re
from dataclasses import dataclass
from typing import Final

_TYPE: Final = re.compile(r"[#^/>{&=!]")
_WHITE: Final = re.compile(r"\s*")


class MustacheError(ValueError):
    """The template cannot be parsed: `line` and `column` count from 1."""

    def __init__(self, message: str, source: str, offset: int) -> None:
        super().__init__(message)
        self.line = source.count("\n", 0, offset) + 1
        self.column = offset - source.rfind("\n", 0, offset)


@dataclass(frozen=True, slots=True)
class Token:
    """Text or a tag. `offset` and `end` are where it begins and ends among the characters, `line` counts from 1."""

    kind: str  # text, name, &, #, ^, /, !, =, >
    value: str
    offset: int
    end: int
    line: int


def tokens_of(source: str) -> list[Token]:
    """Text and tags in order; whitespace of lines that hold nothing but it and tags that print nothing is left out."""
    scan = _Scan(source)
    while scan.position < len(source):
        scan.text()
        if scan.position < len(source):
            scan.tag()
    return [token for token in scan.tokens if token is not None]


class _Scan:
    """One pass over a template's text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self._line = 1
        self.tokens: list[Token | None] = []
        self._blanks: list[int] = []  # whitespace tokens of the current line
        self._tag = False  # the current line has a tag
        self._ink = False  # the current line prints something
        self._opening, self._closing = "{{", "}}"

    def text(self) -> None:
        """Everything up to the next tag: the rest of this line, whole lines, and the beginning of the tag's line."""
        found = self.source.find(self._opening, self.position)
        end = found if found >= 0 else len(self.source)
        started = False
        while self.position < end:
            find = self.source.rfind if started else self.source.find
            newline = find("\n", self.position, end)
            stop = newline + 1 if newline >= 0 else end
            started = True
            piece = self.source[self.position : stop]
            if piece.isspace():
                self._blanks.append(len(self.tokens))
            else:
                self._ink = True
            self.tokens.append(Token("text", piece, self.position, stop, self._line))
            self.position = stop
            if newline >= 0:
                self._line += piece.count("\n")
                self._end_line()

    def tag(self) -> None:
        """One tag. Raises `MustacheError` where it does not end."""
        start = self.position
        self._tag = True
        self.position += len(self._opening)
        self._skip(_WHITE)
        kind = self._skip(_TYPE) or "name"
        self._skip(_WHITE)
        closing = "}" + self._closing if kind == "{" else self._closing
        end = self.source.find(closing, self.position)
        if end < 0:
            raise MustacheError("a tag begins here and does not end", self.source, start)
        value = self.source[self.position : end].rstrip()
        self.position = end + len(closing)
        line = self._line
        self._line += self.source.count("\n", start, self.position)
        if kind == "=":
            self._new_delimiters(value, start)
        kind = "&" if kind == "{" else kind
        self.tokens.append(Token(kind, value, start, self.position, line))
        if kind in {"name", "&"}:
            self._ink = True

    def _end_line(self) -> None:
        if self._tag and not self._ink:
            for index in self._blanks:
                self.tokens[index] = None
        self._blanks = []
        self._tag = self._ink = False

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.source, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[0]

    def _new_delimiters(self, value: str, start: int) -> None:
        words = value.rstrip().removesuffix("=").split()
        if len(words) != 2:
            raise MustacheError("new delimiters are written `{{=<% %>=}}`", self.source, start)
        self._opening, self._closing = words
