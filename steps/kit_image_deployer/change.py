# SPDX-License-Identifier: MIT
"""The values that a run goes through: what is wanted, what would be done about it, what came of it. Pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kit_image_deployer.git.objects import GitObject
from kit_image_deployer.guard.policy import Build, Guard
from kit_image_deployer.message.commit import Origin, Render, Written

if TYPE_CHECKING:
    from kit_image_deployer.edit.values import Edit
    from kit_image_deployer.git.repository import Head

FileResult = Literal["updated", "unchanged", "superseded"]
Result = Literal["updated", "proposed", "unchanged", "superseded", "dry-run"]


@dataclass(frozen=True, kw_only=True)
class ImageUpdate:
    """`image` for `repository` and `branch` of a service (DOCKER_REPO and CI_BRANCH): one file.

    `build` is what is known of that very image; where it is None, it comes from the build that this run belongs to.
    """

    repository: str
    branch: str
    image: str
    build: Build | None = None


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """Copy the images that are recorded for `from_branch` to `to_branch`: those of `repositories`, or of all that have
    one.
    """

    from_branch: str
    to_branch: str
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is wanted: `updates`, or a `promotion` in their place (with both, the updates are what it came to), on the
    deployments repository's `git_branch` (None: its default), in one commit by `author` ("Name <email>") at `time`
    (seconds since 1970).

    `guard` keeps older builds from replacing newer ones. `said` is the service's commit message, `origin` what is
    known of its build; `render` makes the message where the team has a template of its own.
    """

    author: str
    time: int
    updates: tuple[ImageUpdate, ...] = ()
    promotion: Promotion | None = None
    git_branch: str | None = None
    guard: Guard | None = None
    said: str | None = None
    origin: Origin | None = None
    render: Render | None = None


@dataclass(frozen=True, kw_only=True)
class FileEdit:
    """What becomes of one file: `edit` where `result` is "updated", nothing otherwise. `why` says more of it."""

    path: str
    update: ImageUpdate
    edit: "Edit"
    result: FileResult
    why: str = ""

    @property
    def written(self) -> Written:
        """What the commit's message tells of it."""
        return Written(
            path=self.path,
            image=self.update.image,
            previous=self.edit.previous,
            repository=self.update.repository,
            branch=self.update.branch,
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be done to the repository as it is at `head`: a dry run shows it, a run executes it.

    `files` holds all that were asked for; `objects` the new ones, the commit last, or none where nothing changes.
    """

    head: "Head"
    files: tuple[FileEdit, ...]
    message: str
    objects: tuple[GitObject, ...]

    @property
    def changing(self) -> tuple[FileEdit, ...]:
        """The files that the commit changes."""
        return tuple(item for item in self.files if item.result == "updated")

    @property
    def idle(self) -> Result | None:
        """What the run comes to where there is nothing to commit; None where there is."""
        if self.changing:
            return None
        return "superseded" if any(item.result == "superseded" for item in self.files) else "unchanged"

    @property
    def commit(self) -> bytes:
        """The id of the commit to push."""
        return self.objects[-1].sha

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        from kit_image_deployer.edit.difference import unified_diff

        return "".join(unified_diff(item.edit.before, item.edit.after, item.path) for item in self.changing)


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """What came of one file. `previous` is the value it had, `why` says what there is to say; in a dry run, "updated"
    is what it would be.
    """

    result: FileResult
    path: str
    repository: str
    branch: str
    image: str
    previous: str | None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: `updated` with the commit's id, `proposed` (likewise, with the `url` of the pull request, and
    its branch in `branch`), `unchanged`, `superseded` (what is there is newer), or (dry run)
    `dry-run` with diff and message. Of several files, one that changes is enough for `updated`, and one that is newer
    for `superseded`.

    `files` holds what came of each file that was asked for; `branch` is the deployments repository's, `attempts` how
    many rounds it took. `path`, `image` and `previous` are those of the only file, or of the first.
    """

    result: Result
    files: tuple[FileOutcome, ...]
    branch: str
    commit: str | None = None
    diff: str = ""
    message: str = ""
    url: str | None = None
    attempts: int = 1

    @property
    def path(self) -> str:
        """The file's path."""
        return self.files[0].path

    @property
    def image(self) -> str:
        """The image that was asked for."""
        return self.files[0].image

    @property
    def previous(self) -> str | None:
        """The value that the file had."""
        return self.files[0].previous


def outcome(result: Result, plan: Plan, attempts: int) -> Outcome:
    """What came of a plan."""
    files = tuple(
        FileOutcome(
            result=item.result,
            path=item.path,
            repository=item.update.repository,
            branch=item.update.branch,
            image=item.update.image,
            previous=item.edit.previous,
            why=item.why,
        )
        for item in plan.files
    )
    return Outcome(
        result=result,
        files=files,
        branch=plan.head.ref.removeprefix(b"refs/heads/").decode("utf-8", "replace"),
        commit=plan.commit.decode() if result == "updated" else None,
        diff=plan.diff,
        message=plan.message,
        attempts=attempts,
    )
