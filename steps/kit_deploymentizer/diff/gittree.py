# SPDX-License-Identifier: MIT
"""The repository as it is at a git reference, read from the clone's own objects: there is no git in the image."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from kit_core.errors import InputError

if TYPE_CHECKING:
    from dulwich.objects import Commit, TreeEntry
    from dulwich.repo import Repo

_FORK: Final = "..."
_HINT: Final = (
    "A branch, a tag or a commit of this clone is meant; a CI's checkout often has only one commit: fetch the others"
    " (`git fetch origin master`, `fetch-depth: 0`)."
)


def is_in_clone(folder: Path) -> bool:
    """Whether `folder` lies in a git clone."""
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def holds(folder: Path, reference: str) -> bool:
    """Whether the clone around `folder` has a commit of this name. Raises `InputError` where it cannot be read."""
    with contextlib.closing(_opened(folder)) as repo:
        try:
            return bool(_commit(repo, reference))
        except InputError:
            return False
        except Exception as error:  # noqa: BLE001 - what is damaged may make the library raise anything
            raise _damaged(folder, error) from None


def write_tree(folder: Path, reference: str, into: Path, *, without: Path) -> str:
    """Write what `folder` holds at a git reference into the empty folder `into`; the commit that was read.

    `REF...` means where the checked out commit and REF parted. Nothing below `without` is written, nor a link that
    leads out of `folder`, nor what a submodule holds. Raises `InputError` where there is no clone or no such reference.
    """
    from dulwich.errors import (
        MissingCommitError,
        NotGitRepository,
        ObjectMissing,
    )

    try:
        with contextlib.closing(_opened(folder)) as repo:
            commit = _commit(repo, reference)
            top = Path(repo.path).resolve()
            prefix = _below(folder.resolve(), top)
            skipped = _below(without.resolve(), top)
            links = []
            for entry, path in _entries(repo, commit, prefix):
                if skipped is None or not _is_in(prefix / path if prefix else path, skipped):
                    if stat.S_ISLNK(entry.mode):
                        links.append((entry, path))
                    elif stat.S_ISREG(entry.mode):
                        place = into / path
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(repo[entry.sha].as_raw_string())
            for entry, path in links:  # last, so that nothing is written by way of one
                _link(into / path, os.fsdecode(repo[entry.sha].as_raw_string()), into)
            return commit.id.decode()
    except NotGitRepository:
        raise InputError(
            "there is no git clone to compare with",
            where=str(folder),
            hint="Name a folder that holds an earlier output: --against FOLDER.",
        ) from None
    except (KeyError, MissingCommitError, ObjectMissing):
        raise InputError(
            f"the clone does not hold all of {reference}",
            where=str(folder),
            why="it was cloned with a filter or in part, or it is damaged",
            hint="Clone it whole, or have git fetch what is missing: `git archive REF > /dev/null`.",
        ) from None
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - what is damaged may make the library raise anything
        raise _damaged(folder, error) from None


def _damaged(folder: Path, error: Exception) -> InputError:
    return InputError(
        "the git clone is damaged",
        where=str(folder),
        why=str(error) or type(error).__name__,
        hint="`git fsck` says where; a folder to compare with needs no clone (--against DIR).",
    )


def _opened(folder: Path) -> "Repo":
    from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

    unknown = (UnsupportedExtension, UnsupportedVersion)
    try:
        return Repo.discover(folder)
    except (OSError, ValueError, NotImplementedError, *unknown) as error:
        raise InputError(
            "the git clone cannot be read",
            where=str(folder),
            why=f"it is of a kind that is not known here ({error})" if isinstance(error, unknown) else str(error),
            hint="`git fsck` says what is wrong with it; a folder to compare with needs no clone (--against DIR).",
        ) from None


def _below(path: Path, top: Path) -> PurePosixPath | None:
    """`path` as git names it, None where it is not below the clone's folder."""
    return PurePosixPath(path.relative_to(top).as_posix()) if path.is_relative_to(top) else None


def _commit(repo: "Repo", reference: str) -> "Commit":
    from dulwich.graph import find_merge_base
    from dulwich.objects import Commit, Tag
    from dulwich.objectspec import parse_commit, parse_object

    def parsed(name: str) -> Commit:
        found: Any
        if name == "@" or name.startswith(("@~", "@^")):
            name = f"HEAD{name[1:]}"
        for prefix in ("", "refs/tags/", "refs/heads/", "refs/remotes/"):  # in a reftable no other name is found
            with contextlib.suppress(KeyError):
                found = parse_object(repo, f"{prefix}{name}".encode())  # knows `HEAD~1`
                break
        else:
            found = parse_commit(repo, name.encode())  # knows `1f2e3d4`
        while isinstance(found, Tag):
            found = repo[found.object[1]]
        if not isinstance(found, Commit):
            raise KeyError(name)
        return found

    try:
        if not reference.endswith(_FORK):
            return parsed(reference)
        bases = find_merge_base(repo, [parsed("HEAD").id, parsed(reference.removesuffix(_FORK)).id])
        return parsed(bases[0].decode())
    except (KeyError, ValueError, IndexError, AssertionError, StopIteration):
        raise InputError(
            f"there is no commit {reference}", where=str(repo.path), why=_lack(repo, reference), hint=_HINT
        ) from None


def _lack(repo: "Repo", reference: str) -> str | None:
    """Why a clone may have no such commit."""
    with contextlib.suppress(KeyError, StopIteration):
        repo.head()
        if not repo.get_shallow():
            return None
        parted = ", and where HEAD and REF parted may lie further back" if reference.endswith(_FORK) else ""
        return f"the clone is shallow: it holds the last commits only{parted}"
    return "nothing has been committed in this clone yet"


def _entries(
    repo: "Repo", commit: "Commit", prefix: PurePosixPath | None
) -> Iterator[tuple["TreeEntry", PurePosixPath]]:
    """The files below `prefix`, with their paths from there."""
    from dulwich.objects import Tree

    tree = commit.tree
    for part in prefix.parts if prefix else ():
        found: Any = repo[tree]
        if not isinstance(found, Tree) or part.encode() not in found:
            return
        tree = found[part.encode()][1]
    if not isinstance(repo[tree], Tree):
        return
    for entry in repo.object_store.iter_tree_contents(tree):
        path = PurePosixPath(os.fsdecode(entry.path))
        # git itself refuses such names; a repository that is made by hand may hold them
        if path.parts and not path.is_absolute() and not {"..", ".git"} & {part.casefold() for part in path.parts}:
            yield entry, path


def _is_in(path: PurePosixPath, folder: PurePosixPath) -> bool:
    return bool(folder.parts) and path.is_relative_to(folder)


def _link(place: Path, target: str, into: Path) -> None:
    """A link, if it leads nowhere else, by its own words, and no link before it is on the way to it."""
    leads_to = Path(os.path.normpath(place.parent / target))
    if Path(target).is_absolute() or not leads_to.is_relative_to(into) or os.path.lexists(place):
        return
    if Path(os.path.realpath(place.parent)) == place.parent:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
