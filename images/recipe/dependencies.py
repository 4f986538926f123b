# SPDX-License-Identifier: MIT
"""Install a step's locked dependencies into a root file system: `dependencies.py LOCK.txt ROOT`, run in the build
stage.

They go where Debian's Python looks for packages anyway (/usr/lib/python3/dist-packages). What stays out is in
leave-out-dependencies.txt: whole distributions by name, files as patterns. What Debian's packages bring (they are in
packages.txt) stays out too: from-debian.txt names it, and which versions will do. libraries.txt names what Debian
has to add for a dependency's compiled modules.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

from images.recipe.system import compile_python, leave_out, patterns, unpack

HERE = Path(__file__).parent
SYSTEM = Path("/system")
LIBRARIES = Path("/libraries")
PACKAGES = Path("usr/lib/python3/dist-packages")

COMPILED_ONLY = ("kubernetes/client/api", "kubernetes/client/models")
"""Generated code that nobody reads: 16 MB of sources that do not ship beside what was compiled from them."""


def install(lock: Path, root: Path) -> None:
    """Install what the lock names, by its hashes, less what no step imports, and compile it."""
    unwanted = patterns(HERE / "leave-out-dependencies.txt")
    distributions = {normal(name) for name in unwanted if "/" not in name and "*" not in name}
    debian = patterns(HERE / "from-debian.txt")
    if unfit := unfit_packages(debian, SYSTEM / "var/lib/dpkg/status.d"):
        raise SystemExit("Debian's packages do not fit from-debian.txt:\n  " + "\n  ".join(unfit))
    _add_libraries(lock, root)
    wanted = root.parent / "wanted.txt"
    wanted.write_text(without(lock.read_text(), distributions | {normal(line.partition("==")[0]) for line in debian}))
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
    _strip(target)
    compile_python(root, str(PACKAGES))


def _add_libraries(lock: Path, root: Path) -> None:
    """Unpack what the dependencies' compiled modules load and the system has not."""
    root.mkdir(parents=True)
    for package in libraries(patterns(HERE / "libraries.txt"), lock.read_text()):
        (found,) = LIBRARIES.glob(f"{package}_*.deb")
        unpack(found, root)
    leave_out(root, patterns(HERE / "leave-out.txt"))


def libraries(listed: list[str], lock: str) -> list[str]:
    """Debian's packages for the distributions that a lock names, of `listed` lines (`google-re2 libstdc++6`)."""
    named = {normal(match[1]) for match in re.finditer(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[|==)", lock, re.MULTILINE)}
    return [package for name, package in map(str.split, listed) if normal(name) in named]


def _strip(target: Path) -> None:
    """Take out of compiled modules what only a debugger reads: in some it is most of the file."""
    if modules := sorted(target.rglob("*.so")):
        subprocess.run(["strip", "--strip-unneeded", "--", *modules], check=True)


def _compile_away(folder: Path) -> None:
    """Put compiled modules in the place of their sources, where Python takes them as well."""
    if folder.is_dir():
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-b", folder], check=True)
        for source in folder.rglob("*.py"):
            source.unlink()


def unfit_packages(wanted: list[str], database: Path) -> list[str]:
    """What Debian's packages in the image do not bring of `wanted` (`name==43.0.*`), for people.

    `database` is the folder of their entries. Of a version such as 1:43.0.0-3+deb13u1 the part between epoch and
    Debian's revision counts.
    """
    unfit = []
    for line in wanted:
        name, _, versions = line.partition("==")
        entry = database / f"python3-{name}"
        text = entry.read_text() if entry.exists() else ""
        found = re.search(r"^Version: (?:\d+:)?([^-\s]+)", text, re.MULTILINE)
        if not found or not fnmatch.fnmatchcase(found[1], versions):
            unfit.append(f"{line}, but python3-{name} is {found[1] if found else 'not there'}")
    return unfit


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
