# SPDX-License-Identifier: MIT
"""Which names the templates of a repository mention, without rendering them. Pure.

Told generously: a name that might be read counts as read, since `lint` must not call anything unused that is not.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kit_deploymentizer.rendering.mustache_scan import MustacheError, tokens_of

_TAGS: Final = frozenset({"name", "&", "#", "^"})
_VIEW: Final = re.compile(r"\bview\b(?!\s*\.\s*\w|\s*\[\s*(?:'[^']*'|\"[^\"]*\")\s*\])")
"""`view` in a Jinja2 template, other than with a fixed key behind it."""


@dataclass(frozen=True)
class Named:
    """`mustache` are the parts of all names in tags; `jinja` the text of all Jinja2 templates, whose expressions may
    compute a name's parts or hand a whole map on."""

    mustache: frozenset[str]
    jinja: str

    @property
    def everything(self) -> bool:
        """Whether a template takes the whole view, so that it may read anything."""
        return bool(_VIEW.search(self.jinja))

    def by_mustache(self, key: str) -> bool:
        """Whether a Mustache template names the key, on its own or in a dotted name."""
        return key in self.mustache

    def by_jinja(self, key: str) -> bool:
        """Whether the key stands anywhere in a Jinja2 template."""
        return key in self.jinja


def named_in(templates: Iterable[tuple[str, str]]) -> Named:
    """What templates mention, given as file name and text; one that cannot be parsed mentions every word in it."""
    parts: set[str] = set()
    jinja = []
    for file, text in templates:
        if not file.endswith(".mustache"):
            jinja.append(text)
            continue
        try:
            names = [token.value for token in tokens_of(text) if token.kind in _TAGS]
        except MustacheError:
            names = re.findall(r"[\w.-]+", text)
        parts.update(names)
        parts.update(part for name in names for part in name.split("."))
    return Named(frozenset(parts), "\n".join(jinja))


def may_be_set(name: str, view: Mapping[str, Any]) -> bool:
    """Whether the view, or a run with other settings, sets the name somewhere where a template might reach it."""
    parts = name.split(".")
    if parts[0] == "deployment":
        return True
    if len(parts) > 1 and parts[0] in view:
        return _leads(view, parts)
    return _knows(view, parts[-1])


def _leads(value: Any, parts: Sequence[str]) -> bool:
    for part in parts:
        if isinstance(value, list):
            return True  # by an index, or `length`
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _knows(value: Any, key: str) -> bool:
    """Whether any map in `value` has the key."""
    if isinstance(value, dict):
        return key in value or any(_knows(item, key) for item in value.values())
    return isinstance(value, list) and any(_knows(item, key) for item in value)
