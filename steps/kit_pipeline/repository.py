# SPDX-License-Identifier: MIT
"""What the repository that a pipeline runs in says of itself: branch, commit, author, `git describe`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kit_core.errors import InputError

if TYPE_CHECKING:
    from dulwich.repo import Repo

_SHORTEST: Final = 4  # git's own, for --abbrev=1


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
    """The facts; empty ones where `folder` is in no repository, or in one without commits. Raises `InputError`."""
    from dulwich.errors import NotGitRepository
    from dulwich.repo import Repo

    try:
        repository = Repo.discover(str(folder))
    except NotGitRepository:
        return Facts(name=folder.resolve().name)
    try:
        return _facts(repository)
    except (KeyError, OSError, ValueError) as error:
        raise InputError(
            "The git repository cannot be read",
            where=str(folder),
            why=str(error) or type(error).__name__,
            hint="--ci-commit-id, --ci-branch and the like say what it does not.",
        ) from None
    finally:
        repository.close()


def _facts(repository: "Repo") -> Facts:
    name = _name(repository)
    try:
        head = repository.head()
    except KeyError:
        return Facts(name=name)
    commit: Any = repository[head]
    person, _, rest = commit.committer.decode(errors="replace").partition(" <")
    return Facts(
        branch=_branch(repository),
        commit=head.decode(),
        message=commit.message.decode(errors="replace").rstrip("\n"),
        description=describe(repository, head),
        committer_name=person,
        committer_email=rest.rstrip(">"),
        name=name,
    )


def _branch(repository: "Repo") -> str:
    from dulwich.refs import Ref

    chain, _ = repository.refs.follow(Ref(b"HEAD"))
    last = chain[-1].decode(errors="replace")
    return last.removeprefix("refs/heads/") if last.startswith("refs/heads/") else ""


def _name(repository: "Repo") -> str:
    try:
        url = repository.get_config().get((b"remote", b"origin"), b"url").decode()
    except KeyError:
        return Path(repository.path).resolve().name
    path = url.rstrip("/").removesuffix(".git").replace(":", "/")
    return "/".join(path.split("/")[-2:])


def describe(repository: "Repo", head: Any) -> str:
    """`git describe --abbrev=1 --tags --always` (https://git-scm.com/docs/git-describe).

    The nearest tag, light ones too: as it is where it is here, else with the number of commits since and a short name
    of the commit; that name alone where no tag is behind us.
    """
    tags = _tags(repository)
    order = [entry.commit.id for entry in repository.get_walker(include=[head])]
    tag = next((name for commit in order if (name := tags.get(commit))), None)
    short = _short(repository, head)
    if tag is None:
        return short
    if tags.get(head) == tag:
        return tag
    tagged = next(commit for commit in order if tags.get(commit) == tag)
    since = sum(1 for _ in repository.get_walker(include=[head], exclude=[tagged]))
    return f"{tag}-{since}-g{short}"


def _tags(repository: "Repo") -> dict[Any, str]:
    """The tag of each tagged commit; of several an annotated one, then the last by name, as git prefers."""
    from dulwich.refs import Ref

    found: dict[Any, tuple[bool, str]] = {}
    for ref, target in sorted(repository.refs.as_dict(Ref(b"refs/tags")).items()):
        thing: Any = repository[target]
        annotated = thing.type_name == b"tag"
        while thing.type_name == b"tag":
            thing = repository[thing.object[1]]
        if thing.type_name == b"commit":
            candidate = (annotated, ref.decode(errors="replace"))
            if candidate > found.get(thing.id, (False, "")):
                found[thing.id] = candidate
    return {commit: name for commit, (_, name) in found.items()}


def _short(repository: "Repo", head: bytes) -> str:
    name = head.decode()
    for length in range(_SHORTEST, len(name)):
        if _alone(repository.object_store.iter_prefix(name[:length].encode())):
            return name[:length]
    return name


def _alone(found: Iterable[bytes]) -> bool:
    return len(set(found)) <= 1
