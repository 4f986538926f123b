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

from kit_deploymentizer.rendering.javascript import length_of, text_of, truthy
from kit_deploymentizer.rendering.mustache_scan import MustacheError, Token, tokens_of
from kit_deploymentizer.rendering.remarks import Bare, Escaped, Remark, Retyped, Unset, read_otherwise

_ENTITIES: Final = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "/": "&#x2F;", "`": "&#x60;", "=": "&#x3D;",
}  # fmt: skip
_ESCAPED: Final = re.compile("[" + "".join(_ENTITIES) + "]")
_ABSENT: Final = object()
_STEPS: Final = 300_000
_LONGEST: Final = 10_000_000
_DEEPEST: Final = 200
"""Sections in one another; each is a call of its own while rendering."""


@dataclass(frozen=True, slots=True)
class _Variable:
    parts: tuple[str, ...]
    escaped: bool
    bare: bool  # it is all of a plain YAML value
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class _Section:
    parts: tuple[str, ...]
    inverted: bool
    body: "_Nodes"
    name: str
    line: int


class EndlessError(ValueError):
    """A template takes or prints more than any manifest. `name` and `line` are those of the section, if one does."""

    def __init__(self, message: str, name: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.name, self.line = name, line


class _Remarks(list[Remark]):
    steps = 0
    """Items that sections went over, times what each of them prints."""


_Nodes = Sequence[str | _Variable | _Section]
_Views = tuple[Any, ...]


class Mustache:
    """A parsed template. `render` may be called any number of times."""

    def __init__(self, source: str) -> None:
        """Parse `source`. Raises `MustacheError`."""
        tokens = tokens_of(source)
        self._nodes = _nested(tokens, source)
        # A template that asks `{{^port}}` knows that a port may be missing.
        self._optional = frozenset(token.value for token in tokens if token.kind in {"#", "^"})
        self.names = frozenset(token.value for token in tokens if token.kind in {"name", "&"})
        """What it prints, if its sections let it."""

    def render(self, view: Mapping[str, Any]) -> tuple[str, list[Remark]]:
        """The text, and what is to be said of values that were printed, in the order they came.

        Of names that nothing sets, those are left out that the template also asks for in a section, and comments.
        Raises `EndlessError` where it would take or print more than any manifest.
        """
        out: list[str] = []
        remarks = _Remarks()
        _render(self._nodes, (view,), out, remarks)
        if sum(map(len, out)) > _LONGEST:
            raise EndlessError(f"it prints more than {_LONGEST} characters")
        return "".join(out), [one for one in remarks if not isinstance(one, Unset) or self._is_missed(one.name)]

    def _is_missed(self, name: str) -> bool:
        return name not in self._optional and not name.startswith("!")


def escape(text: str) -> str:
    """As mustache.js escapes for HTML."""
    if not _ESCAPED.search(text):
        return text
    return _ESCAPED.sub(lambda found: _ENTITIES[found[0]], text)


def _render(nodes: _Nodes, views: _Views, out: list[str], remarks: _Remarks) -> None:
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
        if kind is not _Variable:
            _render_section(node, value, views, out, remarks)  # type: ignore[arg-type]
        elif value is _ABSENT:
            remarks.append(Unset(node.name, node.line))  # type: ignore[union-attr]
        elif value is not None:
            is_text = value.__class__ is str
            text: str = value if is_text else text_of(value)  # type: ignore[assignment]
            if is_text and node.bare and (read_as := read_otherwise(text)):  # type: ignore[union-attr]
                remarks.append(Retyped(node.name, node.line, read_as))  # type: ignore[union-attr]
            if node.escaped and _ESCAPED.search(text):  # type: ignore[union-attr]
                remarks.append(Escaped(node.name, node.line))  # type: ignore[union-attr]
                text = escape(text)
            out.append(text)


def _render_section(node: _Section, value: Any, views: _Views, out: list[str], remarks: _Remarks) -> None:
    true = value is not _ABSENT and truthy(value)
    if node.inverted:
        if not true or value == []:
            _render(node.body, views, out, remarks)
    elif true:
        if isinstance(value, list):
            remarks.steps += len(value) * (1 + len(node.body))
            if remarks.steps > _STEPS:
                raise EndlessError(f"it takes more than {_STEPS} steps", node.name, node.line)
            for item in value:
                _render(node.body, (item, *views), out, remarks)
        else:
            _render(node.body, views if value is True else (value, *views), out, remarks)


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


def _nested(tokens: list[Token], source: str) -> _Nodes:
    """Tokens as a tree. Raises `MustacheError` where sections do not close."""
    bare, line_starts = Bare(source), _line_starts(source)
    top: list[Any] = []
    nodes, opened, text = top, [], []
    for token in tokens:
        if token.kind == "text":
            text.append(token.value)
            continue
        if token.kind not in {"name", "&", "#", "^", "/"}:  # what prints nothing
            continue
        if text:
            nodes.append("".join(text))
            text = []
        if token.kind in {"name", "&"}:
            start = line_starts[token.line - 1]
            is_bare = bare.is_bare(token.line, token.offset - start, token.end - start)
            nodes.append(_Variable(_parts(token.value), token.kind == "name", is_bare, token.value, token.line))
        elif token.kind in {"#", "^"}:
            body: list[Any] = []
            nodes.append(_Section(_parts(token.value), token.kind == "^", body, token.value, token.line))
            opened.append((token, nodes))
            if len(opened) > _DEEPEST:
                raise MustacheError(f"more than {_DEEPEST} sections lie in one another", source, token.offset)
            nodes = body
        else:
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
    if text:
        nodes.append("".join(text))
    return top


def _line_starts(source: str) -> list[int]:
    starts = [0]
    starts += (found.end() for found in re.finditer("\n", source))
    return starts


def _parts(name: str) -> tuple[str, ...]:
    """A dotted name's parts; none for `.`, the view itself. A name that begins with a dot is not dotted."""
    if name == ".":
        return ()
    return tuple(name.split(".")) if name.find(".") > 0 else (name,)
