# SPDX-License-Identifier: MIT
"""What a template printed and its author will not have meant: nothing, or something that is read differently. Pure.

Found while a template renders, since only then it is known where in the template a value came from. A remark never
holds the value itself, which may be a secret.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kit_core.yamlwords import kubernetes_words
from kit_deploymentizer.rendering.javascript import number_text


@dataclass(frozen=True)
class Remark(ABC):
    """About the value that a template prints under `name` at `line`."""

    name: str
    line: int

    @property
    @abstractmethod
    def what(self) -> str:
        """The sentence."""

    @property
    @abstractmethod
    def hint(self) -> str:
        """What to do about it."""


@dataclass(frozen=True)
class Unset(Remark):
    """Nothing sets the name, so it printed as nothing."""

    @property
    def what(self) -> str:
        """See `Remark`."""
        return f"nothing sets {self.name}, so it printed as nothing"

    @property
    def hint(self) -> str:
        """See `Remark`."""
        return "Set it, or ask for it in a {{#section}} of its name."


@dataclass(frozen=True)
class Escaped(Remark):
    """The value has characters that were written as HTML writes them."""

    @property
    def what(self) -> str:
        """See `Remark`."""
        return f"{{{{{self.name}}}}} wrote characters of the value as HTML does (a quote as &quot;, a / as &#x2F;)"

    @property
    def hint(self) -> str:
        """See `Remark`."""
        return f"Write {{{{{{{self.name}}}}}}}, which leaves them as they are."


@dataclass(frozen=True)
class Retyped(Remark):
    """The value is a string, and what was printed is read as something else."""

    read_as: str

    @property
    def what(self) -> str:
        """See `Remark`."""
        return f"the value of {self.name} is a string, and as it is printed here it is read as {self.read_as}"

    @property
    def hint(self) -> str:
        """See `Remark`."""
        return "Put quotes around it in the template, unless that is meant."


_KINDS: Final = {bool: "a boolean", int: "another number", float: "another number", type(None): "null"}


@lru_cache(maxsize=8192)
def read_otherwise(text: str) -> str | None:
    """What Kubernetes' tools make of a string that is printed without quotes, where that loses how it was written:
    `yes` is true, `0123` is 83, `1e3` is 1000, `#a` is a comment. None where it stays (`3` prints as 3 again)."""
    plain = text.strip(" ")
    if not plain:
        return None  # an empty value is left empty on purpose
    if plain.startswith("#"):
        return "null"
    value = kubernetes_words(plain)
    if isinstance(value, str) or plain in {"true", "false"}:
        return None
    shown = number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return None if shown == plain else _KINDS[type(value)]


class Bare:
    """Knows where in a template a tag stands as the whole of a plain YAML value: `key: TAG`, `- TAG`, `{key: TAG}`."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._blocks: frozenset[int] | None = None

    def is_bare(self, line: int, start: int, end: int) -> bool:
        """Whether the tag at these columns (counted from 0) of the line (from 1) is alone, and not within text."""
        text = self._lines[line - 1]
        if end - start > len(text):  # it ends on another line
            return False
        if start > _LONGEST:  # before anything is copied of the line: many tags may stand on a long one
            return False
        before, after = text[:start], text[end:]
        if before[-1:] not in {" ", "["}:
            return False
        before = _TAG.sub("", before)
        if not _BEFORE.search(before) or before.count('"') % 2 or before.count("'") % 2 or _COMMENT.search(before):
            return False
        rest = after.lstrip()
        in_flow = rest[:1] in {",", "}", "]"} and ("{" in before or "[" in before)
        if rest and not in_flow and not rest.startswith("#"):
            return False
        if self._blocks is None:
            self._blocks = frozenset(_in_blocks(self._lines))
        return line - 1 not in self._blocks


_LONGEST: Final = 500
_TAG: Final = re.compile(r"\{\{.*?\}\}+")
_BEFORE: Final = re.compile(r"(?::|^-|[\s\[,]-|[\[,]) *$|^- *$")
_COMMENT: Final = re.compile(r"(?:^|\s)#")
_HEADER: Final = re.compile(r"(?::|-)[ ]+[|>][-+0-9]*[ ]*(?:#.*)?$")


def _in_blocks(lines: list[str]) -> Iterator[int]:
    """The numbers of the lines that belong to a block of text (`key: |`)."""
    outside: int | None = None
    for number, line in enumerate(lines):
        stripped = line.lstrip(" ")
        indent = len(line) - len(stripped)
        if outside is not None and stripped.strip():
            if indent > outside or stripped.startswith(("{{#", "{{/", "{{^", "{%")):
                yield number
                continue
            outside = None
        if outside is None and len(line) < _LONGEST and _HEADER.search(line):
            outside = indent
