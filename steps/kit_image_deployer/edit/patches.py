# SPDX-License-Identifier: MIT
"""What to put where in a YAML text, so that one key of its top-level mapping is set, added or removed.

Pure text work: each function answers with a `Patch`, or says in an `InputError` why the key cannot be changed alone.
"""

import re
from dataclasses import dataclass
from typing import Final

from kit_core.errors import InputError
from kit_image_deployer.edit.layout import Entry, Layout, Signature, scalar_start
from kit_image_deployer.image import in_style, is_plain, quoted

# What ends a line to every reader; YAML 1.1 knows three more (NEL, LS, PS), of which nothing is made here.
_BREAK: Final = re.compile(r"\r\n|[\n\r]")
# Not `!`, which also asks for a string: ruamel.yaml reads `! "1e3"` as a number.
_STRING_TAGS: Final = frozenset({None, "tag:yaml.org,2002:str"})
_COMMENT: Final = re.compile(r"[ \t]*(?:[ \t]#[^\n\r]*)?(?:\r\n|[\n\r]|\Z)")
_DOCUMENT_END: Final = re.compile(r"(?<![^\n\r])\.\.\.")
_COMMA: Final = re.compile(r"\s*,\s*")


@dataclass(frozen=True)
class Patch:
    """Put `text` in the place of the characters from `start` to `end`.

    The parser's events are to become others in the same way: `skipped` of them, from the one with the index `event`,
    give place to `emitted`.
    """

    start: int
    end: int
    text: str
    event: int
    skipped: int
    emitted: tuple[Signature, ...]


def scalar(value: str) -> Signature:
    """The event of an untagged scalar."""
    return "ScalarEvent", None, None, value


def holds(entry: Entry, value: str) -> bool:
    """Whether every reader already takes the entry for this string."""
    if entry.kind != "scalar" or entry.value != value or entry.tag not in _STRING_TAGS:
        return False
    return bool(entry.style) or entry.tag is not None or is_plain(value)


def replacement(text: str, document: Layout, entry: Entry, value: str, *, name: str) -> Patch:
    """Give `entry` the value, in the quotes that it has."""
    _check_replaceable(document, entry, name)
    start = scalar_start(text, entry)
    end, new = entry.end, in_style(value, entry.style)
    if start == entry.end and not entry.style:
        new = _after_colon(text, entry, in_style(value, None), name)
    elif entry.is_block:
        end = _content_end(text, entry)
        header = _BREAK.split(text[start:end], maxsplit=1)[0]
        comment = header[header.index("#") :] if "#" in header else ""
        new = in_style(value, None) + (f" {comment}" if comment else "")
    return Patch(start, end, new, entry.index, 1, (("ScalarEvent", entry.anchor, entry.tag, value),))


def _check_replaceable(document: Layout, entry: Entry, name: str) -> None:
    key, line = entry.key, entry.line
    if entry.kind == "alias":
        raise refusal(
            name, f"the value of `{key}` is an alias (`*{entry.anchor}`)", line, "Write the image itself there."
        )
    if entry.kind != "scalar":
        raise refusal(name, f"the value of `{key}` is a {entry.kind}", line, "It should be one plain text.")
    if entry.tag not in _STRING_TAGS:
        raise refusal(name, f"the value of `{key}` has the tag {entry.tag}", line, "Remove the tag.")
    _check_unreferred(document, (entry.anchor, document.anchor), entry, name)


def _check_unreferred(document: Layout, anchors: tuple[str | None, ...], entry: Entry, name: str) -> None:
    for anchor in anchors:
        if anchor is not None and document.aliased[anchor]:
            raise refusal(
                name,
                f"other values refer to `{entry.key}` by its anchor &{anchor} and would change with it",
                entry.line,
                "Write their values out.",
            )


def _after_colon(text: str, entry: Entry, new: str, name: str) -> str:
    """What to insert behind a key that has no value."""
    head = text[max(0, entry.end - 2) : entry.end]
    if not text[: entry.end].rstrip(" ").endswith(":") and entry.anchor is None and entry.tag is None:
        raise refusal(name, f"`{entry.key}` has no value", entry.line, f'Write `{entry.key}: ""` there.')
    return new if head.endswith(" ") else f" {new}"


def _content_end(text: str, entry: Entry) -> int:
    """Where the last line of the entry's text ends; a block scalar's mark is behind that and what is empty."""
    if not entry.is_block:
        return entry.end
    word = entry.start + len(text[entry.start : entry.end].rstrip(" \t\r\n"))
    ending = _BREAK.search(text, word)
    return ending.start() if ending else len(text)


