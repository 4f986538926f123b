# SPDX-License-Identifier: MIT
"""One file, parsed: every scalar is the text that its author wrote, and everything has its place.

`01`, `9.3`, `true` and `no` are text here: CodeShip passed on what was written, and so `image_tag: 1.10` stays `1.10`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import read_text
from kit_core.names import nearest
from kit_core.yamlio import Document, Position, YamlError, load_document
from kit_pipeline.files.finding import Finding, Level, Report
from kit_pipeline.files.meant import meant

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0", ""})


def parse(path: Path, *, shown: str) -> Document:
    """The file at `path`; `shown` stands in errors. Raises `InputError`, with what is probably meant."""
    return parse_text(read_text(path, what="The file"), shown=shown)


def parse_text(text: str, *, shown: str) -> Document:
    """The same of a text."""
    try:
        return load_document(text.removeprefix("\ufeff"), name=shown, words=str, keys=str)
    except YamlError as error:
        hint = meant(text, error.line or 1) or error.hint
        raise InputError(
            error.what, where=error.where, why=error.why, hint=hint, file=shown, line=error.line, column=error.column
        ) from None


@dataclass(frozen=True)
class At:
    """A value within a document, how to get there, and who is told what is wrong with it."""

    document: Document
    value: Any
    path: tuple[str | int, ...]
    report: Report

    @property
    def place(self) -> Position:
        """Where its entry begins: a map's key, an item's value."""
        return self.document.key_position(*self.path)

    def say(self, level: Level, what: str, hint: str | None = None, *, key: str | None = None) -> None:
        """Report something about this value, or about its entry `key`."""
        place = self.document.key_position(*self.path, key) if key else self.place
        self.report(Finding(level, place, what, hint))

    def has(self, key: str) -> bool:
        """Whether there is such an entry."""
        return isinstance(self.value, Mapping) and key in self.value

    def below(self, step: str | int) -> "At":
        """The entry of a map, or the item of a list."""
        return At(self.document, self.value[step], (*self.path, step), self.report)

    def items(self) -> Iterator["At"]:
        """A list's items."""
        return (self.below(index) for index in range(len(self.value)))

    def text(self, key: str) -> str | None:
        """One scalar; none where the key is missing or empty."""
        if not self.has(key):
            return None
        value = self.value[key]
        if isinstance(value, str):
            return value or None
        self.say("error", f"`{key}` is a {kind(value)}, and one value is wanted", key=key)
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """One scalar or a list of them."""
        if not self.has(key):
            return ()
        value = self.value[key]
        if isinstance(value, str):
            return (value,) if value else ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.say("error", f"`{key}` is a {kind(value)}, and a value or a list of values is wanted", key=key)
        return ()

    def flag(self, key: str) -> bool:
        """A truth value in any of YAML's spellings."""
        word = (self.text(key) or "").lower()
        if word not in _TRUE | _FALSE:
            self.say("error", f"`{key}` is {word!r}, and true or false is wanted", key=key)
        return word in _TRUE

    def pairs(self, key: str) -> tuple[tuple[str, str | None], ...]:
        """`KEY: value` or a list of `KEY=value`; without `=` there is no value. Quotes and backslashes stay."""
        if not self.has(key):
            return ()
        value = self.value[key]
        if isinstance(value, Mapping):
            if all(isinstance(item, str) for item in value.values()):
                return tuple(value.items())
            self.say("error", f"`{key}` holds more than values", "Each entry is one value.", key=key)
            return ()
        return tuple((name, rest if equals else None) for name, equals, rest in _split(self.texts(key)))

    def known(self, keys: frozenset[str], ignored: frozenset[str], what: str) -> None:
        """Warn of keys that nobody reads, with the nearest one that there is; note those that have no effect here."""
        for key in self.value:
            if key in keys:
                continue
            if key in ignored:
                self.say("note", f"`{key}` of {what} has no effect here", key=key)
                continue
            likely = nearest(key, keys)
            self.say("warning", f"{what} has no key `{key}`", f"Did you mean `{likely}`?" if likely else None, key=key)


def _split(items: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    return (item.partition("=") for item in items)


def kind(value: Any) -> str:
    """What a value is, in a word."""
    return "map" if isinstance(value, Mapping) else "list" if isinstance(value, list) else "single value"
