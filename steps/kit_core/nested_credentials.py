# SPDX-License-Identifier: MIT
"""Credentials that go by something else than their own key: `value` beside `name: DB_PASSWORD`, what stands below
`tokens:`, what follows an option of a program known to take a password there. Pure, in linear time.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

Span = tuple[int, int]
Judge = Callable[[str], bool]

_COLLECTIVE: Final = re.compile(
    r"(?:^|[._-]|(?<=[a-z]))(?:pass(?:word|wd|phrase)s?|tokens|secrets|credentials|(?:api|access|private)[_-]?keys)$",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?:name|names|namespace|user|username|login|email|host|port|database|key|kind|type|path|file|mode|ref|provider"
    r"|backend|region|audience|optional|enabled|apiversion|version|description|method|url)$",
    re.IGNORECASE,
)
"""Keys below such a map whose values tell where a credential lies, or whose it is."""

_PAIR: Final = re.compile(
    r"^(?P<indent>[ \t]*+(?>(?:- +)*))(?P<quote>[\"']?)(?P<key>[A-Za-z0-9_.-]++)(?P=quote)[ \t]*+:"
    r"(?:[ \t]++(?P<value>[^\n]*+))?$",
    re.MULTILINE,
)
_NO_SCALAR: Final = ("{", "[", "&", "*", "|", ">", "#", "$", "{{", '"$', "'$")
_TOLD: Final = r"\\?\"(?P<name>[^\"\\]{1,200})\\?\""
_BESIDE: Final = (
    re.compile(rf"\\?\"name\\?\"\s*+:\s*+{_TOLD}\s*+,\s*+\\?\"value\\?\"\s*+:\s*+\\?\"(?P<value>[^\"\\]++)"),
    re.compile(rf"\\?\"value\\?\"\s*+:\s*+\\?\"(?P<value>[^\"\\]++)\\?\"\s*+,\s*+\\?\"name\\?\"\s*+:\s*+{_TOLD}"),
)

_JOINED: Final = re.compile(r"(?:mysql\w*|mariadb[\w-]*|mycli|sshpass)")
"""Programs that take a password as `-pPASSWORD`."""
_APART: Final = {"sshpass": "-p", "redis-cli": "-a", "curl": "-u"}
"""Programs that take a password, or a name and one, behind this option."""
_COMMAND: Final = re.compile(
    r"(?:^|[\s/;&|(\"'`])(?P<program>mysql\w*|mariadb[\w-]*|mycli|sshpass|redis-cli|curl)(?=\s)"
    r"(?P<rest>[^\n;&|]*+)"
)
_PASSWORD: Final = re.compile(r"-p(?![=$]|[\"']\$|[\"']?$)")
_WORD: Final = re.compile(r"\S++")


def is_below_credentials(keys: Sequence[Any]) -> bool:
    """Whether a value with these keys, from the outside, is one of several credentials: `tokens.ci`."""
    named = [key for key in keys if isinstance(key, str)]
    return bool(named) and not _HARMLESS.search(named[-1]) and any(_COLLECTIVE.search(key) for key in named[:-1])


def in_lines(text: str, is_credential: Judge) -> Iterator[Span]:
    """In the lines of a YAML text: `value` beside a `name`, and what stands below a key that says so."""
    open_keys: list[tuple[int, str]] = []
    item: dict[int, tuple[str | None, Span | None]] = {}
    for pair in _PAIR.finditer(text):
        column, key = len(pair["indent"]), pair["key"]
        while open_keys and open_keys[-1][0] >= column:
            open_keys.pop()
        for other in [other for other in item if other > column or (other == column and "-" in pair["indent"])]:
            del item[other]
        value = (pair["value"] or "").strip()
        if not value:
            open_keys.append((column, key))
            continue
        span = pair.start("value"), pair.start("value") + len((pair["value"] or "").rstrip())
        name, told = item.get(column, (None, None))
        if key in {"name", "key"}:
            name = value.strip("\"'")
        elif key == "value" and not value.startswith(_NO_SCALAR):
            told = span
        item[column] = name, told
        if told and name is not None and is_credential(name):
            yield told
            item[column] = name, None
        elif not value.startswith(_NO_SCALAR):
            keys = [*(one for _, one in open_keys), key]
            beneath = key == "value" and len(keys) > 1 and is_credential(keys[-2])
            if beneath or is_below_credentials(keys):
                yield span


def in_json(text: str, is_credential: Judge) -> Iterator[Span]:
    """In a JSON text: `value` beside a `name`."""
    for pattern in _BESIDE:
        for found in pattern.finditer(text):
            if is_credential(found["name"]) and not found["value"].startswith("$"):
                yield found.span("value")


def in_commands(text: str) -> Iterator[Span]:
    """In a command line: `mysql -pPASSWORD`, `redis-cli -a PASSWORD`."""
    for found in _COMMAND.finditer(text):
        words = [(word[0], found.start("rest") + word.start()) for word in _WORD.finditer(found["rest"])]
        for number, start, end in _passwords(found["program"], [word for word, _ in words]):
            at = words[number][1]
            yield at + start, at + end


def in_arguments(lists: Sequence[Sequence[Any]], own: Sequence[Any], index: int) -> Span | None:
    """The part of the item `index` of the list `own` that is a password; `lists` are all that make up the command."""
    programs = (PurePosixPath(word).name for words in lists for word in words if isinstance(word, str))
    words = [word if isinstance(word, str) else "" for word in own]
    for program in programs:
        for number, start, end in _passwords(program, words):
            if number == index:
                return start, end
    return None


def _passwords(program: str, words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Of which word which characters."""
    joined, apart = _JOINED.fullmatch(program), _APART.get(program)
    for number, word in enumerate(words):
        bare = word.strip("\"'")
        if bare.startswith("$"):
            continue
        before = words[number - 1] if number else ""
        if joined and _PASSWORD.match(word):
            yield number, 2, len(word)
        elif apart and before == apart and (program != "curl" or ":" in word):
            yield number, word.find(":") + 1 if program == "curl" else 0, len(word)
