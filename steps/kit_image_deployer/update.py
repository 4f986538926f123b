# SPDX-License-Identifier: MIT
"""Read, decide, commit, push; and again on the new head where someone else was faster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kit_core.errors import Interrupted, KitError
from kit_image_deployer.change import Change, Outcome, Plan, outcome
from kit_image_deployer.faults import Fault, OutcomeUnknown, Race
from kit_image_deployer.git.repository import Remote
from kit_image_deployer.message.defuse import one_line
from kit_image_deployer.patience import Waiting

if TYPE_CHECKING:
    from kit_image_deployer.plan import Sign

Tell = Callable[[str], object]

_FEW: Final = 20
"""So many files are named one by one in the log before they are only counted."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How to go about it: whether to `commit` or only find out what that would mean, with which signature, and with
    which words for the server's hooks (`push_options`). `tell` is told what happens.
    """

    commit: bool
    sign: "Sign | None" = None
    push_options: Sequence[str] = ()
    tell: Tell = lambda _text: None


def update(remote: Remote, change: Change, how: How, *, waiting: Waiting) -> Outcome:
    """Bring the repository to hold the change.

    Raises `InputError` where the repository is not as it should be, `WorkError` for what will not pass,
    `TimeLimitError` and `BusyError` at the deadline.
    """
    sent: dict[bytes, Plan] = {}
    try:
        while True:
            try:
                return _attempt(remote, change, how, waiting, sent)
            except Race as race:
                waiting.after_race(race, remote.where)
            except Fault as fault:
                waiting.after_fault(fault, remote.where)
    except (KitError, Interrupted):
        for unanswered in sent:
            how.tell(f"the push of {unanswered.decode()} got no answer and may have arrived; running it again is safe")
        raise


def _attempt(remote: Remote, change: Change, how: How, waiting: Waiting, sent: dict[bytes, Plan]) -> Outcome:
    # Loaded while the remote reads already (`Remote.begin`): together they take as long as some requests do.
    from kit_image_deployer.plan import plan_change
    from kit_image_deployer.snapshot import Snapshot

    head = remote.head(change.git_branch)
    attempts = waiting.races + waiting.faults + 1
    if sent:
        # A push whose answer never came: once our commit is in the history the work is done, whatever followed it.
        first = next(iter(sent.values()))
        arrived = remote.reaches(head.commit, list(sent), since=first.head.commit)
        if arrived is not None:
            how.tell("the push whose answer was lost had arrived")
            return outcome("updated", sent[arrived], attempts)
    plan = plan_change(Snapshot(remote, head), change, sign=how.sign)
    if plan.idle is not None:
        return outcome(plan.idle, plan, attempts)
    if not how.commit:
        return outcome("dry-run", plan, attempts)
    announce(plan, how.tell)
    try:
        remote.push(head, plan.commit, plan.objects, how.push_options)
    except OutcomeUnknown:
        sent[plan.commit] = plan
        raise
    except Interrupted:
        how.tell(
            f"stopped while {plan.commit.decode()} was being pushed: it may have arrived; running it again is safe"
        )
        raise
    return outcome("updated", plan, attempts)


def announce(plan: Plan, tell: Tell) -> None:
    """Tell what is about to be pushed, and on what."""
    on = f"on {plan.head.commit.decode()[:10]}"
    for item in plan.changing[:_FEW]:
        tell(f"{item.path}: {one_line(item.edit.previous or 'nothing yet')} -> {item.update.image}, {on}")
        if item.why:
            tell(f"{item.path}: {item.why}")
    if len(plan.changing) > _FEW:
        tell(f"and {len(plan.changing) - _FEW} more files, {on}")
