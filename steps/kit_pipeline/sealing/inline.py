# SPDX-License-Identifier: MIT
"""Encrypted values within a file of text: where they stand, so that everything around them stays as it was. Pure.

In YAML a value is a whole scalar, on one line or folded over many. Elsewhere (env files, templates, comments) it is
what follows its header on that line. Items of `encrypted_environment` and `encrypted_args` may be jet 1 without a
header.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from kit_core.envfile import is_encrypted, is_encrypted_value
from kit_core.yamlio import YamlError, load_documents
from kit_core.yamlscalars import scalars

LIKELY: Final = re.compile(rb"(?:kit|codeship|cloudbees):v\d:[A-Za-z0-9+/]|\bencrypted_(?:environment|args)\b")
"""What a file with such values has in it."""
_YAML: Final = frozenset({".yml", ".yaml", ".json"})
_KEYS: Final = frozenset({"encrypted_environment", "encrypted_args"})
_HEADED: Final = re.compile(r"(?:kit|codeship|cloudbees):v\d+[:\s][A-Za-z0-9+/=\s]*")
_BARE: Final = re.compile(r"(?<![|>])[A-Za-z0-9+/][A-Za-z0-9+/=\s]*")
_BLOCK: Final = re.compile(r"[|>][^\n]*\n")
_LOOSE: Final = re.compile(r"(?<![\w/.-])(?:kit:v1|codeship:v[12]|cloudbees:v1):[A-Za-z0-9+/]{22,}={0,2}")
"""Shorter than this is no value of ours, but an example of one."""


@dataclass(frozen=True)
class Inline:
    """An encrypted value: characters `start` to `end` of the text are its ciphertext, all blanks taken out of `text`.

    `whole` says that `text` is in the form of a file (with a header line, or jet 1 without one).
    """

    start: int
    end: int
    text: str
    line: int
    whole: bool


def values_in(text: str, *, name: str) -> tuple[Inline, ...]:
    """The encrypted values in `text`, in their order. Raises `YamlError` for one that cannot be replaced."""
    found = {value.start: value for value in (_in_yaml(text, name) if PurePath(name).suffix.lower() in _YAML else ())}
    taken = sorted((value.start, value.end) for value in found.values())
    for match in _LOOSE.finditer(text):
        if not any(start <= match.start() < end for start, end in taken):
            found[match.start()] = Inline(match.start(), match.end(), match[0], _line(text, match.start()), False)
    return tuple(found[start] for start in sorted(found))


def replaced(text: str, values: dict[Inline, str]) -> str:
    """`text` with other ciphertexts in the places of those values."""
    for value in sorted(values, key=lambda value: value.start, reverse=True):
        text = text[: value.start] + values[value] + text[value.end :]
    return text


def _in_yaml(text: str, name: str) -> Iterator[Inline]:
    mark = len(text) - len(text.removeprefix("\ufeff"))
    try:
        documents = load_documents(text[mark:], name=name, words=str, keys=str)
    except YamlError:
        return  # a template, say; what stands on one line is found without
    for document in documents:
        for scalar in scalars(document, words=str):
            bare = not _KEYS.isdisjoint(map(str, scalar.path))
            headed = is_encrypted_value(scalar.text)
            if headed or (bare and is_encrypted(scalar.text.encode())):
                yield _placed(text, scalar.start + mark, scalar.end + mark, scalar.text, name, whole=not headed)


def _placed(text: str, start: int, end: int, value: str, name: str, *, whole: bool) -> Inline:
    source = text[start:end]
    block = _BLOCK.match(source)
    begin = block.end() if block else 0
    match = _HEADED.search(source, begin) or _BARE.search(source, begin)
    line = _line(text, start)
    if match is None or _packed(match[0]) != _packed(value):
        raise YamlError(
            "an encrypted value cannot be replaced where it stands",
            where=f"{name}:{line}",
            why="it is written with escapes, or with something within it",
            hint="Write it on one line.",
            file=name,
            line=line,
        )
    begin = start + match.start()
    return Inline(begin, begin + len(match[0].rstrip()), value if whole else _packed(value), line, whole)


def _packed(text: str) -> str:
    return "".join(text.split())


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
