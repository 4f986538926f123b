# SPDX-License-Identifier: MIT
"""Which folder a container's process works in, and whose it is: what a step that was started as root becomes."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

_NOBODYS: Final = 65532
"""The user of the images (`kit` in their /etc/passwd), for when nothing is mounted."""

_KERNEL: Final = frozenset({
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "fusectl",
    "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "securityfs", "sysfs", "tracefs",
})  # fmt: skip
SYSTEM: Final = ("/dev", "/proc", "/sys", "/run/secrets", "/var/run/secrets")
"""Where a system puts what it mounts of its own accord."""

# Where CI services say that the workspace is: GitHub, GitLab, Jenkins, Bitbucket, CircleCI, Travis,
# Drone/Woodpecker, Azure.
_WORKSPACES: Final = (
    "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "BITBUCKET_CLONE_DIR", "CIRCLE_WORKING_DIRECTORY",
    "TRAVIS_BUILD_DIR", "CI_WORKSPACE", "DRONE_WORKSPACE", "BUILD_SOURCESDIRECTORY",
)  # fmt: skip


@dataclass(frozen=True)
class Mount:
    """One line of /proc/self/mountinfo."""

    point: str
    writable: bool
    kind: str


@dataclass(frozen=True)
class Folder:
    """A folder that a step may be told to work in.

    `variable` is the setting's name; `original` ones are read without the KIT_ prefix too. A value with wildcards
    stands for the folder before the first of them; `file` means that the value names a file in it.
    """

    variable: str
    default: str | None = None
    original: bool = False
    file: bool = False


@dataclass(frozen=True)
class Needed:
    """A file that a step cannot do without, and what it has to be able to do with it: `os.R_OK`, `os.W_OK`."""

    path: str
    access: int


@dataclass(frozen=True)
class Identity:
    """A user and a group by number, and the groups that it is in beside."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Place:
    """A folder that exists, below a mount: whose it is, and whether the mount can be written."""

    path: str
    owner: Identity
    writable: bool
    shared: bool
    """Everybody may write into it and nobody remove another's (as in /tmp): its owner says nothing."""


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """The mounts in the text of a `mountinfo` file (proc_pid_mountinfo(5)), without the root and what belongs to
    the kernel.
    """
    found = []
    for line in text.splitlines():
        fields, _, rest = line.partition(" - ")
        parts, kinds = fields.split(), rest.split()
        if len(parts) < 6 or len(kinds) < 3:
            continue
        point, kind = _unescaped(parts[4]), kinds[0]
        if point == "/" or kind in _KERNEL or _below(point, SYSTEM):
            continue
        found.append(Mount(point, "ro" not in parts[5].split(",") and "ro" not in kinds[2].split(","), kind))
    return tuple(found)


def folders_told(folders: Iterable[Folder], arguments: Sequence[str], env: Mapping[str, str], cwd: str) -> list[str]:
    """Where the step will work by its options, variables and defaults, in the order given; then the working
    directory and the CI's workspace. Absolute paths, existing or not.
    """
    values = [(folder, _value(folder, arguments, env)) for folder in folders]
    paths = [_folder(value, file=folder.file) for folder, value in values if value]
    paths += [cwd, *(env[name] for name in _WORKSPACES if env.get(name))]
    return [os.path.normpath(os.path.join(cwd, path)) for path in paths]  # noqa: PTH118 - text, not files


def choose_identity(told: Sequence[Place], others: Sequence[Place]) -> Identity:
    """What a process that was started as root becomes: the owner of the folder that it works in.

    `told` are the mounted folders that the step was told of, in order, `others` what is mounted beside them. A
    folder that can be written comes before one that can only be read: the owner of what is read-only does not
    matter where something is to be written. Root stays root (without its privileges); the images' own user where
    nothing is mounted.
    """
    places = [place for place in (*told, *others) if not place.shared]
    ordered = [place for place in places if place.writable] + [place for place in places if not place.writable]
    return ordered[0].owner if ordered else Identity(_NOBODYS, _NOBODYS)


def able(identity: Identity, access: int, status: os.stat_result) -> Identity:
    """`identity` with what it takes to use a file: the file's group beside its own, else the file's owner instead.

    Where neither helps, the identity is as it was. `access` is that of `Needed`.
    """
    owners, groups, others = (status.st_mode >> shift & 7 & access == access for shift in (6, 3, 0))
    if identity.uid == status.st_uid:
        return identity
    if groups if status.st_gid in {identity.gid, *identity.groups} else others:
        return identity
    if groups:
        return replace(identity, groups=(*identity.groups, status.st_gid))
    return Identity(status.st_uid, status.st_gid) if owners else identity


def places(paths: Iterable[str], mounts: Sequence[Mount], look: Callable[[str], os.stat_result]) -> list[Place]:
    """Those of the paths that lie on a mount, as they are there: the path itself, or the nearest folder above it
    that exists.

    `look` is `os.stat` or its equal; a folder that cannot be looked at is left out.
    """
    found = []
    for path in paths:
        mount = _mount_of(path, mounts)
        if mount is None:
            continue
        for candidate in (PurePosixPath(path), *PurePosixPath(path).parents):
            if not _below(str(candidate), (mount.point,)):
                break
            try:
                status = look(str(candidate))
            except OSError:
                continue
            if status.st_mode & 0o170000 == 0o040000:
                owner = Identity(status.st_uid, status.st_gid)
                found.append(Place(str(candidate), owner, mount.writable, status.st_mode & 0o1002 == 0o1002))
                break
    return found


def _mount_of(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that the path lies on: the deepest, of several on one point the last."""
    on = [mount for mount in mounts if _below(path, (mount.point,))]
    return max(reversed(on), key=lambda mount: len(mount.point)) if on else None


def _below(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)


def _value(folder: Folder, arguments: Sequence[str], env: Mapping[str, str]) -> str | None:
    option = "--" + folder.variable.lower().replace("_", "-")
    for at, argument in enumerate(arguments):
        if argument.startswith(option + "="):
            return argument[len(option) + 1 :]
        if argument == option and at + 1 < len(arguments):
            return arguments[at + 1]
    names = ("KIT_" + folder.variable, *((folder.variable,) if folder.original else ()))
    return next((env[name] for name in names if env.get(name)), folder.default)


def _folder(value: str, *, file: bool) -> str:
    """The folder that a value names: before its first wildcard, above the file. A URL of another kind names none."""
    parts = PurePosixPath(value.removeprefix("file://")).parts
    plain = next((at for at, part in enumerate(parts) if any(sign in part for sign in "*?[{")), len(parts))
    if plain == len(parts) and file:
        plain -= 1
    return str(PurePosixPath(*parts[:plain]))


def _unescaped(point: str) -> str:
    """mountinfo writes space, tab, newline and backslash as octal escapes."""
    for code, sign in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        point = point.replace(code, sign)
    return point
