# SPDX-License-Identifier: MIT
"""Mustache as mustache.js 2.2 renders it: parsed once into a tree, rendered from plain values.

Ours rather than a library's, because a repository's bytes depend on what only that version does (a name found in an
outer view when the inner one lacks its last part, lines emptied of tags, what counts as true), because a value that
nobody sets must be told with its line, and because it is the innermost loop of a run: it takes a third of mstache's
time for a deployment of two containers. Lambdas and partials are left out: a YAML view has no functions, and the
original handed no partials over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kit_deploymentizer.javascript import length_of, text_of, truthy

_ENTITIES: Final = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "/": "&#x2F;", "`": "&#x60;", "=": "&#x3D;",
}  # fmt: skip
_ESCAPED: Final = re.compile("[" + "".join(_ENTITIES) + "]")
_TYPE: Final = re.compile(r"[#^/>{&=!]")
_WHITE: Final = re.compile(r"\s*")
_ABSENT: Final = object()
_DEEPEST: Final = 200
"""Sections in one another; each is a call of its own while rendering."""


class MustacheError(ValueError):
    """The template cannot be parsed: `line` and `column` count from 1."""

    def __init__(self, message: str, source: str, offset: int) -> None:
        super().__init__(message)
        self.line = source.count("\n", 0, offset) + 1
        self.column = offset - source.rfind("\n", 0, offset)


@dataclass(frozen=True)
class Unset:
    """A name in a template that nothing sets; it printed as nothing."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class _Variable:
    parts: tuple[str, ...]
    escaped: bool
    unset: Unset  # what is told where nothing sets it


@dataclass(frozen=True, slots=True)
class _Section:
    parts: tuple[str, ...]
    inverted: bool
    body: "_Nodes"


_Nodes = Sequence[str | _Variable | _Section]
_Views = tuple[Any, ...]


class Mustache:
    """A parsed template. `render` may be called any number of times; raises nothing for any view."""

    def __init__(self, source: str) -> None:
        """Parse `source`. Raises `MustacheError`."""
        tokens = _tokens(source)
        self._nodes = _nested(tokens, source)
        # A template that asks `{{^port}}` knows that a port may be missing.
        self._optional = frozenset(token.value for token in tokens if token.kind in {"#", "^"})

    def render(self, view: Mapping[str, Any]) -> tuple[str, list[Unset]]:
        """The text, and the names that were to be printed and that nothing sets, in the order they came.

        Left out are names that the template also asks for in a section, and comments.
        """
        out: list[str] = []
        unset: list[Unset] = []
        _render(self._nodes, (view,), out, unset)
        return "".join(out), [one for one in unset if one.name not in self._optional and not one.name.startswith("!")]


def escape(text: str) -> str:
    """As mustache.js escapes for HTML."""
    if not _ESCAPED.search(text):
        return text
    return _ESCAPED.sub(lambda found: _ENTITIES[found[0]], text)


def _render(nodes: _Nodes, views: _Views, out: list[str], unset: list[Unset]) -> None:
    # The innermost loop of every run: `__class__ is` rather than isinstance, and the usual look-up in its place.
    for node in nodes:
        kind = node.__class__
        if kind is str:
            out.append(node)  # type: ignore[arg-type]
            continue
        parts = node.parts  # type: ignore[union-attr]
        value = views[0].get(parts[0], _ABSENT) if len(parts) == 1 and views[0].__class__ is dict else _ABSENT
        if value is _ABSENT:
            value = _look_up(parts, views)
        if kind is _Variable:
            if value.__class__ is str:
                out.append(escape(value) if node.escaped else value)  # type: ignore[union-attr]
            elif value is _ABSENT:
                unset.append(node.unset)  # type: ignore[union-attr]
            elif value is not None:
                out.append(escape(text_of(value)) if node.escaped else text_of(value))  # type: ignore[union-attr]
        else:
            _render_section(node, value, views, out, unset)  # type: ignore[arg-type]


def _render_section(node: _Section, value: Any, views: _Views, out: list[str], unset: list[Unset]) -> None:
    true = value is not _ABSENT and truthy(value)
    if node.inverted:
        if not true or value == []:
            _render(node.body, views, out, unset)
    elif true:
        if isinstance(value, list):
            for item in value:
                _render(node.body, (item, *views), out, unset)
        else:
            _render(node.body, views if value is True else (value, *views), out, unset)


