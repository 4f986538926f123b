# SPDX-License-Identifier: MIT
"""The byte-exact edit: some scalars change, every other byte stays.

Comments, quotes, order, blank lines, line ends, a byte order mark, document markers and anchors are kept, because the
file is not written anew: a few characters are put in the place of others. Afterwards the new text is parsed and
compared with the old one: exactly those keys changed, or nothing is returned but an error.
"""

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise, zip_longest
from typing import Final

from kit_core.errors import InputError, WorkError
from kit_image_deployer.edit.layout import Entry, Layout, Signature, layouts, signatures
from kit_image_deployer.edit.merges import merged_keys
from kit_image_deployer.edit.patches import Patch, addition, first_entries, holds, refusal, removal, replacement

_BOM: Final = "\ufeff"
# Ends of a line to YAML 1.1, and characters like others to YAML 1.2.
_OLD_BREAK: Final = re.compile("[\x85\u2028\u2029]")
# In characters. A file that holds an image has a few lines; the work for one of this size takes seconds.
_LARGEST: Final = 4 * 1024 * 1024
# The parser compares each directive with all before it, so many of them would take minutes.
_MOST_DIRECTIVES: Final = 100
_DIRECTIVE: Final = re.compile(r"(?:^|[\n\r])%")


@dataclass(frozen=True)
class Edit:
    """The file before (None where there was none) and after.

    `previous_values` holds what each key that was asked for had (None: nothing); `previous` is the first one's.
    """

    before: bytes | None
    after: bytes
    previous: str | None
    previous_values: Mapping[str, str | None]

    @property
    def changes(self) -> bool:
        """Whether there is anything to commit."""
        return self.before != self.after


def set_value(before: bytes | None, key: str, value: str, *, name: str) -> Edit:
    """Give the top-level `key` of the YAML file `name` the string `value`: `set_values` for one key."""
    return set_values(before, {key: value}, name=name)


def set_values(before: bytes | None, values: Mapping[str, str], *, name: str, remove: Collection[str] = ()) -> Edit:
    """Give top-level keys of the YAML file `name` strings as values, and take the keys `remove` away.

    Without a file, one is made, with the keys in the order of `values`. A key that is missing is added below the one
    that stands before it in `values`, else at the end. The same values already there are no change. Of `remove`, a
    key that is missing or whose value is no scalar is left alone: a list or mapping was not written by this step.

    Raises `InputError` (file, line, why) for everything that cannot be changed without changing more: no mapping, an
    alias or merged key, an anchor that others refer to, a key that stands twice, several documents without the first
    key; and `WorkError` where the new text would not mean exactly what was wanted.
    """
    wanted = dict.fromkeys([*values, *remove])
    text = "" if before is None else _decoded(before, name)
    bom, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    patches, entries = _planned(body, values, remove, name)
    if _OLD_BREAK.search(body):
        again, _ = _planned(_OLD_BREAK.sub("·", body), values, remove, name)
        if [(patch.start, patch.end, patch.text) for patch in again] != [
            (patch.start, patch.end, patch.text) for patch in patches
        ]:
            raise _unclear(name, next(iter(values)))
    previous = {key: entries[key].text if key in entries else None for key in wanted}
    after = (bom + _applied(body, patches)).encode() if patches or before is None else before
    return Edit(before, after, previous[next(iter(values))], previous)


