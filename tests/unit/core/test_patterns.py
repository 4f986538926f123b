# SPDX-License-Identifier: MIT
"""Regular expressions that mean one thing on every Python that kit runs on."""

import io
import re
import tokenize
from pathlib import Path

import pytest

STEPS = Path(__file__).parents[3] / "steps"
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9,]+\})\+")


def strings(path: Path) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return [token.string for token in tokens if token.type == tokenize.STRING and not token.string.startswith('"""')]


@pytest.mark.parametrize("pattern", [r"(?:ab)*+c", r"(a|b)++", r"(a){2,3}+", r"(?:a)?+"])
def test_what_is_looked_for_is_found(pattern: str) -> None:
    assert POSSESSIVE_GROUP.search(pattern)


def test_no_group_is_repeated_possessively() -> None:
    """Python before 3.11.5 lets such a group match more than it may (CPython issues 100061 and 106052), so that a
    secret would be shown where it runs."""
    found = [
        f"{path.relative_to(STEPS)}: {text}"
        for path in sorted(STEPS.rglob("*.py"))
        for text in strings(path)
        if POSSESSIVE_GROUP.search(text)
    ]
    assert found == []
