# SPDX-License-Identifier: MIT
"""The settings tables of the images' READMEs, and `variables.txt`, made from the declarations.

`python -m kit_core.reference` rewrites them (`make docs`); a test makes them anew and compares. It finds the steps by
their programs' entry points, so it needs to know none of them.
"""

import re
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Final

from kit_core.cli import placeholder
from kit_core.declare import Setting, declared
from kit_core.step import Step

BEGIN: Final = "<!-- settings: written by `make docs` -->"
END: Final = "<!-- /settings -->"
_DISTRIBUTION: Final = "kit-deploy"


def steps() -> Iterator[Step]:
    """The steps of the installed distribution."""
    for point in metadata.distribution(_DISTRIBUTION).entry_points:
        if point.group == "console_scripts":
            step = getattr(import_module(point.module), "STEP", None)
            if isinstance(step, Step):
                yield step


def settings_table(step: Step) -> str:
    """Markdown: a table a group, a row a setting."""
    groups: dict[str, list[Setting]] = {}
    ignored = []
    for item in declared(step.settings):
        if item.ignored:
            ignored.append(f"`{item.variable}`")
        else:
            groups.setdefault(item.group, []).append(item)
    parts = []
    for title, items in groups.items():
        rows = ["| variable | option | default | meaning |", "|---|---|---|---|", *map(_row, items)]
        parts.append(f"### {title}\n\n" + "\n".join(rows))
    if ignored:
        parts.append(f"Accepted for compatibility, without effect: {', '.join(ignored)}.")
    return "\n\n".join(parts)


def with_table(readme: str, table: str) -> str:
    """`readme` with what stands between its markers replaced by `table`. Raises `ValueError` without markers."""
    pattern = re.compile(r"<!-- settings\b[^\n]*-->.*?" + re.escape(END), re.DOTALL)
    if not pattern.search(readme):
        raise ValueError(f"the README lacks the lines {BEGIN} and {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", readme)


def variables_file(all_steps: list[Step]) -> str:
    """Every variable of every step, so that a step does not complain about another one's."""
    names = {name for step in all_steps for item in declared(step.settings) for name in item.variables}
    head = "# Every variable that some step reads; written by `make docs`.\n"
    return head + "".join(f"{name}\n" for name in sorted(names))


def generated(root: Path) -> dict[Path, str]:
    """What each generated file below `root` (the repository) should hold."""
    found = list(steps())
    files = {root / "steps" / "kit_core" / "variables.txt": variables_file(found)}
    for step in found:
        readme = root / "images" / step.name / "README.md"
        files[readme] = with_table(readme.read_text("utf-8"), settings_table(step))
    return files


def _row(item: Setting) -> str:
    others = [name for name in item.variables[2:] if not name.startswith("KIT_")]
    shown = f"`{item.variable}`" + (f" (also {', '.join(f'`{name}`' for name in others)})" if others else "")
    meaning = item.help + (f" Else from {', '.join(f'`{name}`' for name in item.native)}." if item.native else "")
    option = f"--[no-]{item.option[2:]}" if item.flag else f"{item.option} {placeholder(item)}"
    option = f"{item.short}, {option}" if item.short else option
    cells = [shown, f"`{option}`", f"`{item.default_text}`" if item.default_text else "", meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Rewrite the generated files of the checkout in the current folder."""
    for path, text in generated(Path.cwd()).items():
        path.write_text(text, "utf-8")
        print(f"wrote {path.relative_to(Path.cwd())}", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