def values_of(content: bytes, keys: Collection[str], *, name: str) -> dict[str, str | None]:
    """What top-level `keys` of the YAML file `name` say; None for what is not there, says nothing or is no scalar.

    The first key tells which document is meant, where there are several. Raises `InputError` for a file that is no
    YAML, and where the first key stands twice.
    """
    first = next(iter(keys))
    text = _decoded(content, name).removeprefix(_BOM)
    document = _document(layouts(text, keys, name=name), first, name)
    found = {key: document.named(key) if document is not None else [] for key in keys}
    if len(found[first]) > 1:
        raise _doubled(name, first, found[first][0].line, found[first][1].line)
    return {key: entries[0].text if len(entries) == 1 else None for key, entries in found.items()}


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > _LARGEST:
        raise InputError(
            f"the file has {len(raw):,} bytes, and {_LARGEST:,} are the most that is edited",
            where=name,
            hint="A file that holds an image has a few lines: look what it is; nothing was changed.",
            file=name,
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "Save it as UTF-8."
        raise refusal(name, "the file is not UTF-8 text", line, hint) from None
    directives = list(islice(_DIRECTIVE.finditer(text), _MOST_DIRECTIVES + 1))
    if len(directives) > _MOST_DIRECTIVES:
        line = text.count("\n", 0, directives[-1].end()) + 1
        raise refusal(name, f"more than {_MOST_DIRECTIVES} lines begin with `%`", line, "Look what the file is.")
    return text


def _planned(
    text: str, values: Mapping[str, str], remove: Collection[str], name: str
) -> tuple[list[Patch], dict[str, Entry]]:
    """The patches, in the order of the text, proven to do what is wanted; and the entries that are there."""
    keys = dict.fromkeys([*values, *remove])
    documents = layouts(text, keys, name=name)
    document = _document(documents, next(iter(values)), name)
    entries = _entries(document, keys, name) if document else {}
    if document is None or document.empty:
        patches = [first_entries(text, document, dict(values), name=name)]
    else:
        _check_mapping(text, document, entries, values, remove, name)
        patches = [
            *_settings(text, document, entries, values, name),
            *_removals(text, document, entries, remove, name),
        ]
    patches.sort(key=lambda patch: (patch.start, patch.end))
    _verify(text, patches, name, next(iter(values)))
    return patches, entries


def _document(documents: list[Layout], key: str, name: str) -> Layout | None:
    """The document that holds `key`, or is to hold it; None in an empty file."""
    holding = [document for document in documents if document.named(key)]
    if len(holding) > 1:
        first, second = (document.named(key)[0].line for document in holding[:2])
        raise _doubled(name, key, first, second)
    if not holding and len(documents) > 1:
        raise refusal(
            name, f"none of the file's {len(documents)} documents has `{key}`", 1, f"Add `{key}:` to one of them."
        )
    return next(iter(holding or documents), None)


def _entries(document: Layout, keys: Collection[str], name: str) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for entry in document.entries:
        if entry.key in entries:
            raise _doubled(name, entry.key, entries[entry.key].line, entry.line)
        entries[entry.key] = entry
    return {key: entries[key] for key in keys if key in entries}


def _doubled(name: str, key: str, first: int, second: int) -> InputError:
    return refusal(name, f"`{key}` stands more than once, in lines {first} and {second}", second, "Keep one of them.")


def _check_mapping(
    text: str,
    document: Layout,
    entries: Mapping[str, Entry],
    values: Mapping[str, str],
    remove: Collection[str],
    name: str,
) -> None:
    """Whether keys can be added and removed: what is merged in, or referred to as a whole, is not changed by that."""
    first = next(iter(values))
    if document.kind != "mapping":
        raise refusal(name, f"the file holds a {document.kind}, no mapping", 1, f"It should hold `{first}: …`.")
    uncovered = {key for key in values if key not in entries} | {key for key in remove if key in entries}
    if uncovered and document.merges:
        for key in sorted(uncovered & merged_keys(text, uncovered, name=name)):
            raise refusal(name, f"`{key}` comes from a merge key (`<<`)", 1, f"Write `{key}` into the mapping itself.")
    if uncovered and document.anchor is not None and document.aliased[document.anchor]:
        raise refusal(name, f"the whole file is referred to by its anchor &{document.anchor}", 1, "Remove it.")


def _settings(
    text: str, document: Layout, entries: Mapping[str, Entry], values: Mapping[str, str], name: str
) -> Iterator[Patch]:
    beside: Entry | None = None
    for key, value in values.items():
        entry = entries.get(key)
        if entry is None:
            yield addition(text, document, key, value, beside)
        else:
            beside = entry
            if not holds(entry, value):
                yield replacement(text, document, entry, value, name=name)


def _removals(
    text: str, document: Layout, entries: Mapping[str, Entry], remove: Collection[str], name: str
) -> Iterator[Patch]:
    going = [entries[key] for key in remove if key in entries and entries[key].kind == "scalar"]
    for place, entry in enumerate(sorted(going, key=lambda entry: entry.number)):
        yield removal(text, document, entry, leading=entry.number == place, name=name)


def _applied(text: str, patches: list[Patch]) -> str:
    parts = []
    position = 0
    for patch in patches:
        parts += [text[position : patch.start], patch.text]
        position = patch.end
    return "".join([*parts, text[position:]])


def _verify(text: str, patches: list[Patch], name: str, key: str) -> None:
    """The promise itself: the new text parses, and to exactly the wanted change."""
    if any(first.end > second.start for first, second in pairwise(patches)):
        raise _unclear(name, key)
    expected = _expected(signatures(text, name=name), patches)
    try:
        pairs = zip_longest(signatures(_applied(text, patches), name=name), expected)
        correct = not patches or all(found == wanted for found, wanted in pairs)
    except InputError:
        correct = False
    if not correct:
        raise _unclear(name, key)


def _expected(seen: Iterator[Signature], patches: list[Patch]) -> Iterator[Signature]:
    """The events of the old text, changed as the patches say."""
    waiting = deque(sorted(patches, key=lambda patch: (patch.event, patch.skipped)))
    skipping = 0
    for index, signature in enumerate(seen):
        while waiting and waiting[0].event == index:
            patch = waiting.popleft()
            yield from patch.emitted
            skipping += patch.skipped
        if skipping:
            skipping -= 1
        else:
            yield signature


def _unclear(name: str, key: str) -> WorkError:
    return WorkError(
        f"{name} is written in a way in which `{key}` cannot be changed without changing more",
        hint="Write the file more simply (one `key: value` a line) and run again; nothing was changed.",
        file=name,
    )
