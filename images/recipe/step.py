# SPDX-License-Identifier: MIT
"""Add our own code: `step.py SOURCES IMAGE PACKAGE COMMIT ROOT`, run in the build stage.

SOURCES is the repository as the build sees it. The package and kit_core go beside the dependencies, the image's
entrypoint becomes a program of the image's name, and the package's entry for scanners is written from
pyproject.toml.
"""

from __future__ import annotations

import runpy
import shutil
import sys
import tomllib
from pathlib import Path

from images.recipe.dependencies import PACKAGES
from images.recipe.system import compile_python


def add(sources: Path, image: str, package: str, commit: str, root: Path) -> None:
    """Lay kit_core, the step's package and the entrypoint below `root`; `commit` is what `--version` tells, if
    known.
    """
    target = root / PACKAGES
    for name in ("kit_core", package):
        shutil.copytree(
            sources / "steps" / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "py.typed")
        )
    if commit:
        (target / "kit_core/commit.txt").write_text(commit + "\n")
    _describe(sources, target)
    program = root / "usr/bin" / image
    program.parent.mkdir(parents=True)
    shutil.copy(sources / "images" / image / "entrypoint", program)
    program.chmod(0o755)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path == program else 0o644)
    compile_python(root, str(PACKAGES))


def _describe(sources: Path, target: Path) -> None:
    project = tomllib.loads((sources / "pyproject.toml").read_text())["project"]
    version = runpy.run_path(str(target / "kit_core/version.py"))["VERSION"]
    folder = target / f"{project['name'].replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    fields = {
        "Metadata-Version": "2.4",
        "Name": project["name"],
        "Version": version,
        "Summary": project["description"],
        "License-Expression": project["license"],
    }
    (folder / "METADATA").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
    shutil.copy(sources / "LICENSE", folder / "LICENSE")


def main() -> None:
    """Read the command line and add."""
    sources, image, package, commit, root = sys.argv[1:]
    add(Path(sources), image, package, commit, Path(root))


if __name__ == "__main__":
    main()
