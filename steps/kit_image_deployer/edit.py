# SPDX-License-Identifier: MIT
"""The byte-exact edit: one scalar changes, every other byte stays.

Comments, quotes, order, blank lines, line ends, a byte order mark, document markers and anchors are kept, because the
file is not written anew: a few characters are put in the place of others. Afterwards the new text is parsed and
compared with the old one: exactly that key changed, or nothing is returned but an error.
"""

import re
from dataclasses import dataclass
from typing import Final

from kit_core.errors import InputError, WorkError
from kit_image_deployer.image import in_style, is_plain, quoted
from kit_image_deployer.layout import (
    Entry,
    Layout,
    Signature,
    events,
    layouts,
    merged_keys,
    scalar_start,
    signatures,
)

_BOM: Final = "\ufeff"
_BREAK: Final = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_STRING_TAGS: Final = frozenset({None, "!", "tag:yaml.org,2002:str"})


@dataclass(frozen=True)
class Edit:
    """The file before (None where there was none) and after; `previous` is the value that the key had, if any."""

    before: bytes | None
    after: bytes
    previous: str | None

    @property
    def changes(self) -> bool:
        """Whether there is anything to commit."""
        return self.before != self.after


@dataclass(frozen=True)
class _Patch:
    """Put `text` in the place of the characters from `start` to `end`; what the events must look like afterwards."""

    start: int
    end: int
    text: str
    expected: list[Signature]


def set_value(before: bytes | None, key: str, value: str, *, name: str) -> Edit:
    """Give the top-level `key` of the YAML file `name` the string `value`.

    Without a file, one is made. Where the key is missing it is added at the end. The same value already there is no
    change. Raises `InputError` (file, line, why) for everything that cannot be changed without changing more: no
    mapping, an alias or merged key, an anchor that others refer to, a key that stands twice, several documents.
    """
    if before is None:
        return Edit(None, f"{_key_text(key)}: {in_style(value, None)}\n".encode(), None)
    text = _decoded(before, name)
    bom, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    found = events(body, name=name)
    documents = layouts(found)
    seen = signatures(found)
    document, entry = _find(documents, key, name)
    previous = entry.value if entry and entry.kind == "scalar" and entry.value else None
    if entry is None:
        patch = _addition(body, seen, document, key, value, name)
    elif _holds(entry, value):
        return Edit(before, before, previous)
    else:
        assert document is not None
        patch = _replacement(body, seen, document, entry, value, name)
    after = body[: patch.start] + patch.text + body[patch.end :]
    _verify(after, patch.expected, name, key)
    return Edit(before, (bom + after).encode(), previous)


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            "the file is not UTF-8 text",
            where=f"{name}:{line}",
            hint="Save it as UTF-8 in the deployments repository; nothing was changed.",
            file=name,
            line=line,
        ) from None


def _find(documents: list[Layout], key: str, name: str) -> tuple[Layout | None, Entry | None]:
    """The document and the entry to change; no entry where the key is to be added, no document in an empty file."""
    holding = [(document, entry) for document in documents for entry in document.named(key)]
    if len(holding) > 1:
        lines = " and ".join(str(entry.line) for _, entry in holding)
        raise _refusal(
            name, f"`{key}` stands more than once, in lines {lines}", holding[1][1].line, "Keep one of them."
        )
    if holding:
        return holding[0]
    if len(documents) > 1:
        raise _refusal(
            name, f"none of the file's {len(documents)} documents has `{key}`", 1, f"Add `{key}:` to one of them."
        )
    return (documents[0] if documents else None), None


def _holds(entry: Entry, value: str) -> bool:
    """Whether every reader already takes the entry for this string."""
    if entry.kind != "scalar" or entry.value != value or entry.tag not in _STRING_TAGS:
        return False
    return bool(entry.style) or entry.tag is not None or is_plain(value)


def _replacement(text: str, seen: list[Signature], document: Layout, entry: Entry, value: str, name: str) -> _Patch:
    _check_replaceable(document, entry, name)
    start = scalar_start(text, entry)
    if start == entry.end and not entry.style:
        start, end, new = entry.end, entry.end, _after_colon(text, entry, in_style(value, None), name)
    elif entry.is_block:
        end = start + len(text[start : entry.end].rstrip())
        header = _BREAK.split(text[start:end], maxsplit=1)[0]
        comment = header[header.index("#") :] if "#" in header else ""
        new = in_style(value, None) + (f" {comment}" if comment else "")
    else:
        end, new = entry.end, in_style(value, entry.style)
    expected = list(seen)
    kind, anchor, tag, _ = seen[entry.index]
    expected[entry.index] = (kind, anchor, tag, value)
    return _Patch(start, end, new, expected)


