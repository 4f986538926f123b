# SPDX-License-Identifier: MIT
"""From YAML's text to PyYAML's nodes, with nothing decided yet of what a plain word means."""

from typing import Any, Final

import yaml
from yaml.composer import Composer, ComposerError

UNTAGGED: Final = "untagged"
"""The tag of a scalar whose author gave none."""
_DEEPEST: Final = 200
"""Levels of nesting; Kubernetes' own deepest schemas have some fifty."""


def nodes_of(text: str) -> list[yaml.Node]:
    """The documents of `text`, each as its topmost node.

    Raises what PyYAML raises, and `RecursionError` where it is nested too deeply.
    """
    try:
        return _nodes(_Loader(text))
    except ComposerError as error:
        if "duplicate anchor" not in str(error):
            raise
        return _nodes(_RenamingLoader(text))


def _nodes(loader: "_Loader") -> list[yaml.Node]:
    nodes = []
    try:
        while loader.check_node():
            nodes.append(loader.get_node())
    finally:
        loader.dispose()
    return [node for node in nodes if node is not None]


class _Loader(yaml.CBaseLoader):
    """Resolves nothing, and counts how deep it is: the C parser recurses on its stack and would take the process with
    it.
    """

    depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: Any) -> None:  # noqa: ARG002
        """Called when a node begins."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RecursionError

    def ascend_resolver(self) -> None:
        """Called when a node ends."""
        self.depth -= 1

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ARG002 - the parser's signature
        """The tag of a node whose author gave none."""
        return UNTAGGED if kind is yaml.ScalarNode else ""


class _RenamingLoader(Composer, _Loader):
    """For a text that gives the name of an anchor twice. YAML allows that: an alias is of the last one before it.

    PyYAML's composer in C refuses it, so the nodes are put together in Python, from the C parser's events.
    """

    def __init__(self, text: str) -> None:
        _Loader.__init__(self, text)
        self.anchors: dict[Any, yaml.Node] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node and what is in it; called for every node."""
        event = self.peek_event()
        if isinstance(event, yaml.NodeEvent) and not isinstance(event, yaml.AliasEvent):
            self.anchors.pop(event.anchor, None)
        return super().compose_node(parent, index)
