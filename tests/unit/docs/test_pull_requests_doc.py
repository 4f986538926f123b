# SPDX-License-Identifier: MIT
"""docs/pull-requests.md: its recipes set what exists, and what it says of sizes and marks is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from kit_core.declare import declared
from kit_deployer.report.comment import MARKER, limit_of
from kit_deployer.settings import DeployerSettings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/pull-requests.md").read_text()
NAMES = {name for item in declared(DeployerSettings) for name in item.variables}
RECIPES = [yaml.load(block, yaml.BaseLoader) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def environments(value: Any) -> list[dict[str, str]]:
    """What steps are given that name a kit setting."""
    if isinstance(value, list):
        return [found for item in value for found in environments(item)]
    if not isinstance(value, dict):
        return []
    own = [env for key in ("env", "variables") if isinstance(env := value.get(key), dict) and "DRY_RUN" in env]
    return [*own, *(found for item in value.values() for found in environments(item))]


def test_recipes_set_what_exists_and_write_nothing() -> None:
    found = environments(RECIPES)
    assert len(found) == 2
    for env in found:
        assert set(env) <= NAMES
        assert env["DRY_RUN"] == "read"
        assert env["KIT_DIFF_FILE"] == "diff.md"


def test_sizes_and_marks_are_as_written() -> None:
    assert MARKER in TEXT
    for provider in ("github", "gitlab", "azure", "bitbucket"):
        assert f"{limit_of(provider):,}" in TEXT


def test_the_account_that_it_names_only_looks() -> None:
    roles = [body for body in yaml.safe_load_all((ROOT / "docs/rbac/reader.yaml").read_text()) if "rules" in body]
    assert {verb for role in roles for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
