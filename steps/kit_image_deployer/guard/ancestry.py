# SPDX-License-Identifier: MIT
"""The history of the service, as its repository beside the build holds it (KIT_SOURCE_DIR): which commit is newer.

dulwich can tell whether one commit descends from another as well, but looks at their dates to be quicker; dates are
what the clocks of committers say, so the walk here goes by parents alone. Nothing is written there, and no program of
git's is run: whose folder it is does not matter.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_image_deployer.guard.policy import Order

_WHOLE: Final = (40, 64)


class SourceRepository:
    """The repository that `folder` is in. Raises `InputError` where there is none that can be read."""

    def __init__(self, folder: Path) -> None:
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

        try:
            self._repo = Repo.discover(str(folder))
            self._shallow: set[bytes] = set(self._repo.get_shallow())
            provider = self._repo.parents_provider()
        except NotGitRepository:
            raise _unusable(folder, "there is no git repository in it or above it") from None
        except OSError as error:
            raise _unusable(folder, error.strerror or str(error)) from None
        except (UnsupportedExtension, UnsupportedVersion) as error:
            raise _unusable(folder, f"it is a git repository of a kind that is not known here ({error})") from None
        self._parents: Callable[[Any], list[Any]] = provider.get_parents
        self._known: dict[tuple[str, str], Order] = {}

    def head(self) -> str | None:
        """The id of the commit that is checked out."""
        try:
            return self._repo.head().decode()
        except KeyError:
            return None

    def resolve(self, commit: str) -> str | None:
        """The whole id of a commit, which may be given by its beginning; None where it is not here, or not clear."""
        name = commit.lower().encode()
        if len(name) not in _WHOLE:
            try:
                found = list(self._repo.object_store.iter_prefix(name))
            except (KeyError, ValueError):
                return None
            commits = [sha for sha in set(found) if self._is_commit(sha)]
            return commits[0].decode() if len(commits) == 1 else None
        return name.decode() if self._is_commit(name) else None

    def _is_commit(self, name: Any) -> bool:
        from dulwich.objects import Commit

        try:
            return isinstance(self._repo.object_store[name], Commit)
        except (KeyError, ValueError, OSError):
            return False

    def order(self, ours: str, recorded: str) -> Order:
        """Where `recorded` stands to `ours`: "older" is among its ancestors, "newer" among its descendants."""
        key = (ours, recorded)
        if key not in self._known:
            self._known[key] = self._ordered(self.resolve(ours), self.resolve(recorded))
        return self._known[key]

    def _ordered(self, ours: str | None, recorded: str | None) -> Order:
        if ours is None or recorded is None:
            return "unknown"
        if ours == recorded:
            return "same"
        down = _Walk(ours.encode(), self._parents_of)
        up = _Walk(recorded.encode(), self._parents_of)
        # By turns: the two are mostly a few commits apart, and a history may have a million.
        while down.going or up.going:
            if down.next() == recorded.encode():
                return "older"
            if up.next() == ours.encode():
                return "newer"
        return "apart" if down.complete and up.complete else "unknown"

    def _parents_of(self, commit: bytes) -> list[bytes] | None:
        """The commit's parents; None where this clone does not have them."""
        if commit in self._shallow:
            return None
        try:
            return list(self._parents(commit))
        except (KeyError, ValueError, OSError):
            return None

    def close(self) -> None:
        """Close the repository's files."""
        self._repo.close()


class _Walk:
    """A commit's ancestors, nearest first."""

    def __init__(self, start: bytes, parents_of: Callable[[bytes], list[bytes] | None]) -> None:
        self._parents_of = parents_of
        self._seen = {start}
        self._waiting = deque([start])
        self.complete = True

    @property
    def going(self) -> bool:
        """Whether there are more."""
        return bool(self._waiting)

    def next(self) -> bytes | None:
        """The next one; None at the end."""
        if not self._waiting:
            return None
        commit = self._waiting.popleft()
        parents = self._parents_of(commit)
        if parents is None:
            self.complete = False
        for parent in parents or ():
            if parent not in self._seen:
                self._seen.add(parent)
                self._waiting.append(parent)
        return commit


def _unusable(folder: Path, why: str) -> InputError:
    return InputError(
        f"KIT_SOURCE_DIR={folder} cannot be read as the service's repository",
        why=why,
        hint="Mount the folder that the CI checked the service out into (with its .git), or leave the setting out.",
    )
