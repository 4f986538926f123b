# SPDX-License-Identifier: MIT
"""A repository in a folder of this machine, without a server. Its hooks do not run: they belong to git's programs."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from kit_core.errors import WorkError
from kit_image_deployer.faults import Race
from kit_image_deployer.git.objects import GitObject
from kit_image_deployer.git.refusals import check_object_format, check_push_options, no_branch
from kit_image_deployer.git.repository import Head


class LocalRemote:
    """See `kit_image_deployer.git.remote.Remote`."""

    def __init__(self, folder: Path) -> None:
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo

        self.where = str(folder)
        try:
            self._repo = Repo(str(folder))
        except NotGitRepository:
            hint = (
                "Check KIT_GIT_URL: without https:// or ssh:// before it, it is a folder, which should be that of a"
                " repository or of its .git."
            )
            raise WorkError("there is no git repository", where=self.where, hint=hint) from None
        check_object_format(self._repo.object_format.name, self.where)

    def begin(self, branch: str | None, *, pushing: bool) -> None:
        """See `Remote`; there is nobody to wait for."""

    def head(self, branch: str | None) -> Head:
        """See `Remote`."""
        refs: dict[Any, Any] = self._repo.get_refs()
        target = b"refs/heads/" + branch.encode() if branch is not None else self._repo.refs.get_symrefs().get(b"HEAD")  # type: ignore[call-overload]
        if target not in refs:
            raise no_branch(self.where, branch, [name for name in refs if name != b"HEAD"], target)
        return Head(target, refs[target])

    def find(self, branch: str) -> bytes | None:
        """See `Remote`."""
        refs: dict[Any, Any] = self._repo.get_refs()
        return refs.get(b"refs/heads/" + branch.encode())

    def load(self, sha: bytes) -> bytes:
        """See `Remote`."""
        try:
            return self._repo.object_store.get_raw(sha)[1]  # type: ignore[arg-type]
        except KeyError:
            hint = "Name a whole repository in KIT_GIT_URL, no partial clone; `git fsck` tells what is missing."
            raise WorkError(f"the object {sha.decode()} is missing", where=self.where, hint=hint) from None

    def prefetch(self, objects: Collection[bytes]) -> None:
        """See `Remote`; everything is here."""

    def checkout(self, commit: bytes) -> bytes:
        """See `Remote`."""
        return self.load(commit)

    def reaches(self, head: bytes, commits: Collection[bytes], since: bytes) -> bytes | None:
        """See `Remote`."""
        walker = self._repo.get_walker(include=[head], exclude=[since])  # type: ignore[list-item]
        return next((entry.commit.id for entry in walker if entry.commit.id in commits), None)

    def missing(self, head: bytes, base: bytes) -> dict[bytes, bytes]:
        """See `Remote`."""
        walker = self._repo.get_walker(include=[head], exclude=[base])  # type: ignore[list-item]
        return {entry.commit.id: entry.commit.as_raw_string() for entry in walker}

    def push(self, old: Head, new: bytes, objects: Sequence[GitObject], options: Sequence[str] = ()) -> None:
        """See `Remote`."""
        from dulwich.file import FileLocked
        from dulwich.objects import ShaFile

        check_push_options(options, self.where, taken=False)  # there are no hooks to read them
        bare = self._repo.get_config().get_boolean((b"core",), b"bare", self._repo.bare)
        if not bare and self._repo.refs.get_symrefs().get(b"HEAD") == old.ref:  # type: ignore[call-overload]
            raise WorkError(
                "the branch is checked out there, and its files would no longer fit",
                where=self.where,
                hint="Name a bare repository in KIT_GIT_URL, or another branch in KIT_GIT_BRANCH.",
            )
        try:
            for item in objects:
                self._repo.object_store.add_object(ShaFile.from_raw_string(item.kind, item.content))
            if not self._repo.refs.set_if_equals(old.ref, old.commit, new):  # type: ignore[arg-type]
                raise Race("the branch has moved")
        except FileLocked:
            raise Race("another push holds the branch's lock") from None
        except OSError as error:
            raise WorkError(
                "the repository cannot be written", where=self.where, why=error.strerror or str(error),
                hint="Check the folder's owner and mode.",
            ) from None  # fmt: skip

    def close(self) -> None:
        """See `Remote`."""
        self._repo.close()
