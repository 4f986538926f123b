# SPDX-License-Identifier: MIT
"""docs/output.md: programs are written against its words, so that each of them is there, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from kit_core.render import Level

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/output.md").read_text()


def section(title: str) -> str:
    found = re.search(rf"(?ms)^#+ {re.escape(title)}\n(.*?)(?=^#+ )", GUIDE)
    assert found, title
    return found[1]


def test_every_result_has_its_word() -> None:
    schema = json.loads((ROOT / "schemas/report.schema.json").read_text())
    assert sorted(re.findall(r"(?m)^\| `(\w+)` \|", section("The log"))) == sorted(
        schema["properties"]["result"]["enum"]
    )


def test_every_level_of_the_json_log_is_named() -> None:
    row = re.search(r"(?m)^\| `level` \| (.*) \|$", section("`KIT_LOG_FORMAT=json`"))
    assert row
    assert set(re.findall(r"`(\w+)`", row[1])) == set(get_args(Level)) - {"endgroup"}
