# SPDX-License-Identifier: MIT
"""What other programs read in a YAML text: PyYAML (1.1), and ruamel.yaml as 1.1 and as 1.2."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

STRING = "tag:yaml.org,2002:str"

Document = list[tuple[Any, Any]] | Any
"""A mapping's pairs in their order, each node with its resolved tag; or another root."""


def pyyaml(text: str) -> list[Document] | None:
    """The documents as PyYAML's own reader (not the C one, which the step uses) takes them; None: not at all."""
    try:
        return [_root(node) for node in yaml.compose_all(text, Loader=yaml.SafeLoader)]
    except yaml.YAMLError:
        return None


def _ruamel(version: tuple[int, int]) -> Callable[[str], list[Document] | None]:
    def read(text: str) -> list[Document] | None:
        reader = YAML(typ="safe", pure=True)
        reader.version = version
        reader.allow_duplicate_keys = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return [_root(node) for node in reader.compose_all(io.StringIO(text))]
            except YAMLError:
                return None
            except (AttributeError, IndexError, TypeError, ValueError, NotImplementedError, AssertionError):
                return None  # it stumbles over some malformed texts

    return read


READERS: Mapping[str, Callable[[str], list[Document] | None]] = {
    "PyYAML": pyyaml,
    "ruamel.yaml 1.1": _ruamel((1, 1)),
    "ruamel.yaml 1.2": _ruamel((1, 2)),
}


def _root(node: Any) -> Document:
    if node is not None and node.id == "mapping":
        return [(_shown(key, ()), _shown(value, ())) for key, value in node.value]
    return _shown(node, ())


def _shown(node: Any, above: tuple[int, ...]) -> Any:
    """A node with everything that a program sees of it."""
    if node is None or id(node) in above:
        return None
    above = (*above, id(node))
    tag = str(getattr(node, "tag", ""))
    if node.id == "scalar":
        return tag, node.value
    if node.id == "sequence":
        return tag, [_shown(item, above) for item in node.value]
    return tag, [(_shown(key, above), _shown(value, above)) for key, value in node.value]


def expected(
    documents: list[Document], values: Mapping[str, str], remove: frozenset[str], *, first: str
) -> list[list[Any]]:
    """The documents with `values` set and `remove` taken away, without regard to where new keys go: each document as
    its other pairs in their order, and the sorted ones that were asked for.
    """
    holding = [place for place, root in enumerate(documents) if isinstance(root, list) and _named(root, first)]
    target = holding[0] if holding else 0
    result = []
    for place, root in enumerate(documents or [[]]):
        if place != target or not (isinstance(root, list) or _is_nothing(root)):
            result.append([root, []])
            continue
        pairs = root if isinstance(root, list) else []
        going = {key for key in remove for value in _named(pairs, key) if isinstance(value[1], str)}
        others = [pair for pair in pairs if _name(pair[0]) not in values and _name(pair[0]) not in going]
        result.append([others, sorted(values.items())])
    return result


def seen(documents: list[Document], before: list[list[Any]]) -> list[list[Any]]:
    """The documents in the form of `expected`, split where that is split."""
    result = []
    for root, wanted in zip(documents, before, strict=False):
        keys = dict(wanted[1])
        if not keys or not isinstance(root, list):
            result.append([root, []])
            continue
        others = [pair for pair in root if _name(pair[0]) not in keys]
        own = [(_name(key), value[1]) for key, value in root if _name(key) in keys and value[0] == STRING]
        result.append([others, sorted(own)])
    return result + [[root, []] for root in documents[len(before) :]]


def _is_nothing(root: Any) -> bool:
    return root is None or (root[0] == "tag:yaml.org,2002:null")


def _named(pairs: list[tuple[Any, Any]], key: str) -> list[Any]:
    return [value for name, value in pairs if _name(name) == key]


def _name(key: Any) -> str | None:
    return key[1] if isinstance(key[1], str) else None
