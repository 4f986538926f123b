# SPDX-License-Identifier: MIT
"""Sections of RESULTS.md: each bench writes its own, and what a goal says."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from bench import BENCHES
from bench.results import Goal, Section, table, write_section


def test_a_bench_replaces_its_own_section_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    write_section(file, "One", Section(["first run", "", *table(["way"], [["a"]])]), "this machine")
    write_section(file, "Two", Section(["other"]), "this machine")
    before = file.read_text()
    write_section(file, "One", Section(["second run"], [Goal("time", 2, 1, "s")]), "that machine")
    after = file.read_text()
    assert before.startswith("# Results\n")
    assert after.startswith("# Results\n")
    assert after.count("## ") == 2
    assert "## One\n\nthat machine\n\nsecond run\n\n- time: 2 s, at most 1 s wanted: **missed**\n\n## Two\n" in after
    assert after[after.index("## Two") :] == before[before.index("## Two") :]


@pytest.mark.parametrize(("value", "reached"), [(0.9, True), (1, True), (1.01, False)])
def test_a_goal_is_reached_at_its_limit(value: float, reached: bool) -> None:
    assert Goal("x", value, 1).reached is reached


def test_every_bench_is_a_module_of_its_own() -> None:
    assert len(set(BENCHES.values())) == len(BENCHES)
    for module in BENCHES.values():
        assert callable(importlib.import_module(module).run)