def _check_replaceable(document: Layout, entry: Entry, name: str) -> None:
    key, line = entry.key, entry.line
    if entry.kind == "alias":
        raise _refusal(
            name, f"the value of `{key}` is an alias (`*{entry.anchor}`)", line, "Write the image itself there."
        )
    if entry.kind != "scalar":
        raise _refusal(name, f"the value of `{key}` is a {entry.kind}", line, "It should be one image reference.")
    if entry.tag not in _STRING_TAGS:
        raise _refusal(name, f"the value of `{key}` has the tag {entry.tag}", line, "Remove the tag.")
    for anchor in (entry.anchor, document.anchor):
        if anchor is not None and document.aliased[anchor]:
            raise _refusal(
                name,
                f"other values refer to `{key}` by its anchor &{anchor} and would change with it",
                line,
                "Write their values out.",
            )


def _after_colon(text: str, entry: Entry, new: str, name: str) -> str:
    """What to insert behind a key that has no value."""
    head = text[: entry.end].rstrip(" ")
    if not head.endswith(":") and entry.anchor is None and entry.tag is None:
        raise _refusal(name, f"`{entry.key}` has no value", entry.line, f'Write `{entry.key}: ""` there.')
    return new if text[: entry.end].endswith(" ") else f" {new}"


def _addition(text: str, seen: list[Signature], document: Layout | None, key: str, value: str, name: str) -> _Patch:
    if document is None or document.empty:
        return _first_entry(text, seen, document, key, value, name)
    if document.kind != "mapping":
        raise _refusal(name, f"the file holds a {document.kind}, no mapping", 1, f"It should hold `{key}: …`.")
    if any(entry.key == "<<" and not entry.style for entry in document.entries) and key in merged_keys(text, name=name):
        raise _refusal(name, f"`{key}` comes from a merge key (`<<`)", 1, f"Write `{key}` into the mapping itself.")
    if document.anchor is not None and document.aliased[document.anchor]:
        raise _refusal(name, f"the whole file is referred to by its anchor &{document.anchor}", 1, "Remove it.")
    pair = [("ScalarEvent", None, None, key), ("ScalarEvent", None, None, value)]
    expected = [*seen[: document.close], *pair, *seen[document.close :]]
    if document.flow:
        new = f"{quoted(key)}: {quoted(value)}"
        at = document.last if document.entries else document.start + text[document.start :].index("{") + 1
        return _Patch(at, at, f", {new}" if document.entries else new, expected)
    line = " " * document.column + f"{_key_text(key)}: {in_style(value, None)}"
    return _Patch(*_below(text, document.last, line), expected)


def _first_entry(text: str, seen: list[Signature], document: Layout | None, key: str, value: str, name: str) -> _Patch:
    """The first entry of a file with nothing but comments, or with an empty document."""
    line = f"{_key_text(key)}: {in_style(value, None)}"
    mapping: list[Signature] = [
        ("MappingStartEvent", None, None, None),
        ("ScalarEvent", None, None, key),
        ("ScalarEvent", None, None, value),
        ("MappingEndEvent", None, None, None),
    ]
    if document is None:
        begun: list[Signature] = [("DocumentStartEvent", None, None, None), *mapping]
        expected = [seen[0], *begun, ("DocumentEndEvent", None, None, None), *seen[1:]]
        return _Patch(*_below(text, len(text), line), expected)
    if document.end > document.start:
        raise _refusal(name, "the file holds nothing but a null", 1, f"It should hold `{key}: …`.")
    expected = [*seen[: document.index], *mapping, *seen[document.index + 1 :]]
    end = re.search(r"^\.\.\.", text, re.MULTILINE)
    return _Patch(*_below(text, end.start() - 1 if end and end.start() else len(text), line), expected)


def _below(text: str, position: int, line: str) -> tuple[int, int, str]:
    """The insertion (start, end, text) that puts `line` below the line that `position` stands in."""
    newline = _BREAK.search(text)
    ending = newline.group() if newline else "\n"
    if position and _BREAK.fullmatch(text[position - 1]):
        return position, position, line + ending
    found = _BREAK.search(text, position)
    if found:
        return found.end(), found.end(), line + ending
    if not text:
        return 0, 0, line + ending
    return len(text), len(text), ending + line


def _key_text(key: str) -> str:
    return key if is_plain(key) else quoted(key)


def _verify(text: str, expected: list[Signature], name: str, key: str) -> None:
    """The promise itself: the new text parses, and to exactly the wanted change."""
    try:
        correct = signatures(events(text, name=name)) == expected
    except InputError:
        correct = False
    if not correct:
        raise WorkError(
            f"{name} is written in a way in which `{key}` cannot be changed without changing more",
            hint="Write the file more simply (one `key: value` a line) and run again; nothing was changed.",
            file=name,
        )


def _refusal(name: str, what: str, line: int, hint: str) -> InputError:
    hint = f"{hint} The file is in the deployments repository; nothing was changed."
    return InputError(what, where=f"{name}:{line}", hint=hint, file=name, line=line)
