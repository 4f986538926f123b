# SPDX-License-Identifier: MIT
"""One file, parsed: every scalar is the text that its author wrote, and everything has its place.

`01`, `9.3`, `true` and `no` are text here: CodeShip passed on what was written, and so `image_tag: 1.10` stays `1.10`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _paired(found: re.Match[str]) -> str:
    """A character beyond the first 65,536 as JSON escapes it, which YAML does not know."""
    return found[1] + bytes.fromhex(found[2] + found[3]).decode("utf-16-be")


class Nothing(str):
    """An empty value, `~` or `null`. A text like any other among values; what a key alone holds, it leaves out."""

    __slots__ = ()


def _as_written(text: str) -> str:
    return Nothing(text) if text in {"", "~", "null", "Null", "NULL"} else text


def parse(path: Path, *, shown: str) -> Document:
    """The file at `path`; `shown` stands in errors. Raises `InputError`, with what is probably meant."""
    return parse_text(read_text(path, what="The file"), shown=shown)


def parse_text(text: str, *, shown: str) -> Document:
    """The same of a text."""
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in {"{", "["}:
        text = _PAIR.sub(_paired, text)
    try:
        return load_document(text, name=shown, words=_as_written, keys=str)
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
    noted: set[str] = field(default_factory=set)

    @property
    def place(self) -> Position:
        """Where its entry begins: a map's key, an item's value."""
        return self.document.key_position(*self.path)

    def say(self, level: Level, what: str, hint: str | None = None, *, key: str | None = None) -> None:
        """Report something about this value, or about its entry `key`."""
        place = self.document.key_position(*self.path, key) if key else self.place
        self.report(Finding(level, place, what, hint))

    def note(self, what: str, hint: str | None = None, *, key: str | None = None) -> None:
        """Tell what has no effect: once a file, however often it stands there."""
        if what not in self.noted:
            self.noted.add(what)
            self.say("note", what, hint, key=key)

    def has(self, key: str) -> bool:
        """Whether there is such an entry."""
        return isinstance(self.value, Mapping) and key in self.value

    def says(self, key: str) -> bool:
        """Whether there is such an entry, and something in it."""
        return self.has(key) and not isinstance(self.value[key], Nothing)

    def below(self, step: str | int) -> "At":
        """The entry of a map, or the item of a list."""
        return At(self.document, self.value[step], (*self.path, step), self.report, self.noted)

    def items(self) -> Iterator["At"]:
        """A list's items."""
        return (self.below(index) for index in range(len(self.value)))

    def text(self, key: str) -> str | None:
        """One scalar; none where the key is missing or empty."""
        if not self.says(key):
            return None
        value = self.value[key]
        if isinstance(value, str):
            return value or None
        self.say("error", f"`{key}` is {kind(value)}, and one value is wanted", key=key)
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """One scalar or a list of them."""
        if not self.says(key):
            return ()
        value = self.value[key]
        if isinstance(value, str):
            return (value,) if value else ()
        if not isinstance(value, list):
            self.say("error", f"`{key}` is {kind(value)}, and a value or a list of values is wanted", key=key)
            return ()
        for item in self.below(key).items():
            if not isinstance(item.value, str) or not item.value:
                item.say("error", f"`{key}` holds {kind(item.value)}, and single values are wanted")
        return tuple(item for item in value if isinstance(item, str) and item)

    def flag(self, key: str) -> bool:
        """A truth value in any of YAML's spellings."""
        word = (self.text(key) or "").lower()
        if word not in _TRUE | _FALSE:
            self.say("error", f"`{key}` is {word!r}, and true or false is wanted", key=key)
        return word in _TRUE

    def pairs(self, key: str) -> tuple[tuple[str, str | None], ...]:
        """`KEY: value` or a list of `KEY=value`; without `=` there is no value. Quotes and backslashes stay."""
        if self.has(key) and isinstance(self.value[key], Mapping):
            found = self._map(key)
        else:
            found = [(name, rest if equals else None) for name, equals, rest in map(_split, self.texts(key))]
        for name, _ in found:
            if not name or "\0" in name:
                self.say("error", f"`{key}` holds a value without a name", "Write NAME=value.", key=key)
        return tuple((name, value) for name, value in found if name)

    def _map(self, key: str) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for name, value in self.value[key].items():
            if isinstance(value, str):
                found.append((name, value))
            else:
                self.below(key).say("error", f"{name} in `{key}` is {kind(value)}, and one value is wanted", key=name)
        return found

    def known(
        self,
        keys: Collection[str],
        what: str,
        *,
        ignored: Collection[str] = (),
        elsewhere: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Warn of keys that nobody reads, with where they belong or the nearest that there is; note the `ignored`."""
        for key in self.value:
            if key in keys:
                continue
            if key in ignored:
                self.note(f"`{key}` of a service has no effect here", key=key)
                continue
            hint = elsewhere(key)
            if hint is None and (likely := nearest(key, keys)):
                hint = f"Did you mean `{likely}`?"
            self.say("warning", f"{what} has no key `{key}`", hint, key=key)


def told_twice(document: Document, report: Report) -> None:
    """Warn of keys that stand twice in one map."""
    for place in document.duplicates:
        report(Finding("warning", place, "this key stands twice in one map, and the last one counts"))


def _split(item: str) -> tuple[str, str, str]:
    return item.partition("=")


def kind(value: Any) -> str:
    """What a value is, in words that fit behind "is"."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return "a single value" if value else "empty"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence."""
    return ", ".join(f"`{name}`" for name in names)
