# SPDX-License-Identifier: MIT
"""Which commit of the deployments repository is rendered, read from the clone's own files."""

import re
from pathlib import Path
from typing import Final

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def checked_out_commit(folder: Path) -> str | None:
    """The commit that the clone around `folder` has checked out; None outside of a clone, or where it cannot be told.

    Never taken from a CI's variables: in a service's pipeline they name another repository's commit.
    """
    for parent in (folder, *folder.parents):
        git = parent / ".git"
        if git.is_dir():
            return _head(git, git)
        linked = _text(git)
        if linked.startswith("gitdir:"):  # a worktree or a submodule
            own = (parent / linked.removeprefix("gitdir:").strip()).resolve()
            common = _text(own / "commondir")
            return _head(own, (own / common).resolve() if common else own)
    return None


def _head(own: Path, common: Path) -> str | None:
    head = _text(own / "HEAD")
    if not head.startswith("ref:"):
        return _commit(head)
    name = head.removeprefix("ref:").strip()
    loose = _text(common / name)
    if loose:
        return _commit(loose)
    packed = (line.split(" ", 1) for line in _text(common / "packed-refs").splitlines())
    return next((_commit(parts[0]) for parts in packed if parts[1:] == [name]), None)


def _commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
