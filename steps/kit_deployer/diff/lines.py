# SPDX-License-Identifier: MIT
"""Two states of an object, line by line as YAML: which lines stay, go and come. Pure.

Not a comparison of texts: items of lists are matched by their name first, so that a new container or variable does not
make its neighbours look changed, and what is long and equal costs nothing. That, and texts of several lines shown as
lines, is why this is not `difflib` on dumped YAML.
"""

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from kit_deployer.diff.items import keyed, naming

Mark = Literal[" ", "-", "+"]
Path = tuple[str, ...]

LONGEST: Final = 400
"""Characters of a value on one line; of a longer one, what surrounds the change."""

_BEFORE_CHANGE: Final = 60
_MANY_LINES: Final = 6_000
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_UNPRINTABLE: Final = re.compile("[^\t\x20-\x7e\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")


class Line(NamedTuple):
    """A line that stays, goes or comes; `path` is where it belongs, for the heads of parts."""

    mark: Mark
    text: str
    path: Path


def lines(old: Any, new: Any) -> Iterator[Line]:
    """The lines of both states, in order. None is not being there."""
    if old is None or new is None:
        yield from _whole("-", old, "", ()) if old is not None else ()
        yield from _whole("+", new, "", ()) if new is not None else ()
    else:
        yield from _changed(old, new, "", "", (), None)


