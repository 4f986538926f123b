# SPDX-License-Identifier: MIT
"""What the repository that a pipeline runs in says of itself: branch, commit, author, `git describe`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kit_core.errors import InputError
from kit_core.files import refused
from kit_pipeline.describe import describe

if TYPE_CHECKING:
    from dulwich.repo import Repo


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The commit that is checked out. `branch` is empty where HEAD is no branch. `name` is the repository's."""

    branch: str = ""
    commit: str = ""
    message: str = ""
    description: str = ""
    committer_name: str = ""
    committer_email: str = ""
    name: str = ""


def read_facts(folder: Path) -> Facts:
    """The facts; only a name where `folder` is in no repository, no commit where there is none yet.

    Raises `InputError` for a repository that cannot be read.
    """
    from dulwich.errors import NotGitRepository
    from dulwich.repo import Repo

    try:
        with Repo.discover(str(folder)) as repository:
            return _facts(repository)
    except NotGitRepository:
        _refuse_what_is_closed(folder.resolve())
        return Facts(name=folder.resolve().name)
    except Exception as error:  # noqa: BLE001 - a damaged repository raises whatever its reader trips over
        raise InputError(
            "The git repository cannot be read",
            where=str(folder),
            why=f"{type(error).__name__}: {error}",
            hint="`git fsck` may say more. Outside of a repository --ci-commit-id, --ci-branch and the like say it.",
        ) from None


def _refuse_what_is_closed(folder: Path) -> None:
    """A `.git` that we may not look into is none to its reader, and a build of no branch would pass for one."""
    for git in (parent / ".git" for parent in (folder, *folder.parents)):
        try:
            if git.is_dir():
                next(git.iterdir(), None)
        except OSError as error:
            raise refused(error, git, "The git repository cannot be read", kind=InputError) from None


def _facts(repository: "Repo") -> Facts:
    name, branch = _name(repository), _branch(repository)
    try:
        head = repository.head()
    except KeyError:
        return Facts(name=name, branch=branch)
    commit: Any = repository[head]
    encoding = _encoding(commit)
    person, _, rest = commit.committer.decode(encoding, "replace").partition("<")
    return Facts(
        branch=branch,
        commit=head.decode(),
        message=commit.message.decode(encoding, "replace").rstrip("\n"),
        description=describe(repository, head),
        committer_name=person.strip(),
        committer_email=rest.partition(">")[0],
        name=name,
    )


def _encoding(commit: Any) -> str:
    """The commit's own encoding, where it says one that there is."""
    named = commit.encoding.decode(errors="replace") if commit.encoding else "utf-8"
    try:
        return named if "".encode(named) == b"" else "utf-8"
    except LookupError:
        return "utf-8"


def _branch(repository: "Repo") -> str:
    from dulwich.refs import Ref

    chain, _ = repository.refs.follow(Ref(b"HEAD"))
    last = chain[-1].decode(errors="replace")
    return last.removeprefix("refs/heads/") if last.startswith("refs/heads/") else ""


def _name(repository: "Repo") -> str:
    """The last two parts of origin's address (`org/app`), else the name of the repository's folder."""
    try:
        url = repository.get_config().get((b"remote", b"origin"), b"url").decode(errors="replace")
    except KeyError:
        return _folder(repository).name
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    return "/".join(part for part in path.rstrip("/").removesuffix(".git").split("/")[-2:] if part)


def _folder(repository: "Repo") -> Path:
    common, own = Path(repository.commondir()).resolve(), Path(repository.controldir()).resolve()
    return common.parent if common != own and common.name == ".git" else Path(repository.path).resolve()