def _look_up(parts: tuple[str, ...], views: _Views) -> Any:
    """The value of a name: from the innermost view that has all of it, else what the outermost one makes of it."""
    if not parts:
        return views[0]
    value: Any = _ABSENT
    for view in views:
        value, found = view, False
        for part in parts:
            if value.__class__ is dict:
                found = part in value
                value = value[part] if found else _ABSENT
            elif value is None or value is _ABSENT:
                found = False
                break
            else:
                found, value = _property(value, part)
        if found:
            return value
    return _ABSENT if value is None else value


def _property(value: Any, name: str) -> tuple[bool, Any]:
    """What JavaScript finds beside the keys of maps: the length and the items of lists and strings.

    A string's are read, but do not end the search (`in` works on objects only).
    """
    if isinstance(value, list):
        if name == "length":
            return True, len(value)
        index = _index(name)
        return (True, value[index]) if index is not None and index < len(value) else (False, _ABSENT)
    if isinstance(value, str):
        if name == "length":
            return False, length_of(value)
        index = _index(name)
        return False, value[index] if index is not None and index < len(value) else _ABSENT
    return False, _ABSENT


def _index(name: str) -> int | None:
    return int(name) if name.isdecimal() and (name == "0" or name[0] != "0") else None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # text, name, &, #, ^, /, !, =, >
    value: str
    offset: int


def _tokens(source: str) -> list[_Token]:
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
        self.tokens: list[_Token | None] = []
        self._blanks: list[int] = []  # whitespace tokens of the current line
        self._tag = False  # the current line has a tag
        self._ink = False  # the current line prints something
        self._set_delimiters("{{", "}}")

    def text(self) -> None:
        """Everything up to the next tag, a line at a time."""
        found = self._opening.search(self.source, self.position)
        end = found.start() if found else len(self.source)
        while self.position < end:
            newline = self.source.find("\n", self.position, end)
            stop = newline + 1 if newline >= 0 else end
            piece = self.source[self.position : stop]
            if piece.isspace():
                self._blanks.append(len(self.tokens))
            else:
                self._ink = True
            self.tokens.append(_Token("text", piece, self.position))
            self.position = stop
            if newline >= 0:
                self._end_line()

    def tag(self) -> None:
        """One tag. Raises `MustacheError` where it does not end."""
        start = self.position
        self._tag = True
        self._skip(self._opening)
        kind = self._skip(_TYPE) or "name"
        self._skip(_WHITE)
        closing = self._closing_curly if kind == "{" else self._closing
        found = closing.search(self.source, self.position)
        if found is None:
            raise MustacheError("a tag begins here and does not end", self.source, start)
        value = self.source[self.position : found.start()]
        self.position = found.end()
        if kind == "=":
            self._new_delimiters(value, start)
        kind = "&" if kind == "{" else kind
        self.tokens.append(_Token(kind, value, start))
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
        self._set_delimiters(*words)

    def _set_delimiters(self, opening: str, closing: str) -> None:
        self._opening = re.compile(re.escape(opening) + r"\s*")
        self._closing = re.compile(r"\s*" + re.escape(closing))
        self._closing_curly = re.compile(r"\s*" + re.escape("}" + closing))


def _nested(tokens: list[_Token], source: str) -> _Nodes:
    """Tokens as a tree. Raises `MustacheError` where sections do not close."""
    top: list[Any] = []
    nodes, opened = top, []
    for token in tokens:
        if token.kind == "text":
            if nodes and isinstance(nodes[-1], str):
                nodes[-1] += token.value
            else:
                nodes.append(token.value)
        elif token.kind in {"name", "&"}:
            line = source.count("\n", 0, token.offset) + 1
            nodes.append(_Variable(_parts(token.value), token.kind == "name", Unset(token.value, line)))
        elif token.kind in {"#", "^"}:
            body: list[Any] = []
            nodes.append(_Section(_parts(token.value), token.kind == "^", body))
            opened.append((token, nodes))
            if len(opened) > _DEEPEST:
                raise MustacheError(f"more than {_DEEPEST} sections lie in one another", source, token.offset)
            nodes = body
        elif token.kind == "/":
            if not opened:
                raise MustacheError(f"{token.value!r} is closed here and was not opened", source, token.offset)
            begin, outer = opened.pop()
            if begin.value != token.value:
                raise MustacheError(
                    f"section {begin.value!r} must be closed before {token.value!r} is", source, token.offset
                )
            nodes = outer
    if opened:
        raise MustacheError(f"section {opened[-1][0].value!r} is not closed", source, opened[-1][0].offset)
    return top


def _parts(name: str) -> tuple[str, ...]:
    """A dotted name's parts; none for `.`, the view itself. A name that begins with a dot is not dotted."""
    if name == ".":
        return ()
    return tuple(name.split(".")) if name.find(".") > 0 else (name,)
