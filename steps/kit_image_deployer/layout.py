# SPDX-License-Identifier: MIT
"""Where things stand in a YAML text: what the byte-exact edit needs to know, from the parser's events.

Positions are indices into the text that was parsed, counted in characters.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from kit_core.errors import InputError

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BLOCK_STYLES: Final = frozenset({"|", ">"})

Signature = tuple[str, str | None, str | None, str | None]
"""An event as far as a reader of the file can tell: its kind, anchor, tag and value."""


@dataclass(frozen=True)
class Entry:
    """A key of a document's top-level mapping, and its value.

    `start` and `end` enclose the value with its anchor and tag; `index` is its place in the list of events.
    """

    key: str
    line: int
    index: int
    kind: str
    value: str | None
    style: str | None
    anchor: str | None
    tag: str | None
    start: int
    end: int

    @property
    def is_block(self) -> bool:
        """Whether it is a literal or folded block scalar."""
        return self.style in _BLOCK_STYLES


@dataclass
class Layout:
    """One document: its root and, where that is a mapping, the entries.

    `start` and `end` are the root's; `flow` tells braces from indentation; `column` is where the first key begins;
    `last` where the text of the last entry ends; `close` the index of the event that ends the mapping.
    """

    kind: str
    flow: bool
    start: int
    end: int
    index: int
    anchor: str | None
    empty: bool
    column: int = 0
    last: int = 0
    close: int = 0
    entries: list[Entry] = field(default_factory=list)
    aliased: Counter[str] = field(default_factory=Counter)

    def named(self, key: str) -> list[Entry]:
        """The entries under this key; a proper mapping has one at most."""
        return [entry for entry in self.entries if entry.key == key]


def events(text: str, *, name: str) -> list[Any]:
    """The parser's events. Raises `InputError` with file, line and column where the text is no YAML."""
    try:
        return list(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        why = " ".join(part for part in (error.problem, error.context) if part)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        why = f"the character {error.character!r} is not allowed in YAML"
    raise InputError(
        "malformed YAML",
        where=f"{name}:{line}:{column}",
        why=why,
        hint="Correct the file in the deployments repository and run again; nothing was changed.",
        file=name,
        line=line,
        column=column,
    )


def signatures(found: Iterable[Any]) -> list[Signature]:
    """What a reader can tell of each event, for comparing two texts."""
    return [
        (
            type(event).__name__,
            getattr(event, "anchor", None),
            None if event.__class__ is yaml.AliasEvent else getattr(event, "tag", None),
            getattr(event, "value", None),
        )
        for event in found
    ]


def layouts(found: list[Any]) -> list[Layout]:
    """The documents among the events."""
    documents = []
    position = iter(enumerate(found))
    for _, event in position:
        if isinstance(event, yaml.DocumentStartEvent):
            documents.append(_document(position))
    return documents


def _document(position: Iterator[tuple[int, Any]]) -> Layout:
    root: Any
    index, root = next(position)
    layout = Layout(
        kind=_kind(root),
        flow=bool(getattr(root, "flow_style", False)),
        start=root.start_mark.index,
        end=root.end_mark.index,
        index=index,
        anchor=getattr(root, "anchor", None),
        empty=isinstance(root, yaml.ScalarEvent) and root.value in {"", "~", "null"} and not root.style,
    )
    if isinstance(root, yaml.MappingStartEvent):
        _read_mapping(layout, position)
    elif isinstance(root, yaml.SequenceStartEvent):
        _skip(root, position, layout)
    return layout


def _read_mapping(layout: Layout, position: Iterator[tuple[int, Any]]) -> None:
    layout.last = layout.end
    key: Any
    value: Any
    for index, key in position:
        if isinstance(key, yaml.MappingEndEvent):
            layout.close = index
            layout.end = _to(key)
            return
        if not layout.entries:
            layout.column = key.start_mark.column
        _skip(key, position, layout)
        value_index, value = next(position)
        _skip(value, position, layout)
        if isinstance(key, yaml.ScalarEvent):
            layout.entries.append(
                Entry(
                    key=key.value,
                    line=_line(key),
                    index=value_index,
                    kind=_kind(value),
                    value=getattr(value, "value", None),
                    style=getattr(value, "style", None),
                    anchor=value.anchor,
                    tag=getattr(value, "tag", None),
                    start=value.start_mark.index,
                    end=value.end_mark.index,
                )
            )


def _skip(first: Any, position: Iterator[tuple[int, Any]], layout: Layout) -> None:
    """Pass over a whole node, noting where its text ends and which anchors it refers to."""
    depth = 0
    event: Any = first
    while True:
        if isinstance(event, yaml.AliasEvent):
            layout.aliased[str(event.anchor)] += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        # The end of a collection made by indentation is where the next thing begins, and has no text of its own.
        if not isinstance(event, yaml.CollectionEndEvent) or _to(event) > _from(event):
            layout.last = max(layout.last, _to(event))
        if depth == 0:
            return
        _, event = next(position)


def _from(event: Any) -> int:
    return int(event.start_mark.index)


def _to(event: Any) -> int:
    return int(event.end_mark.index)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _kind(event: Any) -> str:
    return {
        yaml.ScalarEvent: "scalar",
        yaml.AliasEvent: "alias",
        yaml.MappingStartEvent: "mapping",
        yaml.SequenceStartEvent: "list",
    }[type(event)]


def scalar_start(text: str, entry: Entry) -> int:
    """Where the scalar itself begins, behind its anchor and tag; its end where it is empty."""
    if entry.anchor is None and entry.tag is None:
        return entry.start
    for token in yaml.scan(text, Loader=_LOADER):
        if isinstance(token, yaml.ScalarToken) and token.end_mark.index == entry.end:
            return int(token.start_mark.index)
    return entry.end


def merged_keys(text: str, *, name: str) -> set[str]:
    """The keys that merges (`<<`) bring into the top-level mappings of a text that is known to parse."""
    keys: set[str] = set()
    try:
        roots = list(yaml.compose_all(text, Loader=_LOADER))
    except RecursionError:
        raise InputError("the file is nested too deeply", where=name, hint="Nothing was changed.", file=name) from None
    for root in roots:
        if isinstance(root, yaml.MappingNode):
            _gather_merged(root, keys, set())
    return keys


def _gather_merged(node: yaml.MappingNode, keys: set[str], seen: set[int]) -> None:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value != "<<" or key.style:
            continue
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            if isinstance(source, yaml.MappingNode) and id(source) not in seen:
                seen.add(id(source))
                keys.update(own.value for own, _ in source.value if isinstance(own, yaml.ScalarNode))
                _gather_merged(source, keys, seen)