def addition(text: str, document: Layout, key: str, value: str, beside: Entry | None) -> Patch:
    """Add the key below the entry `beside`, or as the mapping's last. The document holds a mapping."""
    event = document.close if beside is None else beside.index + 1
    pair = (scalar(key), scalar(value))
    if document.flow:
        new = f"{quoted(key)}: {quoted(value)}"
        if not document.size:
            at = document.start + text[document.start :].index("{") + 1
            return Patch(at, at, new, event, 0, pair)
        at = document.last if beside is None else beside.end
        return Patch(at, at, f", {new}", event, 0, pair)
    line = " " * _indentation(text, document) + entry_line(key, value)
    above = document.last if beside is None else _content_end(text, beside)
    return Patch(*_below(text, above, line), event, 0, pair)


def first_entries(text: str, document: Layout | None, values: dict[str, str], *, name: str) -> Patch:
    """The first entries of a file with nothing but comments, or with an empty document."""
    key = next(iter(values))
    lines = [entry_line(key, value) for key, value in values.items()]
    mapping: list[Signature] = [("MappingStartEvent", None, None, None)]
    mapping += [scalar(word) for pair in values.items() for word in pair]
    mapping.append(("MappingEndEvent", None, None, None))
    if document is None:
        emitted = (("DocumentStartEvent", None, None, None), *mapping, ("DocumentEndEvent", None, None, None))
        return Patch(*_below(text, len(text), *lines), 1, 0, emitted)
    if document.end > document.start:
        raise refusal(name, "the file holds nothing but a null", 1, f"It should hold `{key}: …`.")
    end = _DOCUMENT_END.search(text)
    above = end.start() if end else len(text)
    return Patch(*_below(text, above, *lines), document.index, 1, tuple(mapping))


def entry_line(key: str, value: str) -> str:
    """`key: value`, each in quotes where it needs them."""
    return f"{key if is_plain(key) else quoted(key)}: {in_style(value, None)}"


def _indentation(text: str, document: Layout) -> int:
    """How far the mapping's lines are indented, which a `? key` shows by its question mark."""
    line = text[_line_start(text, document.first) : document.first + 1]
    return len(line) - len(line.lstrip(" "))


def _line_start(text: str, position: int) -> int:
    """Where the line begins that `position` stands in."""
    return max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1


def _below(text: str, position: int, *lines: str) -> tuple[int, int, str]:
    """The insertion (start, end, text) that puts `lines` below the line that `position` stands in."""
    if position and _BREAK.fullmatch(text[position - 1]):
        ending = "\r\n" if text[position - 2 : position] == "\r\n" else text[position - 1]
        return position, position, "".join(line + ending for line in lines)
    found = _BREAK.search(text, position)
    if found:
        return found.end(), found.end(), "".join(line + found.group() for line in lines)
    first = _BREAK.search(text)
    ending = first.group() if first else "\n"
    if not text:
        return 0, 0, "".join(line + ending for line in lines)
    return len(text), len(text), "".join(ending + line for line in lines)


def removal(text: str, document: Layout, entry: Entry, *, leading: bool, name: str) -> Patch:
    """Take the entry's line away, with the comment on it; in braces, the entry and a comma.

    `leading` tells that everything before it in the braces goes as well.
    """
    _check_unreferred(document, (entry.anchor, entry.key_anchor, document.anchor), entry, name)
    start, end = _braced(text, entry, leading) if document.flow else _whole_line(text, entry)
    if start is None or end is None:
        raise refusal(
            name, f"`{entry.key}` cannot be removed: something else stands beside it", entry.line, "Remove it by hand."
        )
    return Patch(start, end, "", entry.index - 1, 2, ())


def _whole_line(text: str, entry: Entry) -> tuple[int | None, int | None]:
    start = _line_start(text, entry.begin)
    rest = _COMMENT.match(text, _content_end(text, entry))
    alone = text[start : entry.begin].lstrip(" ") in {"", "? "}
    return (start if alone else None), (rest.end() if rest else None)


def _braced(text: str, entry: Entry, leading: bool) -> tuple[int | None, int | None]:
    if leading:
        if entry.after is None:
            return entry.begin, entry.end
        return entry.begin, entry.after if _COMMA.fullmatch(text[entry.end : entry.after]) else None
    return (entry.before if _COMMA.fullmatch(text[entry.before : entry.begin]) else None), entry.end


def refusal(name: str, what: str, line: int, hint: str) -> InputError:
    """The error for a file that is written in a way in which a key cannot be changed alone."""
    hint = f"{hint} The file is in the deployments repository; nothing was changed."
    return InputError(what, where=f"{name}:{line}", hint=hint, file=name, line=line)
