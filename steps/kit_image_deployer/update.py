# SPDX-License-Identifier: MIT
"""Read, decide, commit, push; and again on the new head where someone else was faster."""

import difflib
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from kit_core.errors import InputError, Interrupted, KitError
from kit_core.yamlio import load_document
from kit_image_deployer import tree
from kit_image_deployer.edit import Edit, set_value
from kit_image_deployer.faults import Fault, OutcomeUnknown, Race
from kit_image_deployer.message import Origin, commit_message, one_line
from kit_image_deployer.objects import GitObject
from kit_image_deployer.patience import Waiting
from kit_image_deployer.remote import Head, Remote
from kit_image_deployer.target import KIT_FILE, image_file, images_rule

Tell = Callable[[str], object]
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is wanted: `image` for `repository` and `branch` (DOCKER_REPO and CI_BRANCH), on the deployments
    repository's `git_branch` (None: its default), by `author` ("Name <email>") at `time` (seconds since 1970).

    `said` is the service's commit message, `origin` what is known of its build.
    """

    repository: str
    branch: str
    image: str
    author: str
    time: int
    git_branch: str | None = None
    said: str | None = None
    origin: Origin | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be done to the repository as it is at `head`: a dry run shows it, a run executes it."""

    head: Head
    path: str
    edit: Edit
    message: str
    objects: tuple[GitObject, ...]

    @property
    def commit(self) -> bytes:
        """The id of the commit to push."""
        return self.objects[-1].sha

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        return unified_diff(self.edit.before, self.edit.after, self.path)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: `updated` with the commit's id, `unchanged`, or (dry run) `dry-run` with diff and message.

    `path` is the file, `previous` the value it had, `attempts` how many rounds it took.
    """

    result: Literal["updated", "unchanged", "dry-run"]
    path: str
    image: str
    previous: str | None
    branch: str
    commit: str | None = None
    diff: str = ""
    message: str = ""
    attempts: int = 1


def update(remote: Remote, change: Change, *, commit: bool, waiting: Waiting, tell: Tell) -> Outcome:
    """Bring the repository to hold the change; with `commit=False` only find out what that would mean.

    Raises `InputError` where the repository is not as it should be, `WorkError` for what will not pass,
    `TimeLimitError` and `BusyError` at the deadline.
    """
    sent: dict[bytes, Plan] = {}
    try:
        while True:
            try:
                return _attempt(remote, change, commit, waiting, tell, sent)
            except Race as race:
                waiting.after_race(race, remote.where)
            except Fault as fault:
                waiting.after_fault(fault, remote.where)
    except KitError:
        for unanswered in sent:
            tell(f"the push of {unanswered.decode()} got no answer and may have arrived; running it again is safe")
        raise


def _attempt(
    remote: Remote, change: Change, commit: bool, waiting: Waiting, tell: Tell, sent: dict[bytes, Plan]
) -> Outcome:
    head = remote.head(change.git_branch)
    attempts = waiting.races + waiting.faults + 1
    if sent:
        # A push whose answer never came: once our commit is in the history the work is done, whatever followed it.
        first = next(iter(sent.values()))
        arrived = remote.reaches(head.commit, list(sent), since=first.head.commit)
        if arrived is not None:
            tell("the push whose answer was lost had arrived")
            return _outcome("updated", sent[arrived], change, attempts)
    plan = plan_change(remote, head, change)
    if not plan.edit.changes:
        return _outcome("unchanged", plan, change, attempts)
    if not commit:
        return _outcome("dry-run", plan, change, attempts)
    previous = one_line(plan.edit.previous or "nothing yet")
    tell(f"{plan.path}: {previous} -> {change.image}, on {head.commit.decode()[:10]}")
    try:
        remote.push(head, plan.commit, plan.objects)
    except OutcomeUnknown:
        sent[plan.commit] = plan
        raise
    except Interrupted:
        tell(f"stopped while {plan.commit.decode()} was being pushed: it may have arrived; running it again is safe")
        raise
    return _outcome("updated", plan, change, attempts)


def plan_change(remote: Remote, head: Head, change: Change) -> Plan:
    """What the change means for the repository at `head`. Raises `InputError` naming file and key."""
    root = tree.root_of(remote.checkout(head.commit))
    # Where the images are is only known once kit.yaml is read; most say `images`, and a round trip is saved.
    top = tree.parsed(remote.load(root))
    likely = [top[name] for name in (KIT_FILE.encode(), b"images") if name in top]
    remote.prefetch([sha for mode, sha in likely if stat.S_ISREG(mode) or stat.S_ISDIR(mode)])
    rule = images_rule(_kit_file(remote, root))
    path = image_file(rule, change.repository, change.branch)
    place = tree.find(remote.load, root, path)
    before = remote.load(place.blob) if place.blob is not None else None
    edit = set_value(before, rule.key, change.image, name=path)
    message = commit_message(
        path=path, image=change.image, previous=edit.previous, said=change.said, origin=change.origin
    )
    if not edit.changes:
        return Plan(head=head, path=path, edit=edit, message=message, objects=())
    made = tree.changed(place, edit.after)
    commit = tree.commit_object(
        tree=made[-1].sha, parent=head.commit, author=change.author, time=change.time, message=message
    )
    return Plan(head=head, path=path, edit=edit, message=message, objects=(*made, commit))


def _kit_file(remote: Remote, root: bytes) -> object:
    place = tree.find(remote.load, root, KIT_FILE)
    if place.blob is None:
        raise InputError(
            f"{KIT_FILE} is missing",
            where=remote.where,
            hint="The deployments repository needs one with `images: {path: images, property: image}`, in its root.",
        )
    try:
        text = remote.load(place.blob).decode("utf-8")
    except UnicodeDecodeError:
        hint = "Save it as UTF-8; nothing was changed."
        raise InputError(f"{KIT_FILE} is not UTF-8 text", where=remote.where, hint=hint, file=KIT_FILE) from None
    return load_document(text, name=KIT_FILE).value


def _outcome(result: Literal["updated", "unchanged", "dry-run"], plan: Plan, change: Change, attempts: int) -> Outcome:
    return Outcome(
        result=result,
        path=plan.path,
        image=change.image,
        previous=plan.edit.previous,
        branch=plan.head.ref.removeprefix(b"refs/heads/").decode("utf-8", "replace"),
        commit=plan.commit.decode() if result == "updated" else None,
        diff=plan.diff,
        message=plan.message,
        attempts=attempts,
    )


def unified_diff(before: bytes | None, after: bytes, path: str) -> str:
    """The change of a file as `git diff` would show it, without its index line."""
    old, new = (_LINE.findall((text or b"").decode("utf-8", "replace")) for text in (before, after))
    names = ("/dev/null" if before is None else f"a/{path}", f"b/{path}")
    lines = difflib.unified_diff(old, new, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
