# SPDX-License-Identifier: MIT
"""Install a step's locked dependencies into a root file system: `dependencies.py LOCK.txt ROOT`, run in the build
stage.

They go where Debian's Python looks for packages anyway (/usr/lib/python3/dist-packages). What stays out is in
leave-out-dependencies.txt: whole distributions by name, files as patterns.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from images.recipe.system import compile_python, leave_out, patterns

HERE = Path(__file__).parent
PACKAGES = Path("usr/lib/python3/dist-packages")

COMPILED_ONLY = ("kubernetes/client/api", "kubernetes/client/models")
"""Generated code that nobody reads: 16 MB of sources that do not ship beside what was compiled from them."""


def install(lock: Path, root: Path) -> None:
    """Install what the lock names, by its hashes, less what no step imports, and compile it."""
    unwanted = patterns(HERE / "leave-out-dependencies.txt")
    distributions = {normal(name) for name in unwanted if "/" not in name and "*" not in name}
    wanted = root.parent / "wanted.txt"
    wanted.write_text(without(lock.read_text(), distributions))
    target = root / PACKAGES
    pip = next(Path("/usr/share/python-wheels").glob("pip-*.whl")) / "pip"
    subprocess.run(
        [
            *(sys.executable, str(pip), "install", "--require-hashes", "--no-deps", "--only-binary=:all:"),
            *("--quiet", "--no-cache-dir", "--no-compile", "--root-user-action=ignore", "--disable-pip-version-check"),
            *("--target", str(target), "--requirement", str(wanted)),
        ],
        check=True,
    )
    shutil.rmtree(target / "bin", ignore_errors=True)
    leave_out(target, [name for name in unwanted if normal(name) not in distributions])
    for folder in COMPILED_ONLY:
        _compile_away(target / folder)
    compile_python(root, str(PACKAGES))


def _compile_away(folder: Path) -> None:
    """Put compiled modules in the place of their sources, where Python takes them as well."""
    if folder.is_dir():
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-b", folder], check=True)
        for source in folder.rglob("*.py"):
            source.unlink()


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def without(lock: str, distributions: set[str]) -> str:
    """The lock without the requirements of these distributions (each with the lines that go on from it)."""
    kept, keep = [], True
    for line in lock.splitlines(keepends=True):
        if match := re.match(r"([A-Za-z0-9][\w.-]*)\s*(\[|==)", line):
            keep = normal(match[1]) not in distributions
        if keep or line.startswith("#"):
            kept.append(line)
    return "".join(kept)


def main() -> None:
    """Read the command line and install."""
    lock, root = map(Path, sys.argv[1:])
    install(lock, root)


if __name__ == "__main__":
    main()