def _changed(old: Any, new: Any, indent: str, lead: str, path: Path, first: str | None) -> Iterator[Line]:
    """Both states of the same value below a line that stays. `lead` stands before the first line; `first` is the key
    that goes there."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _maps(old, new, indent, lead, path, first)
    else:
        assert isinstance(old, list)
        yield from _lists(old, new, indent, path)


def _alike(old: Any, new: Any) -> bool:
    """Whether both are maps, or lists, with something in them: compared by what is in them."""
    return bool(old and new and ((isinstance(old, dict) and isinstance(new, dict)) or _are_lists(old, new)))


def _are_lists(old: Any, new: Any) -> bool:
    return isinstance(old, list) and isinstance(new, list)


def _maps(
    old: dict[str, Any], new: dict[str, Any], indent: str, lead: str, path: Path, first: str | None
) -> Iterator[Line]:
    for number, name in enumerate(_union(list(old), list(new), first)):
        start = lead if number == 0 else indent
        below = (*path, name)
        if name not in new:
            yield from _entry("-", name, old[name], indent, start, below)
        elif name not in old:
            yield from _entry("+", name, new[name], indent, start, below)
        elif _alike(old[name], new[name]):
            yield Line(" ", f"{start}{_scalar(name)}:", path)
            deeper = indent if isinstance(new[name], list) else f"{indent}  "
            yield from _changed(old[name], new[name], deeper, deeper, below, None)
        elif _same_plain(old[name], new[name]):
            yield from _entry(" ", name, new[name], indent, start, below)
        else:
            yield from _replaced(name, old[name], new[name], indent, start, below)


def _replaced(name: str, old: Any, new: Any, indent: str, start: str, path: Path) -> Iterator[Line]:
    if _is_block(old) and _is_block(new):
        heads = [f"{start}{_scalar(name)}: {_block_head(text)}" for text in (old, new)]
        if heads[0] == heads[1]:
            yield Line(" ", heads[0], path)
        else:
            yield Line("-", heads[0], path)
            yield Line("+", heads[1], path)
        yield from _texts(_block_lines(old, indent), _block_lines(new, indent), path)
        return
    one, two = clipped(old, new) if isinstance(old, str) and isinstance(new, str) else (old, new)
    yield from _entry("-", name, one, indent, start, path)
    yield from _entry("+", name, two, indent, start, path)


def _lists(old: list[Any], new: list[Any], indent: str, path: Path) -> Iterator[Line]:
    name = naming(old, new)
    if name is not None:
        before, after = keyed(old, name), keyed(new, name)
        for tag, left, right in _aligned(list(map(str, before)), list(map(str, after))):
            olds, news = old[left], new[right]
            if tag == "equal":
                for one, two in zip(olds, news, strict=True):
                    where = (*path[:-1], f"{path[-1]}[{two[name]}]" if path else f"[{two[name]}]")
                    yield from _changed(one, two, f"{indent}  ", f"{indent}- ", where, name)
            else:
                yield from _items(olds, news, indent, path)
        return
    for tag, left, right in _aligned(list(map(_canonical, old)), list(map(_canonical, new))):
        if tag == "equal":
            for item in new[right]:
                yield from _item(" ", item, indent, path)
        else:
            yield from _items(old[left], new[right], indent, path)


def _items(olds: list[Any], news: list[Any], indent: str, path: Path) -> Iterator[Line]:
    pairs = list(zip(olds, news, strict=False)) if len(olds) == len(news) else []
    if pairs and all(isinstance(one, str) and isinstance(two, str) for one, two in pairs):
        cut = [clipped(one, two) for one, two in pairs]
        olds, news = [one for one, _ in cut], [two for _, two in cut]
    for item in olds:
        yield from _item("-", item, indent, path)
    for item in news:
        yield from _item("+", item, indent, path)


def _item(mark: Mark, item: Any, indent: str, path: Path) -> Iterator[Line]:
    if isinstance(item, dict) and item:
        yield from _map(mark, item, f"{indent}  ", f"{indent}- ", path)
    elif isinstance(item, list) and item:
        yield Line(mark, f"{indent}-", path)
        for below in item:
            yield from _item(mark, below, f"{indent}  ", path)
    elif _is_block(item):
        yield Line(mark, f"{indent}- {_block_head(item)}", path)
        yield from (Line(mark, text, path) for text in _block_lines(item, indent))
    else:
        yield Line(mark, f"{indent}- {_plain(item)}", path)


def _map(mark: Mark, value: dict[str, Any], indent: str, lead: str, path: Path) -> Iterator[Line]:
    for number, name in enumerate(_union([], list(value), next((key for key in ("name",) if key in value), None))):
        yield from _entry(mark, name, value[name], indent, lead if number == 0 else indent, path)


def _entry(mark: Mark, name: str, value: Any, indent: str, start: str, path: Path) -> Iterator[Line]:
    key = _scalar(name)
    if isinstance(value, dict) and value:
        yield Line(mark, f"{start}{key}:", path)
        yield from _map(mark, value, f"{indent}  ", f"{indent}  ", path)
    elif isinstance(value, list) and value:
        yield Line(mark, f"{start}{key}:", path)
        for item in value:
            yield from _item(mark, item, indent, path)
    elif _is_block(value):
        yield Line(mark, f"{start}{key}: {_block_head(value)}", path)
        yield from (Line(mark, text, path) for text in _block_lines(value, indent))
    else:
        yield Line(mark, f"{start}{key}: {_plain(value)}", path)


def _whole(mark: Mark, value: Any, indent: str, path: Path) -> Iterator[Line]:
    yield from _map(mark, value, indent, indent, path)


def _union(old: list[str], new: list[str], first: str | None) -> list[str]:
    """All keys, in the order of the new state; what is only in the old one stays behind what was before it."""
    names = list(new)
    present = set(new)
    for place, name in enumerate(old):
        if name not in present:
            names.insert(names.index(old[place - 1]) + 1 if place else 0, name)
            present.add(name)
    if first in present:
        names.remove(first)
        names.insert(0, first)
    return names


def _same_plain(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[str, slice, slice]]:
    """The runs of two sequences that are equal, and those that are not."""
    size, rest = min(len(old), len(new)), 0
    start = next((place for place in range(size) if old[place] != new[place]), size)
    while rest < size - start and old[-1 - rest] == new[-1 - rest]:
        rest += 1
    yield "equal", slice(0, start), slice(0, start)
    one, two = old[start : len(old) - rest], new[start : len(new) - rest]
    if len(one) + len(two) > _MANY_LINES:  # what takes square time is not looked at so closely
        yield "replace", slice(start, start + len(one)), slice(start, start + len(two))
    else:
        for tag, a, b, c, d in SequenceMatcher(None, one, two).get_opcodes():
            yield tag, slice(start + a, start + b), slice(start + c, start + d)
    yield "equal", slice(len(old) - rest, len(old)), slice(len(new) - rest, len(new))


def _texts(old: list[str], new: list[str], path: Path) -> Iterator[Line]:
    for tag, left, right in _aligned(old, new):
        if tag == "equal":
            yield from (Line(" ", text, path) for text in new[right])
            continue
        olds, news = old[left], new[right]
        if len(olds) == len(news):
            pairs = [clipped(one, two) for one, two in zip(olds, news, strict=True)]
            olds, news = [one for one, _ in pairs], [two for _, two in pairs]
        yield from (Line("-", text, path) for text in olds)
        yield from (Line("+", text, path) for text in news)


def clipped(old: str, new: str) -> tuple[str, str]:
    """Both texts, each with at most `LONGEST` characters around the first place where they differ."""
    if max(len(old), len(new)) <= LONGEST or "\n" in old or "\n" in new:
        return old, new
    place = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    begin = max(0, place - _BEFORE_CHANGE)
    return _window(old, begin), _window(new, begin)


def _window(text: str, begin: int) -> str:
    part = text[begin : begin + LONGEST]
    left, right = "… " if begin else "", f" … ({len(text)} characters)" if begin + LONGEST < len(text) else ""
    return f"{left}{part}{right}"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _is_block(value: Any) -> bool:
    """Whether a text is shown as lines of its own."""
    return isinstance(value, str) and "\n" in value[:-1] and not _UNPRINTABLE.search(value.replace("\n", ""))


def _block_head(text: str) -> str:
    body = text.rstrip("\n")
    end = "-" if body == text else "" if text == f"{body}\n" else "+"
    return f"|{'2' if text.startswith((' ', chr(10))) else ''}{end}"


def _block_lines(text: str, indent: str) -> list[str]:
    shown = text.removesuffix("\n")
    return [f"{indent}  {line}" if line else "" for line in shown.split("\n")]


def _plain(value: Any) -> str:
    if isinstance(value, str):
        text = _window(value, 0) if len(value) > 2 * LONGEST else value
        return _scalar(text)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return json.dumps(value)


@lru_cache(maxsize=4096)
def _scalar(text: str) -> str:
    """A text as YAML writes it on one line, quoted where it must be."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumped: str = yaml.dump(text, Dumper=dumper, allow_unicode=True, width=2**31 - 1)
    line = dumped.removesuffix("\n...\n").rstrip("\n")
    return json.dumps(text) if "\n" in line else line
