# SPDX-License-Identifier: MIT
"""Trees and commits in memory: the way to one file, and the objects that a change of it makes. Pure."""

import hashlib
import stat
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Final

from kit_core.errors import InputError
from kit_image_deployer.git.objects import BLOB, COMMIT, TREE, GitObject

Load = Callable[[bytes], bytes]
"""From an object's id to its content."""

Entries = dict[bytes, tuple[int, bytes]]
"""A tree: from a name to mode and id."""

_KINDS: Final = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}
_FOLDER: Final = 0o040000
_FILE: Final = 0o100644


@dataclass(frozen=True)
class Path:
    """A file's place in a tree: the folders on the way (outermost first, those that are missing are empty), the file's
    mode and its id (None where there is no such file).
    """

    names: tuple[bytes, ...]
    folders: tuple[Entries, ...]
    mode: int
    blob: bytes | None


def root_of(commit: bytes) -> bytes:
    """The id of the tree that a commit's content names."""
    return commit.split(b"\n", 1)[0].removeprefix(b"tree ")


def find(load: Load, root: bytes, path: str) -> Path:
    """Follow `path` from the tree `root`. Raises `InputError` where something else stands in its way."""
    return _find(lambda sha: parsed(load(sha)), root, path)


def find_all(
    load: Load, prefetch: Callable[[Collection[bytes]], object], root: bytes, paths: Sequence[str]
) -> list[Path]:
    """`find` for each of `paths`. `prefetch` is told, level by level, which folders of all of them are wanted next."""
    read = cache(lambda sha: parsed(load(sha)))
    level = {(root, tuple(path.encode().split(b"/")[:-1])) for path in paths}
    while level:
        prefetch({sha for sha, _ in level})
        entered = {(read(sha).get(folders[0]), folders[1:]) for sha, folders in level if folders}
        level = {(entry[1], rest) for entry, rest in entered if entry is not None and stat.S_ISDIR(entry[0])}
    return [_find(read, root, path) for path in paths]


def files_below(
    load: Load, prefetch: Callable[[Collection[bytes]], object], root: bytes, folder: str, *, ending: str
) -> list[str]:
    """The paths, as seen from `folder` (empty: the root), of the files below it whose names end so. `prefetch` is told,
    level by level, which folders are wanted next. No such folder: no files.
    """
    inside: bytes | None = root
    for name in folder.encode().split(b"/") if folder else ():
        mode, sha = parsed(load(inside)).get(name, (0, b"")) if inside else (0, b"")
        inside = sha if stat.S_ISDIR(mode) else None
    level = {b"": inside} if inside else {}
    found = []
    while level:
        prefetch(set(level.values()))
        below = [
            (path + name, mode, sha) for path, tree in level.items() for name, (mode, sha) in parsed(load(tree)).items()
        ]
        found += [path for path, mode, _ in below if stat.S_ISREG(mode) and path.endswith(ending.encode())]
        level = {path + b"/": sha for path, mode, sha in below if stat.S_ISDIR(mode)}
    return sorted(path.decode("utf-8", "replace") for path in found)


def _find(read: Callable[[bytes], Entries], root: bytes, path: str) -> Path:
    names = tuple(part.encode() for part in path.split("/"))
    folders = [read(root)]
    for depth, name in enumerate(names[:-1], 1):
        mode, sha = folders[-1].get(name, (_FOLDER, None))
        if not stat.S_ISDIR(mode):
            raise _in_the_way("/".join(path.split("/")[:depth]), mode, "folder")
        folders.append(read(sha) if sha else {})
    mode, blob = folders[-1].get(names[-1], (_FILE, None))
    if not stat.S_ISREG(mode):
        raise _in_the_way(path, mode, "file")
    return Path(names, tuple(folders), mode, blob)


