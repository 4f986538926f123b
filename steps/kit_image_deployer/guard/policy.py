# SPDX-License-Identifier: MIT
"""May this build's image replace the one that is there? An older build must not, where it can be known. Pure.

What can be known stands beside the image, in the keys `commit`, `build` and `source`: what it was built from, by which
build, and whose builds are counted there. The history of the service's repository decides first; where it does not
tell, the numbers of builds of one source do. Clocks and dates are never compared.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kit_core.errors import InputError
from kit_core.secrets import bare_urls

RECORD: Final = ("commit", "build", "source")
"""The keys beside the image."""

Order = Literal["older", "same", "newer", "apart", "unknown"]
"""Where the recorded commit stands to ours: `apart` has no order (two branches), `unknown` cannot be told."""

Relate = Callable[[str, str], Order]
"""From our commit and the recorded one to their order."""

_NUMBER: Final = re.compile(r"[0-9]+", re.ASCII)
_COMMIT: Final = re.compile(r"[0-9a-f]{4,64}", re.ASCII | re.IGNORECASE)
_WHOLE_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_SOURCE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]{1,500}")
_SHOWN: Final = 12


@dataclass(frozen=True, kw_only=True)
class Build:
    """What an image comes from: a commit, the number of a build, and the source in which builds are numbered."""

    commit: str | None = None
    number: str | None = None
    source: str | None = None

    def __bool__(self) -> bool:
        return bool(self.commit or self.number)

    def values(self) -> dict[str, str]:
        """The keys beside the image, as far as they are known. A source says nothing without a number."""
        parts = zip(RECORD, (self.commit, self.number, self.source if self.number else None), strict=True)
        return {key: value for key, value in parts if value}


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The build whose image is to be written, and how commits are compared (None: they are not).

    `allow_downgrade`: a step back is wanted.
    """

    build: Build
    relate: Relate | None = None
    allow_downgrade: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether our build is superseded, and a sentence for the log (empty: there is nothing to say)."""

    superseded: bool
    why: str = ""


def recorded(values: Mapping[str, str | None]) -> Build:
    """The record that a file holds beside its image; what is none that this step writes counts as absent.

    A file may have keys of these names for reasons of its own: it is a record where it has a build's number with its
    source, or a whole commit id.
    """
    commit, number, source = (values.get(key) for key in RECORD)
    number = number if number and source and _NUMBER.fullmatch(number) else None
    known = commit is not None and (_WHOLE_COMMIT if number is None else _COMMIT).fullmatch(commit)
    commit = commit if known else None
    return Build(commit=commit, number=number, source=source if number else None)


def judge(guard: Guard, found: Build) -> Verdict:
    """Compare our build with the one that is recorded."""
    verdict = _judged(guard, found)
    if verdict.superseded and guard.allow_downgrade:
        return Verdict(False, f"a step back, as KIT_ALLOW_DOWNGRADE wants it: {verdict.why}")
    return verdict


def _judged(guard: Guard, found: Build) -> Verdict:
    ours = guard.build
    order: Order = "unknown"
    if guard.relate is not None and ours.commit and found.commit:
        order = guard.relate(ours.commit, found.commit)
    if order == "newer":
        return Verdict(True, f"it holds commit {_short(found.commit)}, which follows ours, {_short(ours.commit)}")
    if order == "older":
        return Verdict(False)
    if ours.number and found.number and ours.source == found.source:
        if magnitude(found.number) > magnitude(ours.number):
            return Verdict(True, f"it holds build {found.number} of {found.source}, and ours is {ours.number}")
        return Verdict(False)
    if order == "unknown" and guard.relate is not None and found.commit:
        note = f"which of the commits {_short(found.commit)} (there) and {_short(ours.commit)} (ours) is newer"
        return Verdict(False, f"{note} is not known in KIT_SOURCE_DIR; a clone that is not shallow knows more")
    return Verdict(False)


def magnitude(number: str) -> tuple[int, str]:
    """Orders texts of digits as the numbers they are, of whatever length."""
    digits = number.lstrip("0")
    return len(digits), digits


def check_number(number: str, *, setting: str) -> str:
    """The number of a build, as it is recorded. Raises `InputError` for anything but digits."""
    digits = number.strip()
    if not _NUMBER.fullmatch(digits):
        raise InputError(
            f"{setting}={number!r} is no build's number",
            why="only whole numbers can be compared",
            hint="Give the number that the CI counts its builds with, in digits; for a version such as 1.2 there is"
            " KIT_SOURCE_DIR instead.",
        )
    return digits.lstrip("0") or "0"


def check_source(source: str, *, setting: str) -> str:
    """What builds are numbered in, as it is recorded. Raises `InputError` for what is not one line of text."""
    text = bare_urls(" ".join(source.split()))
    if not _SOURCE.fullmatch(text):
        raise InputError(
            f"{setting}={source!r} is no name for where builds are numbered",
            hint="Give one line of text, such as: jenkins shop/cart.",
        )
    return text


def fit_commit(commit: str | None) -> str | None:
    """A commit id as it is recorded; None for what is none (a CI may call a revision of another kind so)."""
    return commit.strip().lower() if commit and _COMMIT.fullmatch(commit.strip()) else None


def _short(commit: str | None) -> str:
    return commit[:_SHOWN] if commit else "(not known)"
