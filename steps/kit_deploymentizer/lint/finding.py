# SPDX-License-Identifier: MIT
"""What `lint` finds, as a value and as people and programs read it; where things stand is looked up here."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kit_core.files import read_text
from kit_core.yamlio import Document, Position, load_document
from kit_deploymentizer.inputs.reading import YamlFile
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import text_of

_NAMED: Final = 3


@dataclass(frozen=True)
class Finding:
    """Something that could go, or be written once: of which kind, in a sentence, where, and where else."""

    kind: str
    text: str
    file: str
    line: int
    also: tuple[Position, ...] = ()


class Places:
    """Where the entries of files stand. Each file is read once more, for its positions."""

    def __init__(self) -> None:
        self._documents: dict[Path, Document] = {}

    def of(self, file: YamlFile, *keys: str | int) -> Position:
        """Where the entry at `keys` begins, or the nearest thing above it that is there."""
        if file.path not in self._documents:
            text = read_text(file.path, what=file.shown)
            self._documents[file.path] = load_document(text, name=file.shown, words=original_words, keys=text_of)
        return self._documents[file.path].key_position(*keys)

    def finding(self, kind: str, text: str, places: Sequence[tuple[YamlFile, Sequence[str | int]]]) -> Finding:
        """A finding at the first of these places, the others beside it."""
        first, *others = [self.of(file, *keys) for file, keys in places]
        return Finding(kind, text, first.name, first.line, tuple(others))


def as_text(findings: Iterable[Finding]) -> str:
    """A line a finding: where, what, and where else."""
    return "".join(f"{one.file}:{one.line}: {one.text}{_also(one.also)}\n" for one in findings)


def _also(places: Sequence[Position]) -> str:
    if not places:
        return ""
    told = ", ".join(f"{place.name}:{place.line}" for place in places[:_NAMED])
    more = len(places) - _NAMED
    return f" (also {told}{f' and {more} more' if more > 0 else ''})"


def as_json(findings: Iterable[Finding]) -> str:
    """One JSON object with a list of findings; their kinds are stable."""
    return json.dumps({"findings": [_facts(one) for one in findings]}, indent=1, ensure_ascii=False)


def _facts(one: Finding) -> dict[str, Any]:
    also = [{"file": place.name, "line": place.line} for place in one.also]
    return {"kind": one.kind, "text": one.text, "file": one.file, "line": one.line, "also": also}