def changed(files: Sequence[tuple[Path, bytes]]) -> list[GitObject]:
    """From places and their new contents to the new files and the new trees up to the root, which is the last.

    Folders that they share are made once, and so is what is the same. Raises `InputError` where one's file is
    another's folder.
    """
    made: dict[bytes, GitObject] = {}
    _folder(sorted(files, key=lambda item: item[0].names), 0, made)
    return list(made.values())


def _folder(files: Sequence[tuple[Path, bytes]], depth: int, made: dict[bytes, GitObject]) -> bytes:
    """The folder of that depth which all of `files` are in; returns its id."""
    entries = dict(files[0][0].folders[depth])
    for name, group in groupby(files, key=lambda item: item[0].names[depth]):
        inside = list(group)
        place, content = inside[0]
        if len(place.names) > depth + 1:
            entries[name] = (_FOLDER, _folder(inside, depth + 1, made))
        elif len(inside) > 1:
            raise _in_the_way(_shown(place.names), place.mode, "folder")
        else:
            entries[name] = (place.mode, _add(made, git_object(BLOB, content)))
    return _add(made, git_object(TREE, serialized(entries)))


def _add(made: dict[bytes, GitObject], item: GitObject) -> bytes:
    made[item.sha] = item
    return item.sha


def _shown(names: tuple[bytes, ...]) -> str:
    return b"/".join(names).decode("utf-8", "replace")


def commit_object(
    *,
    tree: bytes,
    parent: bytes | Sequence[bytes],
    author: str,
    time: int,
    message: str,
    sign: Callable[[bytes], bytes] | None = None,
) -> GitObject:
    """A commit, of one parent or several. `author` ("Name <email>") is its committer too; `time` is in seconds since
    1970, written as UTC.

    `sign` makes the armored signature of a commit's content; it becomes the header `gpgsig`, as git writes it for
    every kind of key (gitformat-signature(5)).
    """
    who = f"{author} {time} +0000"
    parents = [parent] if isinstance(parent, bytes) else parent
    lines = [b"tree " + tree, *(b"parent " + sha for sha in parents)]
    lines += [f"author {who}".encode(), f"committer {who}".encode()]
    body = [b"", message.encode()]
    if sign is not None:
        signature = sign(b"\n".join([*lines, *body])).rstrip(b"\n")
        lines.append(b"gpgsig " + signature.replace(b"\n", b"\n "))
    return git_object(COMMIT, b"\n".join([*lines, *body]))


def git_object(kind: int, content: bytes) -> GitObject:
    """An object with its id."""
    digest = hashlib.sha1(_KINDS[kind] + b" %d\0" % len(content) + content, usedforsecurity=False)
    return GitObject(kind, digest.hexdigest().encode(), content)


def parsed(content: bytes) -> Entries:
    """The entries of a tree's content."""
    entries: Entries = {}
    position = 0
    while position < len(content):
        space = content.index(b" ", position)
        end = content.index(b"\0", space)
        entries[content[space + 1 : end]] = (
            int(content[position:space], 8),
            content[end + 1 : end + 21].hex().encode(),
        )
        position = end + 21
    return entries


def serialized(entries: Entries) -> bytes:
    """A tree's content, in git's order: by name, a folder's as if it ended in a slash."""
    ordered = sorted(entries.items(), key=lambda entry: entry[0] + (b"/" if stat.S_ISDIR(entry[1][0]) else b""))
    return b"".join(b"%o %s\0%s" % (mode, name, bytes.fromhex(sha.decode())) for name, (mode, sha) in ordered)


def _in_the_way(path: str, mode: int, wanted: str) -> InputError:
    kinds = {0o040000: "a folder", 0o120000: "a symbolic link", 0o160000: "a submodule"}
    found = kinds.get(stat.S_IFMT(mode), "a file")
    return InputError(
        f"{path} should be a {wanted} and is {found}",
        where="the deployments repository",
        hint="Rename it there, or choose another DOCKER_REPO or CI_BRANCH; nothing was changed.",
        file=path,
    )
