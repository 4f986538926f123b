# SPDX-License-Identifier: MIT
"""Assemble a root file system from Debian's packages: `system.py PACKAGES.deb... ROOT`, run in the build stage.

Only the packages' own files go in, never the build stage's: what a machine put into its base image (certificates
above all) does not ship. Nothing of it is configured by maintainer scripts; the few results of theirs that matter
are written here.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent

NO_COMMANDS = {"busybox", "dpkg", "dpkg-deb", "init", "linuxrc", "rpm", "rpm2cpio"}
"""What busybox can do and must not be taken for here."""

PASSWD = """root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
kit:x:65532:65532:kit:/tmp:/bin/sh
"""
GROUP = """root:x:0:
nogroup:x:65534:
kit:x:65532:
"""
NSSWITCH = """passwd: files
group: files
hosts: files dns
services: files
protocols: files
"""


def assemble(packages: Iterable[Path], root: Path) -> None:
    """Unpack the packages' files into `root`, less those of leave-out.txt, and make them a system that starts."""
    root.mkdir(parents=True)
    _links_of_merged_usr(root)
    for package in sorted(packages):
        unpack(package, root)
    trust(root)
    if stale := leave_out(root, patterns(HERE / "leave-out.txt")):
        print("leave-out.txt names what no package has (any more):", *stale, sep="\n  ")
    _settle(root)
    _check_libraries(root)
    compile_python(root, "usr/lib")


def _links_of_merged_usr(root: Path) -> None:
    """`/bin`, `/lib` and so on are links into /usr, and which there are depends on the architecture: as the build
    stage has them.
    """
    for entry in Path("/").iterdir():
        if entry.is_symlink() and str(entry.readlink()).removeprefix("/").startswith("usr/"):
            target = str(entry.readlink()).removeprefix("/")
            (root / target).mkdir(parents=True, exist_ok=True)
            (root / entry.name).symlink_to(target)


def unpack(package: Path, root: Path) -> None:
    """Lay a package's files below `root`, and enter it into the package database that vulnerability scanners read."""
    files = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    subprocess.run(
        ["tar", "-x", "-C", root, "--keep-directory-symlink", "--no-same-owner", "-p"], stdin=files.stdout, check=True
    )
    if files.wait():
        raise SystemExit(f"{package}: cannot be unpacked")
    stanza = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
    name = re.search(r"^Package: (\S+)$", stanza, re.MULTILINE)
    if not name:
        raise SystemExit(f"{package}: names no package")
    database = root / "var/lib/dpkg/status.d"
    database.mkdir(parents=True, exist_ok=True)
    entry = re.sub(r"^(Package: \S+)$", r"\1\nStatus: install ok installed", stanza, count=1, flags=re.MULTILINE)
    (database / name[1]).write_text(entry)


def trust(root: Path) -> None:
    """Write the certificate bundle from the authorities of Debian's package, where OpenSSL and everything else
    looks for it.
    """
    authorities = sorted((root / "usr/share/ca-certificates").glob("**/*.crt"))
    if len(authorities) < 50:
        raise SystemExit(f"only {len(authorities)} certificate authorities in Debian's ca-certificates")
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(path.read_text().rstrip("\n") + "\n" for path in authorities))
    openssl = root / "usr/lib/ssl"
    openssl.mkdir(exist_ok=True)
    _link(openssl / "cert.pem", "/etc/ssl/certs/ca-certificates.crt")
    _link(openssl / "certs", "/etc/ssl/certs")


def patterns(path: Path) -> list[str]:
    """The lines of a list, without comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def leave_out(root: Path, unwanted: list[str]) -> list[str]:
    """Remove what matches one of these patterns, then folders that are empty; return the patterns that matched
    nothing.
    """
    matcher = {pattern: re.compile(fnmatch.translate(pattern)) for pattern in unwanted}
    seen: set[str] = set()
    for path in sorted(root.rglob("*"), reverse=True):
        name = str(path.relative_to(root))
        documentation = name.startswith("usr/share/doc/") and path.name != "copyright" and not path.is_dir()
        hits = [pattern for pattern, expression in matcher.items() if expression.match(name)]
        seen.update(hits)
        if documentation or hits:
            _remove(path)
    for path in sorted(root.glob("**/"), reverse=True):
        if path != root and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    return sorted(set(unwanted) - seen)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _settle(root: Path) -> None:
    for name, text in (("passwd", PASSWD), ("group", GROUP), ("nsswitch.conf", NSSWITCH)):
        (root / "etc" / name).write_text(text)
    for name in ("dev", "proc", "sys", "run", "usr/local/bin", "usr/sbin", "var/cache", "var/log"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o1777)
    (root / "root").mkdir(exist_ok=True)
    (root / "root").chmod(0o755)  # what is mounted below it (.docker, .ssh) is for whom the step becomes
    python = next(path.name for path in sorted((root / "usr/bin").glob("python3.*")) if not path.is_symlink())
    _link(root / "usr/bin/python3", python)
    for name in ("run", "lock"):
        _link(root / "var" / name, f"/{name}" if name == "run" else "/run/lock")
    _busybox(root)


def _busybox(root: Path) -> None:
    """Links for busybox's commands, next to each other in /usr/bin; names that a package brings stay the package's."""
    listed = subprocess.run([root / "usr/bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout
    for name in sorted(set(listed.split()) - NO_COMMANDS):
        _link(root / "usr/bin" / name, "busybox", keep=True)


def _link(path: Path, target: str, *, keep: bool = False) -> None:
    if path.is_symlink() or path.exists():
        if keep:
            return
        path.unlink()
    path.symlink_to(target)


def _check_libraries(root: Path) -> None:
    """Everything that is linked dynamically finds its libraries inside, asked of the loader that ships."""
    loader = next(path for path in sorted(root.glob("usr/lib*/**/ld-linux*.so*")) if not path.is_symlink())
    inside = "/" + str(loader.relative_to(root))
    missing = []
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path == loader or not _is_dynamic(path):
            continue
        listed = subprocess.run(
            ["chroot", root, inside, "--list", "/" + str(path.relative_to(root))],
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode or "not found" in listed.stdout:
            missing.append(f"{path.relative_to(root)}: {(listed.stdout + listed.stderr).strip()}")
    if missing:
        raise SystemExit("shared libraries are missing:\n" + "\n".join(missing))


def _is_dynamic(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4096)
    return head[:4] == b"\x7fELF" and (b".so" in path.name.encode() or b"ld-linux" in head)


def compile_python(root: Path, folder: str) -> None:
    """Compile every module once: the images run under users who could not write what was compiled, and often
    read-only.
    """
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", str(root), "-p", "/", str(root / folder)], check=True)


def main() -> None:
    """Read the command line and assemble."""
    *packages, root = map(Path, sys.argv[1:])
    assemble(packages, root)


if __name__ == "__main__":
    main()
