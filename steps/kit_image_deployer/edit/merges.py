# SPDX-License-Identifier: MIT
"""Which keys a `<<` brings into a file's top-level mapping, from the parser's events.

The events are read as a stream: the parser's own tree of a large file would take much memory, and is built by
recursion.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from kit_image_deployer.edit.layout import events, is_merge


@dataclass(eq=False)
class _Node:
    """A mapping (its wanted keys, and what it merges) or a list (its items, of which a merge takes the keys).

    A list to which no merge can refer does not count, and does not keep its items.
    """

    is_list: bool
    counts: bool = True
    keys: set[str] = field(default_factory=set)
    sources: list["_Node"] = field(default_factory=list)
    at_key: bool = True
    merging: bool = False


def merged_keys(text: str, wanted: Collection[str], *, name: str) -> set[str]:
    """Those of the `wanted` keys that merges bring into the top-level mappings of a text that is known to parse."""
    found: set[str] = set()
    open_nodes: list[_Node] = []
    anchored: dict[str, Any] = {}
    for event in events(text, name=name):
        if isinstance(event, yaml.DocumentStartEvent):
            anchored = {}
        elif isinstance(event, yaml.CollectionEndEvent):
            node = open_nodes.pop()
            if not open_nodes:
                found |= _reached(node.sources)
        elif isinstance(event, yaml.NodeEvent):
            thing = _thing(event, anchored)
            if isinstance(event, yaml.SequenceStartEvent):
                thing.counts = event.anchor is not None or any(node.merging for node in open_nodes[-1:])
            if open_nodes:
                _place(open_nodes[-1], thing, wanted)
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append(thing)
    return found


def _thing(event: Any, anchored: dict[str, Any]) -> Any:
    """What the event stands for: a `_Node`, or the event of a scalar; None for an alias to nothing."""
    if isinstance(event, yaml.AliasEvent):
        return anchored.get(str(event.anchor))
    thing = event if isinstance(event, yaml.ScalarEvent) else _Node(isinstance(event, yaml.SequenceStartEvent))
    if event.anchor is not None:
        anchored[event.anchor] = thing
    return thing


def _place(parent: _Node, thing: Any, wanted: Collection[str]) -> None:
    """Note what `thing` is to the collection that it stands in."""
    if parent.is_list:
        if parent.counts and isinstance(thing, _Node):
            parent.sources.append(thing)
        return
    if parent.at_key:
        is_scalar = isinstance(thing, yaml.ScalarEvent)
        parent.merging = is_scalar and is_merge(thing)
        if is_scalar and thing.value in wanted:
            parent.keys.add(thing.value)
    elif parent.merging and isinstance(thing, _Node):
        parent.sources.append(thing)
    parent.at_key = not parent.at_key


def _reached(nodes: Iterable[_Node]) -> set[str]:
    """The keys of the nodes and of everything that they merge in turn."""
    keys: set[str] = set()
    seen: set[_Node] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            keys |= node.keys
            waiting += node.sources
    return keys
