# SPDX-License-Identifier: MIT
"""The rules for names of variables: which unknown ones are typing errors, and which are none of our business."""

import re
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Final

from kit_core.declare import BASE64, FILE, PREFIX

# What Kubernetes (services) and Docker (links) put into the environment of a container beside something that is
# called kit-…: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables and Docker's
# legacy container links.
_LINKED: Final = re.compile(
    r"^KIT(_.+)?_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO|START|END))?|NAME|ENV_.+)$"
)


def known_to_any_step() -> frozenset[str]:
    """Every variable that some step of the suite reads (`variables.txt`, written by `make docs`)."""
    text = resources.files("kit_core").joinpath("variables.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def unknown_variables(env: Mapping[str, str], known: Iterable[str]) -> list[tuple[str, str | None]]:
    """The `KIT_*` variables of `env` that no step reads, each with the known name it is probably meant to be.

    `known` are the variables of the step that runs, in all their spellings.
    """
    names = frozenset(known)
    strangers = sorted(
        name for name in env if name.startswith(PREFIX) and name not in names and not _LINKED.match(name)
    )
    if not strangers:
        return []
    others = known_to_any_step() - names
    return [(name, _nearest(name, names)) for name in strangers if not _among(name, others)]


def nearest(name: str, known: Iterable[str], *, limit: int = 2) -> str | None:
    """The known name at most `limit` typing errors away from `name`, the nearest one; None where there is none."""
    best = min(((_distance(name, other, limit), other) for other in known), default=None)
    return best[1] if best and best[0] <= limit else None


def _nearest(name: str, known: frozenset[str]) -> str | None:
    plain = name.removesuffix(FILE)
    if plain in known:
        return plain  # only a secret may lie in a file; in silence the value would be missed
    bare = name.removeprefix(PREFIX)
    candidates = {other.removeprefix(PREFIX): other for other in sorted(known)}
    found = nearest(bare, candidates, limit=1 if len(bare) < 8 else 2)
    return PREFIX + found if found else None


def _among(name: str, known: frozenset[str]) -> bool:
    return name in known or name.removesuffix(FILE) in known or name.removesuffix(BASE64) in known


def _distance(left: str, right: str, limit: int) -> int:
    """Typing errors between two words (a letter too many, too few, another, two swapped); above `limit`, any number."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(before) >= limit:  # no further letter brings them nearer
            return limit + 1
    return row[-1]
