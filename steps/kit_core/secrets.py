# SPDX-License-Identifier: MIT
"""Values that never print, and the masking of what libraries print all the same."""

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Final

MASK: Final = "***"
_SHORTEST_MASKED: Final = 4
_SHORTEST_TOKEN: Final = 12
_FEW: Final = 200
_BEFORE_HOST: Final = re.compile(r"(?<=://)[^\s/?#]+@")
_USER_INFO: Final = re.compile(r"\bhttps?://([^\s/?#]+)@", re.IGNORECASE)


class Secret:
    """A value that shows itself to nobody who does not ask by name: `str`, `repr` and formats print `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not written anywhere")


class Masker:
    """Replaces every secret it was told of, in the forms libraries print them in, by `***`.

    Values shorter than four characters are left alone: masking them would shred every text and hide nothing. May be
    told and asked from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._starts: dict[str, tuple[str, ...]] | None = {}

    def add(self, secret: Secret | str) -> None:
        """Mask this value from now on: as it is, URL-quoted, base64-encoded, JSON-escaped, and line by line."""
        value = secret.reveal() if isinstance(secret, Secret) else secret
        raw = value.encode("utf-8", "surrogateescape")
        forms = {
            value,
            value.strip(),
            urllib.parse.quote(raw, safe=""),
            urllib.parse.quote_plus(raw),
            urllib.parse.quote(raw),
            urllib.parse.quote(urllib.parse.quote(raw)),  # an address that is part of an address
            *_base64_forms(raw),
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            repr(value)[1:-1],
        }
        if "\n" in value.strip():
            forms.update(line.strip() for line in value.splitlines() if len(line.strip()) > 2 * _SHORTEST_MASKED)
        with self._lock:
            self._forms.update(form for form in forms if len(form) >= _SHORTEST_MASKED)
            self._starts = None

    def mask(self, text: str) -> str:
        """`text` without any known secret. Takes no longer where thousands are known."""
        starts = self._by_start()
        parts: list[str] = []
        begin = position = 0  # what has been copied, and the end of the secrets found so far
        for start, end in sorted(_found(text, starts)) if starts else ():
            if start >= position:  # secrets that overlap have one mask: no tail of one stays behind another
                parts += [text[begin:start], MASK]
            begin = position = max(position, end)
        return "".join([*parts, text[begin:]]) if parts else text

    def _by_start(self) -> dict[str, tuple[str, ...]]:
        """The forms by their first characters; made when asked, since thousands may be told one by one."""
        with self._lock:
            if self._starts is None:
                groups: dict[str, list[str]] = {}
                for form in self._forms:
                    groups.setdefault(form[:_SHORTEST_MASKED], []).append(form)
                self._starts = {start: tuple(forms) for start, forms in groups.items()}
            return self._starts


def _found(text: str, starts: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    if len(starts) <= _FEW:
        for forms in starts.values():
            for form in forms:
                place = text.find(form)
                while place >= 0:
                    yield place, place + len(form)
                    place = text.find(form, place + 1)
        return
    for place in range(len(text) - _SHORTEST_MASKED + 1):
        for form in starts.get(text[place : place + _SHORTEST_MASKED], ()):
            if text.startswith(form, place):
                yield place, place + len(form)


def in_urls(text: str) -> Iterator[str]:
    """The passwords in the `https://user:password@host` of a text; a long name without a password is a token."""
    for found in _USER_INFO.finditer(text):
        name, _, password = found[1].partition(":")
        secret = password or (name if len(name) >= _SHORTEST_TOKEN else "")
        if secret:
            yield secret
            yield urllib.parse.unquote(secret)


def bare_urls(text: str) -> str:
    """`text` with the user and the password in its URLs left out, for what is written where others read it."""
    return _BEFORE_HOST.sub("", text)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The base64 of `raw`, and what of it does not depend on its neighbours where it stands within longer text.

    Basic authentication encodes `user:password`: the password begins at any of three places of a group of four.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        for before in range(3):
            start, end = (8 * before + 5) // 6, 8 * (before + len(raw)) // 6
            core = encode(bytes(before) + raw).decode()[start:end]
            if len(core) > 2 * _SHORTEST_MASKED:
                yield core
