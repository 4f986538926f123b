# SPDX-License-Identifier: MIT
"""A bare deployments repository in a folder, with one commit."""

from __future__ import annotations

from pathlib import Path

from dulwich.objects import Blob, Commit, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo


def bare_repository(folder: Path) -> Path:
    """Make it at `folder`: branch `master`, which HEAD names, with a `kit.yaml` and nothing else."""
    with Repo.init_bare(str(folder), mkdir=True) as repo:
        blob, root, commit = Blob.from_string(b"images: {path: images, property: image}\n"), Tree(), Commit()
        root.add(b"kit.yaml", 0o100644, blob.id)
        commit.tree = root.id
        commit.author = commit.committer = b"A <a@example.com>"
        commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"First\n"
        for item in (blob, root, commit):
            repo.object_store.add_object(item)
        repo.refs[Ref(b"refs/heads/master")] = commit.id
        repo.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/master"))
    return folder
