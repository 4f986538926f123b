# SPDX-License-Identifier: MIT
"""Label selectors, as `kubectl -l` writes them and as objects carry them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TERM: Final = re.compile(
    r"""\s*(?:
      (?P<absent>!)\s*(?P<absent_key>[^\s,=!()]+)
    | (?P<key>[^\s,=!()]+)\s*(?:
          (?P<op>==|=|!=)\s*(?P<value>[^\s,=!()]*)
        | \s(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
      )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Requirement:
    """One term: `operator` is `in`, `notin`, `exists` or `absent`."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels satisfies the term."""
        if self.operator == "exists":
            return self.key in labels
        if self.operator == "absent":
            return self.key not in labels
        inside = labels.get(self.key) in self.values if self.key in labels else False
        return inside if self.operator == "in" else not inside


@dataclass(frozen=True)
class Selector:
    """All terms must hold. Without terms everything matches."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)


def parse_selector(text: str) -> Selector:
    """Read `a=b, c!=d, e in (f,g), h notin (i), j, !k`. Raises ValueError saying where it stops making sense."""
    requirements: list[Requirement] = []
    position = 0
    while position < len(text.rstrip()):
        term = _TERM.match(text, position)
        if term is None or term.end() == position:
            raise ValueError(f"cannot read {text[position:].strip()!r} as a label selector")
        requirements.append(_requirement(term))
        position = term.end()
    if not requirements or text.rstrip().endswith(","):
        raise ValueError(f"{text!r} is no label selector")
    return Selector(tuple(requirements))


def _requirement(term: re.Match[str]) -> Requirement:
    if term["absent"]:
        return Requirement(term["absent_key"], "absent")
    if term["set"]:
        values = frozenset(value.strip() for value in term["values"].split(","))
        return Requirement(term["key"], term["set"], values)
    if term["op"]:
        return Requirement(term["key"], "notin" if term["op"] == "!=" else "in", frozenset({term["value"]}))
    return Requirement(term["key"], "exists")


_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """The selector of a `LabelSelector` value (`matchLabels`, `matchExpressions`)."""
    selector = selector or {}
    terms = [
        Requirement(key, "in", frozenset({str(value)})) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    terms += [
        Requirement(term["key"], _OPERATORS.get(term["operator"], "in"), frozenset(map(str, term.get("values") or [])))
        for term in selector.get("matchExpressions") or []
    ]
    return Selector(tuple(terms))
