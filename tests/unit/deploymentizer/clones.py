# SPDX-License-Identifier: MIT
"""A repository in a git clone, and commits of it."""

import os
import stat
from pathlib import Path
from typing import Any

from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo

from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

DATA = CONFIG_MAP + "data:\n  a: '{{{word}}}'\n"


def opened(folder: Path) -> Any:
    """The clone; its types of names are bytes by other names."""
    return Repo(folder)


def commit(folder: Path, branch: str = "main") -> str:
    """Everything below `folder` as a commit of the branch, which is checked out; its id."""
    there = (folder / ".git").exists()
    repo: Any = Repo(folder) if there else Repo.init(folder)
    with repo:
        made: Any = Commit()
        made.tree = tree_of(repo, folder)
        made.parents = [repo.head()] if there else []
        made.author = made.committer = b"a <a@b>"
        made.author_time = made.commit_time = 1_700_000_000
        made.author_timezone = made.commit_timezone = 0
        made.message = b"x"
        repo.object_store.add_object(made)
        repo.refs[f"refs/heads/{branch}".encode()] = made.id
        repo.refs.set_symbolic_ref(b"HEAD", f"refs/heads/{branch}".encode())
        name: str = made.id.decode()
        return name


def tree_of(repo: Any, folder: Path) -> Any:
    tree = Tree()
    for path in sorted(folder.iterdir()):
        if path.name == ".git":
            continue
        if path.is_symlink():
            blob = Blob.from_string(os.fsencode(path.readlink()))
            repo.object_store.add_object(blob)
            tree.add(path.name.encode(), stat.S_IFLNK, blob.id)
        elif path.is_dir():
            tree.add(path.name.encode(), stat.S_IFDIR, tree_of(repo, path))
        else:
            blob = Blob.from_string(path.read_bytes())
            repo.object_store.add_object(blob)
            tree.add(path.name.encode(), 0o100644, blob.id)
    repo.object_store.add_object(tree)
    return tree.id


def words(workshop: Workshop, word: str) -> None:
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\nword: {word}\n"})
