# SPDX-License-Identifier: MIT
"""Where things stand in a YAML text: what the byte-exact edit needs to know, from the parser's events.

The events are read as a stream and only the wanted keys are kept: as Python objects, the events of a file of 2 MB would
take 90 MB. Positions are indices into the text that was parsed, counted in characters.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from kit_core.errors import InputError

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BLOCK_STYLES: Final = frozenset({"|", ">"})
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
# As deep as kit reads YAML anywhere. In braces the parser's work grows with depth times length.
_DEEPEST: Final = 200
_MOST_DOCUMENTS: Final = 1000
_NOTHING_CHANGED: Final = "Correct the file in the deployments repository and run again; nothing was changed."

Signature = tuple[str, str | None, str | None, str | None]
"""An event as far as a reader of the file can tell: its kind, anchor, tag and value."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A wanted key of a document's top-level mapping, and its value.

    `begin` is where the key begins, `start` and `end` enclose the value with its anchor and tag; `index` is the
    value's place among the events and `number` the entry's among the mapping's. `before` is where the text of the
    entry above ends, `after` where the key below begins (None: there is none).
    """

    key: str
    line: int
    index: int
    number: int
    kind: str
    value: str | None
    style: str | None
    anchor: str | None
    tag: str | None
    key_anchor: str | None
    begin: int
    start: int
    end: int
    before: int | None
    after: int | None = None

    @property
    def is_block(self) -> bool:
        """Whether it is a literal or folded block scalar."""
        return self.style in _BLOCK_STYLES

    @property
    def text(self) -> str | None:
        """What the value says, where it is a scalar that says something."""
        if self.kind != "scalar" or not self.value or (not self.style and self.tag is None and self.value in _NULLS):
            return None
        return self.value


@dataclass
class Layout:
    """One document: its root and, where that is a mapping, the wanted entries.

    `start` and `end` are the root's; `flow` tells braces from indentation; `first` is where the first key begins,
    `last` where the text of the last entry ends; `size` how many entries there are; `close` the index of the event
    that ends the mapping; `merges` whether a `<<` is among the keys.
    """

    kind: str
    flow: bool
    start: int
    end: int
    index: int
    anchor: str | None
    empty: bool
    first: int = 0
    last: int = 0
    size: int = 0
    close: int = 0
    merges: bool = False
    entries: list[Entry] = field(default_factory=list)
    aliased: Counter[str] = field(default_factory=Counter)

    def named(self, key: str) -> list[Entry]:
        """The entries under this key; a proper mapping has one at most."""
        return [entry for entry in self.entries if entry.key == key]


def events(text: str, *, name: str) -> Iterator[Any]:
    """The parser's events, one by one. Raises `InputError` with file, line and column where the text is no YAML."""
    depth = 0
    anchors: set[str] = set()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            _check_alias(event, anchors, name)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _DEEPEST:
                    raise _malformed(name, _place(event.start_mark), f"it is nested more than {_DEEPEST} levels deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            yield event
    except yaml.MarkedYAMLError as error:
        why = " ".join(part for part in (error.problem, error.context) if part)
        raise _malformed(name, _place(error.problem_mark or error.context_mark), why) from None
    except yaml.reader.ReaderError as error:
        # The C parser counts the bytes that it was given.
        before = text.encode()[: error.position].decode("utf-8", "ignore")
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        shown = error.character if isinstance(error.character, int) else ord(error.character)
        raise _malformed(name, place, f"the character U+{shown:04X} is not allowed in YAML") from None


def _check_alias(event: Any, anchors: set[str], name: str) -> None:
    """The parser passes an alias to nothing on; no reader of the file would."""
    if isinstance(event, yaml.DocumentStartEvent):
        anchors.clear()
    anchor = getattr(event, "anchor", None)
    if isinstance(event, yaml.AliasEvent) and anchor not in anchors:
        raise _malformed(name, _place(event.start_mark), f"*{anchor} refers to an anchor that is not there")
    if anchor is not None:
        anchors.add(anchor)


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _malformed(name: str, place: tuple[int, int], why: str) -> InputError:
    line, column = place
    where = f"{name}:{line}:{column}"
    return InputError(
        "malformed YAML", where=where, why=why, hint=_NOTHING_CHANGED, file=name, line=line, column=column
    )


def signatures(text: str, *, name: str) -> Iterator[Signature]:
    """What a reader can tell of each event, for comparing two texts."""
    for event in events(text, name=name):
        tag = None if isinstance(event, yaml.AliasEvent) else getattr(event, "tag", None)
        yield type(event).__name__, getattr(event, "anchor", None), tag, getattr(event, "value", None)


def layouts(text: str, wanted: Collection[str], *, name: str) -> list[Layout]:
    """The documents of `text`, with those of their entries whose key is `wanted`."""
    position = enumerate(events(text, name=name))
    documents: list[Layout] = []
    for _, event in position:
        if isinstance(event, yaml.DocumentStartEvent):
            if len(documents) == _MOST_DOCUMENTS:
                raise _malformed(name, _place(event.start_mark), f"it has more than {_MOST_DOCUMENTS} documents")
            documents.append(_Reader(wanted, position).document())
    return documents


class _Reader:
    """Reads one document from the stream of events."""

    def __init__(self, wanted: Collection[str], position: Iterator[tuple[int, Any]]) -> None:
        self._wanted = wanted
        self._position = position
        self._scalars: dict[str, Any] = {}

    def document(self) -> Layout:
        root: Any
        index, root = next(self._position)
        layout = Layout(
            kind=kind_of(root),
            flow=bool(getattr(root, "flow_style", False)),
            start=_from(root),
            end=_to(root),
            index=index,
            anchor=getattr(root, "anchor", None),
            empty=isinstance(root, yaml.ScalarEvent) and root.value in _NULLS and not root.style,
        )
        if isinstance(root, yaml.MappingStartEvent):
            self._mapping(layout)
        elif isinstance(root, yaml.SequenceStartEvent):
            self._skip(root, layout)
        return layout

    def _mapping(self, layout: Layout) -> None:
        layout.last = layout.end
        before: int | None = None
        for index, key in self._position:
            if isinstance(key, yaml.MappingEndEvent):
                layout.close = index
                layout.end = _to(key)
                return
            self._pass_by(layout, key)
            self._skip(key, layout)
            value_index, value = next(self._position)
            self._skip(value, layout)
            named = self._scalars.get(str(key.anchor)) if isinstance(key, yaml.AliasEvent) else key
            if isinstance(named, yaml.ScalarEvent):
                layout.merges |= is_merge(named)
                # Two are enough to know that there is more than one.
                if named.value in self._wanted and len(layout.named(named.value)) < 2:
                    layout.entries.append(_entry(named.value, key, value, value_index, layout.size, before))
            layout.size += 1
            before = layout.last

    def _pass_by(self, layout: Layout, key: Any) -> None:
        """Note where the next entry begins: for the first one, and for a wanted one above."""
        if not layout.size:
            layout.first = _from(key)
        if layout.entries and layout.entries[-1].number == layout.size - 1:
            layout.entries[-1] = replace(layout.entries[-1], after=_from(key))

    def _skip(self, first: Any, layout: Layout) -> None:
        """Pass over a whole node, noting where its text ends and which anchors it refers to."""
        depth = 0
        event: Any = first
        while True:
            if isinstance(event, yaml.AliasEvent):
                layout.aliased[str(event.anchor)] += 1
            elif getattr(event, "anchor", None) is not None:
                self._scalars[event.anchor] = event
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            # The end of a collection made by indentation is where the next thing begins, and has no text of its own.
            if not isinstance(event, yaml.CollectionEndEvent) or _to(event) > _from(event):
                layout.last = max(layout.last, _to(event))
            if depth == 0:
                return
            _, event = next(self._position)


def _entry(name: str, key: Any, value: Any, index: int, number: int, before: int | None) -> Entry:
    return Entry(
        key=name,
        line=int(key.start_mark.line) + 1,
        index=index,
        number=number,
        kind=kind_of(value),
        value=getattr(value, "value", None),
        style=getattr(value, "style", None),
        anchor=value.anchor,
        tag=getattr(value, "tag", None),
        key_anchor=None if isinstance(key, yaml.AliasEvent) else key.anchor,
        begin=_from(key),
        start=_from(value),
        end=_to(value),
        before=before,
    )


def is_merge(key: Any) -> bool:
    """Whether a scalar that stands as a key merges another mapping into its own."""
    return bool((key.value == "<<" and not key.style and key.tag is None) or key.tag == _MERGE_TAG)


def _from(event: Any) -> int:
    return int(event.start_mark.index)


def _to(event: Any) -> int:
    return int(event.end_mark.index)


def kind_of(event: Any) -> str:
    """What a node's first event says that it is."""
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
