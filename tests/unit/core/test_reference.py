# SPDX-License-Identifier: MIT
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from kit_core.reference import END, generated, settings_table, variables_file, with_table
from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, setting
from kit_core.step import Step

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class ShopSettings(CommonSettings):
    dry_run: bool = setting(True, original=True, group="What to do", help="Only show it.")
    mode: Literal["a", "b"] = setting("a", group="What to do", help="How.")
    wait: float = setting(1.5, unit="s", group="What to do", help="How long.")
    tries: int | None = setting(None, group="What to do", help="How often.", default_text="until it is there")
    names: tuple[str, ...] = setting(("x", "y"), group="What to do", help="Whom.")
    folder: Path | None = setting(None, group="What to do", help="Where.")
    token: Secret | None = setting(None, group="Access", help="A token.")
    commit: str | None = setting(None, original=True, aliases=("SHA",), native=("GITHUB_SHA",), group="Git", help="It.")
    elroy: str | None = setting(None, original=True, ignored=True, group="Old", help="Gone.")


STEP = Step(name="kit-shop", package="x", summary="s", settings=ShopSettings, commands=())


def test_a_row_tells_variable_option_default_and_meaning() -> None:
    lines = settings_table(STEP).splitlines()
    for line in (
        "### What to do",
        "| variable | option | default | meaning |",
        "| `DRY_RUN` | `--[no-]dry-run` | `true` | Only show it. |",
        r"| `KIT_MODE` | `--mode a\|b` | `a` | How. |",
        "| `KIT_WAIT` | `--wait N (s)` | `1.5 s` | How long. |",
        "| `KIT_TRIES` | `--tries N` | `until it is there` | How often. |",
        "| `KIT_NAMES` | `--names A,B,…` | `x,y` | Whom. |",
        "| `KIT_FOLDER` | `--folder PATH` |  | Where. |",
        "| `KIT_TOKEN` | `--token-file FILE` |  | A token. |",
        "| `COMMIT` (also `SHA`) | `--commit TEXT` |  | It. Else from `GITHUB_SHA`. |",
        "Accepted for compatibility, without effect: `ELROY`.",
    ):
        assert line in lines


def test_the_table_replaces_what_stands_between_its_marks() -> None:
    readme = f"# Title\n\n<!-- settings -->\nold \\1\n{END}\n\n## Next\n"
    once = with_table(readme, "new \\1")
    assert "old" not in once
    assert once.startswith("# Title\n")
    assert once.endswith(f"new \\1\n\n{END}\n\n## Next\n")
    assert with_table(once, "new \\1") == once
    with pytest.raises(ValueError, match="lacks the lines"):
        with_table("# Title\n", "new")


def test_every_name_of_every_setting_is_known_to_the_other_steps() -> None:
    names = variables_file([STEP]).splitlines()[1:]
    assert {"KIT_DRY_RUN", "DRY_RUN", "KIT_TOKEN", "KIT_SHA", "SHA", "KIT_ELROY", "KIT_LOG_FORMAT"} <= set(names)
    assert "TOKEN" not in names


def test_readmes_and_the_list_of_variables_are_what_make_docs_writes() -> None:
    old = [str(path.relative_to(ROOT)) for path, text in generated(ROOT).items() if path.read_text("utf-8") != text]
    assert not old, "run `make docs`"
