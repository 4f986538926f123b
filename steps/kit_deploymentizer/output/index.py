# SPDX-License-Identifier: MIT
"""The index of a cluster's output: what a run made, from which inputs, what of it is secret, and what can be reused.

kit-deployer reads it (`kit_deployer.inputs.index`) and leaves keys alone that it does not know. A line a file, so that
the head can be written anew alone: a commit changes one line of the index of a cluster that it does not touch. Pure.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

VERSION: Final = 1
HIDDEN: Final = ".kit"
_BODY: Final = b'\n "files": {'

Index = dict[str, Any]


def read_index(raw: bytes) -> Index | None:
    """What an earlier run says; None where it is not as we write it."""
    try:
        index = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(index, dict) or index.get("version") != VERSION:
        return None
    parts = [index.get(name, {}) for name in ("files", "secrets", "objects", "made", "digests")]
    if not all(isinstance(part, dict) for part in parts) or "files" not in index or "secrets" not in index:
        return None
    return index if all(isinstance(facts, dict) for facts in index["files"].values()) else None


def head_of(
    cluster: str,
    *,
    commit: str | None,
    complete: bool,
    placeholders: bool = False,
    limited_to: str | None = None,
    left_out: tuple[str, ...] = (),
    clean: bool = True,
    inputs: Sequence[str] = (),
) -> Index:
    """What an index says of the run; `inputs` are the files that everything of the cluster is made from."""
    return {
        "version": VERSION,
        "cluster": cluster,
        "commit": commit,
        "complete": complete,
        "placeholders": placeholders,
        "limited_to": limited_to,
        "left_out": sorted(left_out),
        "clean": clean,
        "inputs": list(inputs),
    }


def index_text(head: Index, body: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The index's bytes. `body` begins with `files`; its parts hold an entry for each file or resource, a value or the
    text of one (`Line`)."""
    return _head_text(head) + b",".join(
        f"\n {_json(name)}: {{{_entries(entries)}}}".encode("utf-8", "surrogatepass") for name, entries in body.items()
    ) + b"\n}\n"  # fmt: skip


class Line(str):
    """A value as it stood in an earlier index."""

    __slots__ = ()


def lines_of(raw: bytes, part: str) -> dict[str, Line]:
    """The entries of a part of the index, as text; none where it is not as `index_text` lays it out."""
    text = raw.decode("utf-8", "surrogatepass")
    begin = text.find(f'\n "{part}": {{\n')
    end = text.find("\n }", begin)
    if begin < 0 or end < 0:
        return {}
    lines = (line.removesuffix(",") for line in text[begin:end].split("\n")[2:])
    pairs = (line.split('": ', 1) for line in lines)  # no key holds this: its quotes are escaped
    return {pair[0].lstrip()[1:]: Line(pair[1]) for pair in pairs if len(pair) == 2}


def head_in(raw: bytes) -> Index | None:
    """The head of the index `raw`; None where it is not as `index_text` lays it out."""
    place = raw.find(_BODY)
    try:
        head = json.loads(raw[:place].rstrip(b",") + b"}") if place >= 0 else None
    except (ValueError, RecursionError):
        return None
    return head if isinstance(head, dict) else None


def with_head(raw: bytes, head: Index) -> bytes | None:
    """The index `raw` with another head; None where it is not as `index_text` lays it out."""
    place = raw.find(_BODY)
    return _head_text(head) + raw[place:] if place >= 0 else None


def entries_naming(raw: bytes, part: str, words: Iterable[str]) -> dict[str, Any]:
    """The entries of a part of the index in which one of the words stands as a string."""
    begin, end = _bounds(raw, part)
    found = {}
    for word in words:
        needle = _spelled(word)
        place = raw.find(needle, begin, end)
        while place >= 0:
            stop = raw.find(b"\n", place)
            line = raw[raw.rfind(b"\n", 0, place) : stop].rstrip(b",")
            found.update(json.loads(b"{" + line + b"}"))
            place = raw.find(needle, stop, end)
    return found


def entry_in(raw: bytes, part: str, key: str) -> Any:
    """An entry of a part of the index, None where it has none."""
    span = _span(raw, *_bounds(raw, part), key)
    return json.loads(raw[span[0] : span[1]]) if span else None


def with_entries(raw: bytes, head: Index, parts: Mapping[str, Mapping[str, Any]]) -> bytes | None:
    """The index `raw` with another head and other values of these entries; None where it lacks one, or is not as
    `index_text` lays it out."""
    body = raw.find(_BODY)
    changes = []
    for part, entries in parts.items():
        begin, end = _bounds(raw, part)
        for key, value in entries.items():
            span = _span(raw, begin, end, key)
            if span is None or body < 0:
                return None
            changes.append((*span, _spelled(value)))
    pieces = [_head_text(head)]
    for begin, end, value in sorted(changes):
        pieces += raw[body:begin], value
        body = end
    return b"".join([*pieces, raw[body:]]) if body >= 0 else None


def _bounds(raw: bytes, part: str) -> tuple[int, int]:
    """Where a part begins and ends; twice the same where it is empty or not there."""
    begin = raw.find(b"\n " + _spelled(part) + b": {\n")
    return (begin, raw.find(b"\n }", begin)) if begin >= 0 else (0, 0)


def _span(raw: bytes, begin: int, end: int, key: str) -> tuple[int, int] | None:
    """Where the value of a key begins and ends."""
    before = b"\n  " + _spelled(key) + b": "
    place = raw.find(before, begin, end)
    if place < 0:
        return None
    stop = raw.find(b"\n", place + 1)
    return place + len(before), stop - raw.startswith(b",", stop - 1)


def _spelled(value: Any) -> bytes:
    return _json(value).encode("utf-8", "surrogatepass")


def _head_text(head: Index) -> bytes:
    lines = "".join([f'\n "{key}": {_json(value)},' for key, value in head.items()])  # our own keys: nothing to escape
    return f"{{{lines}".encode("utf-8", "surrogatepass")


def _entries(entries: Mapping[str, Any]) -> str:
    lines = ",".join(
        f"\n  {_json(key)}: {value if value.__class__ is Line else _json(value)}"
        for key, value in sorted(entries.items())
    )
    return f"{lines}\n " if lines else ""


_json: Final = json.JSONEncoder(ensure_ascii=False).encode
