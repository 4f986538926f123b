# SPDX-License-Identifier: MIT
"""The scalars of a YAML document with the places in the text that they take up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from kit_core.yamlio import Document, YamlError
from kit_core.yamlwords import Words, kubernetes_words

_MOST: Final = 200_000


@dataclass(frozen=True)
class Scalar:
    """A scalar: keys and indices down to it, its value and its text, and where it begins and ends among the characters
    of what was read (quotes belong to it)."""

    path: tuple[str | int, ...]
    value: Any
    text: str
    start: int
    end: int


def scalars(document: Document, *path: str | int, words: Words = kubernetes_words) -> Iterator[Scalar]:
    """Every value at `path` of the document and below it that is a scalar, paths counted from there, in no order.

    What an alias refers to comes once for each way to it. Raises `YamlError` where that is far too often.
    """
    node = document.node
    for step in path:
        node = _child(node, step)
    waiting: list[tuple[tuple[str | int, ...], yaml.Node | None]] = [((), node)]
    count = 0
    while waiting:
        below, node = waiting.pop()
        count += 1
        if count > _MOST:
            raise YamlError("malformed YAML", where=str(document.start), why="its aliases make millions of values")
        if isinstance(node, yaml.ScalarNode):
            plain = not node.style and not node.tag.startswith("tag:")
            value = words(node.value) if plain else node.value
            yield Scalar(below, value, node.value, node.start_mark.index, node.end_mark.index)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [((*below, index), item) for index, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            waiting += [((*below, key.value), item) for key, item in node.value if isinstance(key, yaml.ScalarNode)]


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        item: yaml.Node = node.value[step]
        return item
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in reversed(pairs) if getattr(key, "value", None) == step), None)
