# SPDX-License-Identifier: MIT
"""A deployments repository as the steps of a run see it, wherever it is: `remote` and `local` are such."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from kit_image_deployer.git.objects import GitObject


@dataclass(frozen=True)
class Head:
    """A branch's ref and the commit that it is at."""

    ref: bytes
    commit: bytes


class Remote(Protocol):
    """A repository. Every method may raise `Fault` (may pass) or a `KitError` (will not)."""

    where: str

    def begin(self, branch: str | None, *, pushing: bool) -> None:
        """Begin to read what every change of the branch needs, while the caller still makes itself ready.

        Returns at once; `head` must be asked for next. `pushing`: a push is meant to follow.
        """
        ...

    def head(self, branch: str | None) -> Head:
        """The branch's head; the default branch's where None is asked for. Raises `InputError` for one not there."""
        ...

    def find(self, branch: str) -> bytes | None:
        """The commit that a branch is at, None where there is none of that name."""
        ...

    def load(self, sha: bytes) -> bytes:
        """An object's content, by an id that the repository told."""
        ...

    def prefetch(self, objects: Collection[bytes]) -> None:
        """Fetch in one go what is about to be loaded."""
        ...

    def checkout(self, commit: bytes) -> bytes:
        """A commit's content; what hangs on it can be loaded afterwards."""
        ...

    def reaches(self, head: bytes, commits: Collection[bytes], since: bytes) -> bytes | None:
        """The one of `commits`, made on `since` or later, that is in the history of `head`."""
        ...

    def missing(self, head: bytes, base: bytes) -> dict[bytes, bytes]:
        """The commits in the history of `head` that are not in that of `base`, with their content."""
        ...

    def push(self, old: Head, new: bytes, objects: Sequence[GitObject], options: Sequence[str] = ()) -> None:
        """Move the branch from `old.commit` (`NOTHING`: it is new), and from nothing else, to `new`.

        Raises `Race` and `OutcomeUnknown`.

        `options` are words for the server's hooks (git-push(1), `--push-option`).
        """
        ...

    def close(self) -> None:
        """Let go of connections and temporary files."""
        ...
