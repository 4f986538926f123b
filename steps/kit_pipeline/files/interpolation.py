# SPDX-License-Identifier: MIT
"""`$NAME` in a docker-compose.yml, filled in as Compose does.

Its rules are at https://docs.docker.com/reference/compose-file/interpolation/. No other file has it: in CodeShip's own
a `$` is a `$`. Compose itself is a program in Go; for Python there is no library that fills in a value alone.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from kit_core.yamlio import Document
from kit_pipeline.files.finding import Finding, Report

_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_OPERATOR: Final = re.compile(r":?[-?+]")
_DEEPEST: Final = 20


class Wrong(Exception):
    """A text that cannot be filled in; it says why."""


def interpolated(text: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with its variables, and the names of those that there are not, which stand for nothing.

    `$$` is `$`. `${NAME:-text}` takes the text where the variable is missing or empty, `${NAME-text}` only where it is
    missing; likewise `+` where it is there; with `?` the text is what to say where it is missing. Raises `Wrong`.
    """
    missing: list[str] = []
    out, end = _until(text, 0, values, missing, depth=0)
    assert end == len(text)
    return out, tuple(dict.fromkeys(missing))


def fill_in(document: Document, values: Mapping[str, str], report: Report) -> Document:
    """A parsed docker-compose.yml with every value filled in; keys stay. What is wrong or missing is reported."""
    return replace(document, value=_Filler(document, values, report).fill(document.value, ()))


def env_values(text: str) -> dict[str, str]:
    """What Compose reads from the `.env` beside its file: `KEY=value` lines, perhaps quoted, or with `export`."""
    values = {}
    for line in text.removeprefix("\ufeff").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not _NAME.fullmatch(name):
            continue
        quote = value[:1]
        if quote in {"'", '"'} and (end := value.find(quote, 1)) > 0:
            value = value[1:end]
        else:
            value = re.split(r"\s#", value, maxsplit=1)[0].rstrip()
        values[name] = value
    return values


class _Filler:
    """Walks a document; what an alias brings in again is filled in once."""

    def __init__(self, document: Document, values: Mapping[str, str], report: Report) -> None:
        self._document, self._values, self._report = document, values, report
        self._done: dict[int, Any] = {}
        self._missing: set[str] = set()

    def fill(self, value: Any, path: tuple[str | int, ...]) -> Any:
        if not isinstance(value, dict | list):
            return self._text(value, path) if isinstance(value, str) and "$" in value else value
        if id(value) not in self._done:
            if isinstance(value, dict):
                filled: Any = {key: self.fill(item, (*path, key)) for key, item in value.items()}
            else:
                filled = [self.fill(item, (*path, index)) for index, item in enumerate(value)]
            self._done[id(value)] = filled
        return self._done[id(value)]

    def _text(self, text: str, path: tuple[str | int, ...]) -> str:
        try:
            filled, missing = interpolated(text, self._values)
        except Wrong as error:
            place = self._document.key_position(*path)
            self._report(Finding("error", place, str(error), "A `$` that is meant is written `$$`."))
            return text
        for name in missing:
            if name not in self._missing:
                self._missing.add(name)
                what = f"the variable {name} is not set, and stands for nothing"
                hint = "Set it, or write it into the `.env` beside this file."
                self._report(Finding("warning", self._document.key_position(*path), what, hint))
        return filled


def _until(text: str, at: int, values: Mapping[str, str], missing: list[str], *, depth: int) -> tuple[str, int]:
    """The text from `at` to its end, or where `depth` is not 0 to the `}` that closes it; and where that is."""
    if depth > _DEEPEST:
        raise Wrong("variables are nested too deeply")
    out: list[str] = []
    while at < len(text):
        if depth and text[at] == "}":
            return "".join(out), at
        if text[at] != "$":
            out.append(text[at])
            at += 1
        elif text.startswith("$$", at):
            out.append("$")
            at += 2
        else:
            filled, at = _variable(text, at, values, missing, depth=depth)
            out.append(filled)
    if depth:
        raise Wrong(f"`${{` is not closed in {_short(text)}")
    return "".join(out), at


def _variable(text: str, at: int, values: Mapping[str, str], missing: list[str], *, depth: int) -> tuple[str, int]:
    """What the `$` at `at` stands for, and where the text goes on."""
    braced = text.startswith("{", at + 1)
    found = _NAME.match(text, at + 1 + braced)
    if found is None:
        raise Wrong(f"`{_short(text[at:])}` names no variable")
    name, end = found[0], found.end()
    if not braced or text.startswith("}", end):
        if name not in values:
            missing.append(name)
        return values.get(name, ""), end + braced
    operator = _OPERATOR.match(text, end)
    if operator is None:
        raise Wrong(f"`{_short(text[at:])}` is no variable: behind its name stands `}}`, or one of :- - :? ? :+ +")
    unused: list[str] = []
    other, end = _until(text, operator.end(), values, unused, depth=depth + 1)
    there = bool(values.get(name)) if operator[0].startswith(":") else name in values
    if operator[0].endswith("?"):
        if not there:
            raise Wrong(f"the variable {name} is wanted" + (f": {other}" if other else ""))
        return values[name], end + 1
    if there != operator[0].endswith("+"):
        return (values[name] if there else ""), end + 1
    missing += unused
    return other, end + 1


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
