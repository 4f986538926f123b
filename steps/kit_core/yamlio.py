# SPDX-License-Identifier: MIT
"""YAML with positions, in several documents, its words read as the tool in question reads them.

The C parser of PyYAML does the reading; what a plain scalar means is decided by a `Words` function (`yamlwords`), so
that one file can be read as Kubernetes' tools read it or as the original kit did.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import yaml

from kit_core.errors import InputError
from kit_core.yamlnodes import UNTAGGED, nodes_of
from kit_core.yamlwords import Keys, Words, kubernetes_keys, kubernetes_words

_PREFIX: Final = "tag:yaml.org,2002:"
_HINTS: Final = {
    "found character that cannot start any token": "Indent with spaces, not tabs; quote a value that begins with"
    " `%`, `@` or a backtick.",
    "mapping values are not allowed in this context": "Look for a missing quote around a text with `: ` in it, or for"
    " a line that is indented further than the one above.",
    "did not find expected key": "Look at the indentation of this line and for a quote that is not closed.",
    "could not find expected ':'": "Every key needs a `:` and a space behind it.",
    "did not find expected '-' indicator": "Every item of a list begins with `- ` in the same column.",
    "found unknown escape character": "In double quotes a backslash begins an escape; use single quotes.",
    "found unexpected end of stream": "A quote that begins here is not closed.",
    "found undefined alias": "The `*name` refers to an `&name` that must stand before it.",
    "did not find expected node content": "Quote a value that begins with one of `{ [ * & ! % @`.",
}


class YamlError(InputError):
    """The text is no YAML, or holds something that a plain document must not."""


@dataclass(frozen=True)
class Position:
    """A place in a file; line and column count from 1."""

    name: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Document:
    """One document: its value, where it begins, keys that stand twice in one map, and where everything stands."""

    value: Any
    start: Position
    duplicates: tuple[Position, ...]
    node: yaml.Node | None = field(repr=False, compare=False)

    def position(self, *path: str | int) -> Position:
        """Where the value at `path` (keys and indices from the top) stands; the nearest known place above it else."""
        node = self.node
        for step in path:
            below = _below(node, step) if node is not None else None
            if below is None:
                break
            node = below
        return _position(self.start.name, node.start_mark) if node is not None else self.start

    def key_position(self, *path: str | int) -> Position:
        """Where the entry at `path` begins (its key, an item's value); the nearest known place above it else."""
        node, place = self.node, self.start
        for step in path:
            entry = _entry(node, step) if node is not None else None
            if entry is None:
                break
            begin, node = entry
            place = _position(self.start.name, begin.start_mark)
        return place


def load_documents(
    text: str, *, name: str, words: Words = kubernetes_words, keys: Keys = kubernetes_keys
) -> list[Document]:
    """Every document of `text` that holds something. `name` (a path) stands in errors. Raises `YamlError`."""
    documents = []
    for node in _composed(text, name):
        builder = _Builder(name, words, keys)
        value = builder.build(node)
        if value is not None:
            start = _position(name, node.start_mark)
            documents.append(Document(value, start, tuple(builder.duplicates), node))
    return documents


def load_document(text: str, *, name: str, words: Words = kubernetes_words, keys: Keys = kubernetes_keys) -> Document:
    """The only document of `text`; an empty file's value is None. Raises `YamlError` where there are several."""
    documents = load_documents(text, name=name, words=words, keys=keys)
    if len(documents) > 1:
        place = documents[1].start
        raise _error(place, "a second document begins here, and this file holds one", "Remove the `---` before it.")
    return documents[0] if documents else Document(None, Position(name, 1, 1), (), None)


def _composed(text: str, name: str) -> Iterator[yaml.Node]:
    try:
        yield from nodes_of(text)
    except yaml.MarkedYAMLError as error:
        unclosed = "quoted scalar" in str(error.context) and "end of stream" in str(error.problem)
        mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
        place = _position(name, mark) if mark else Position(name, 1, 1)
        problem = " ".join(str(part) for part in (error.problem, error.context) if part)
        hint = next((hint for start, hint in _HINTS.items() if (error.problem or "").startswith(start)), None)
        raise _error(place, problem, hint) from None
    except yaml.reader.ReaderError as error:
        # The parser counts the bytes of UTF-8.
        before = text.encode()[: error.position].decode(errors="ignore") if isinstance(error.position, int) else ""
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        shown = f"U+{ord(error.character):04X}" if isinstance(error.character, str) else f"{error.character:#x}"
        raise _error(Position(name, line, column), f"the character {shown} is not allowed in YAML", None) from None
    except (RecursionError, UnicodeEncodeError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "it holds half a surrogate pair"
        raise _error(Position(name, 1, 1), why, None) from None


def _error(place: Position, why: str, hint: str | None) -> YamlError:
    return YamlError(
        "malformed YAML",
        where=str(place),
        why=why,
        hint=hint,
        file=place.name,
        line=place.line,
        column=place.column,
    )


def _position(name: str, mark: yaml.Mark) -> Position:
    return Position(name, mark.line + 1, mark.column + 1)


def _below(node: yaml.Node, step: str | int) -> yaml.Node | None:
    entry = _entry(node, step)
    return entry[1] if entry else None


def _entry(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that an entry begins with, and the one of its value."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        if -len(node.value) <= step < len(node.value):
            return node.value[step], node.value[step]
        return None
    if isinstance(node, yaml.MappingNode):
        return _entries(node).get(str(step)) or _merged_entry(node, step)
    return None


@lru_cache(maxsize=4)
def _entries(node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """A map's entries by key. Remembered for a few maps: who asks for one place in a long map often asks for more."""
    return {key.value: (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _merged_entry(node: yaml.MappingNode, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The entry that `<<` brings into a map: where it stands in the map that is merged; the first that has it wins."""
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _entry(source, step) if isinstance(source, yaml.MappingNode) else None
                if found:
                    return found
    return None


class _Builder:
    """From nodes to plain values. An alias gives the same object again, so no text explodes while it is read."""

    def __init__(self, name: str, words: Words, keys: Keys) -> None:
        self._name = name
        self._words = words
        self._keys = keys
        self._built: dict[int, Any] = {}
        self._open: set[int] = set()
        self.duplicates: list[Position] = []

    def build(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        known = id(node)
        if known in self._built:
            return self._built[known]
        if known in self._open:
            raise _error(_position(self._name, node.start_mark), "an alias refers to what holds it", None)
        self._open.add(known)
        try:
            value = (
                [self.build(item) for item in node.value]
                if isinstance(node, yaml.SequenceNode)
                else self._mapping(node)
            )
        except RecursionError:
            raise _error(_position(self._name, node.start_mark), "it is nested too deeply", None) from None
        finally:
            self._open.discard(known)
        self._built[known] = value
        return value

    def _mapping(self, node: Any) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.value == "<<" and not key_node.style:
                for source in self._merge_sources(value_node):
                    merged = {**source, **merged}
                continue
            key = self._key(key_node)
            if key in own:
                self.duplicates.append(_position(self._name, key_node.start_mark))
            own[key] = self.build(value_node)
        return {**merged, **own} if merged else own

    def _merge_sources(self, node: yaml.Node) -> list[Mapping[str, Any]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = [self.build(source) for source in sources]
        if not all(isinstance(value, dict) for value in values):
            raise _error(_position(self._name, node.start_mark), "`<<` merges maps, and this is none", None)
        return values

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _error(
                _position(self._name, node.start_mark),
                "a key must be a plain word",
                "Quote a value that begins with `{`, such as one that a template fills in.",
            )
        value = self._scalar(node)
        return value if isinstance(value, str) else self._keys(value)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag == UNTAGGED:
            return node.value if node.style else self._words(node.value)
        tag = node.tag.removeprefix(_PREFIX)
        if tag in {"!", "str", "binary", "timestamp"}:
            return node.value
        value = self._words(node.value)
        fits = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}.get(tag)
        if fits is None or not isinstance(value, fits):  # type: ignore[arg-type]
            why = f"the tag {node.tag!r} does not fit the value {node.value!r}" if fits else f"unknown tag {node.tag!r}"
            raise _error(_position(self._name, node.start_mark), why, None)
        return float(value) if tag == "float" else value
