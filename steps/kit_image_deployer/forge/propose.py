# SPDX-License-Identifier: MIT
"""KIT_PULL_REQUEST: the commit goes to a branch of this step's own, and a pull request proposes to merge it.

The branch is named after the files and the target branch, so that there is one open request at most for the same
files; the next image of them goes into that one. Where the new commit is put:

1. A request is open, and the target's head is in the branch's history: on the branch's head.
2. A request is open, and the target has moved on: on the target's head, and the branch is moved there, as long as all
   commits of the branch are this step's own, and of no newer build. The request stays free of conflicts. A commit of
   somebody else's is never dropped: then on the branch's head, and the forge tells whether it can still be merged.
3. No request is open: on the target's head. What is left of an earlier request, merged or closed, is kept by the
   forge; a commit of somebody else's that no request holds, or of a newer build whose run has not opened its request
   yet, is kept, and built upon.

Where a server takes no forced push, the commit of the second and third case follows the branch's head as well: a merge
that takes nothing from it.

In each case the branch is moved from the commit that was read, and from nothing else: whoever pushes to it in between
is met as in a lost race. Nothing is ever pushed to the target. Older builds replace newer ones neither on the target
nor on the branch.

Title and description tell of what the branch holds. Another run may push while they are written: afterwards the branch
is looked at once more, and where it has moved on they are written anew, so that the last word is about the last commit.
A request that was merged or closed in between proposes nothing: then everything begins anew, with a request of its own.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from kit_core.errors import InputError, Interrupted, KitError, WorkError
from kit_image_deployer.change import Change, Outcome, Plan, Result, outcome
from kit_image_deployer.faults import Fault, OutcomeUnknown, Race
from kit_image_deployer.forge import AlreadyOpenError, Proposal, PullRequest, PullRequests
from kit_image_deployer.forge.proposal import PREFIX, holds, is_ours, proposal, proposal_branch
from kit_image_deployer.git.refusals import ref_of
from kit_image_deployer.git.repository import Head, Remote
from kit_image_deployer.git.wire import NOTHING
from kit_image_deployer.patience import Waiting
from kit_image_deployer.plan import plan_change
from kit_image_deployer.snapshot import Snapshot
from kit_image_deployer.update import How, announce

# How servers refuse that a branch is moved to a commit that does not follow the one it was at.
_NO_FORCE: Final = re.compile(r"non-fast-forward|force[ -]push", re.IGNORECASE)


def propose(remote: Remote, change: Change, how: How, *, waiting: Waiting, requests: PullRequests) -> Outcome:
    """Bring an open request to hold the change, or open one. A dry run asks for no `requests`.

    Raises what `update` raises, for the forge as well.
    """
    run = _Run(remote, change, how, waiting, requests)
    try:
        while True:
            try:
                return run.attempt()
            except Race as race:
                waiting.after_race(race, remote.where)
            except Fault as fault:
                waiting.after_fault(fault, remote.where)
    except (KitError, Interrupted):
        if run.sent:
            how.tell(
                f"the branch {run.branch} {'was' if run.commit else 'may have been'} pushed, and its request is not"
                " opened or brought up to date yet; running it again does the rest"
            )
        raise


@dataclass
class _Run:
    remote: Remote
    change: Change
    how: How
    waiting: Waiting
    requests: PullRequests
    sent: dict[bytes, Plan] = field(default_factory=dict)
    """What this run pushed, or may have pushed."""
    commit: bytes | None = None
    """What is known to have arrived."""
    branch: str = ""

    def attempt(self) -> Outcome:
        """One round: read, decide, push, and open the request or bring it up to date."""
        target = self.remote.head(self.change.git_branch)
        snapshot = Snapshot(self.remote, target)
        plan = plan_change(snapshot, self.change, sign=self.how.sign, sealed=True)
        name = target.ref.removeprefix(b"refs/heads/").decode("utf-8", "replace")
        self.branch = proposal_branch(name, (item.path for item in plan.files))
        if not self.how.commit and not plan.idle:
            return replace(self._outcome("dry-run", plan), branch=self.branch)
        ours = self.remote.find(self.branch) if self.how.commit else None
        # Asked before anything is pushed: a token that is wrong is better found out now.
        request = self.requests.find(self.branch, name) if ours or not plan.idle else None
        if plan.idle:
            if request is not None:
                self.how.tell(f"{request.url} is still open, and not needed any more: close it if nobody wants it")
            return self._outcome(plan.idle, plan)
        there = self._there(ours, target, plan, request) if ours is not None else None
        pushed = True
        if there is None:
            there = self._begin_anew(ours, snapshot, plan)
        elif there.idle is None and self.commit is None:
            self._push(there.head, there)
        else:
            pushed = False
        wanted = self._wanted(name, plan, there, pushed=pushed)
        if there.idle and self.commit is None and (request is not None or there.idle == "superseded"):
            return self._left_alone(there.idle, there, request, wanted)
        request = self._opened(request, wanted)
        if self.remote.find(self.branch) != (there.commit if pushed else ours):
            raise Race(f"{self.branch} moved while its request was brought up to date")
        commit = self.commit or ours or NOTHING
        done = self._outcome("proposed", plan)
        return replace(done, branch=self.branch, commit=commit.decode(), message=there.message, url=request.url)

    def _wanted(self, target: str, plan: Plan, there: Plan, *, pushed: bool) -> Proposal:
        """The request for what the branch holds: for each file the image that was `pushed`, else the one that is there,
        which another run may have put there since.
        """
        held = {
            item.path: item.update.image if pushed and item.result == "updated" else item.edit.previous
            for item in there.files
        }
        files = [replace(item.written, image=held.get(item.path) or item.update.image) for item in plan.changing]
        message = there.message
        if not pushed:
            content = self.remote.checkout(there.head.commit)
            message = content.partition(b"\n\n")[2].decode("utf-8", "replace")
        return proposal(self.branch, target, files, message)

    def _left_alone(self, idle: Result, there: Plan, request: PullRequest | None, wanted: Proposal) -> Outcome:
        """The branch holds the images already, or newer ones; a run that ended early may have left the old title."""
        if request is not None and idle == "unchanged" and not wanted.title.startswith(request.title):
            self._update(request, wanted)
        return replace(self._outcome(idle, there), branch=self.branch, url=request.url if request else None)

    def _there(self, ours: bytes, target: Head, plan: Plan, request: PullRequest | None) -> Plan | None:
        """What is to be done on the head of our branch; None where the branch is to begin anew on the target's."""
        head = Head(ref_of(b"heads/", self.branch), ours)
        snapshot = Snapshot(self.remote, head)
        commits = self.remote.missing(ours, target.commit)
        others = [sha for sha, content in commits.items() if not is_ours(content)]
        # What is newer on the target is not wanted on the branch either.
        wanted = tuple(item.update for item in plan.files if item.result != "superseded")
        there = plan_change(snapshot, replace(self.change, updates=wanted), sign=self.how.sign, sealed=True)
        self.commit = self.commit or next((sha for sha in self.sent if sha == ours or sha in commits), None)
        if self.commit is not None:
            return there
        follows = holds(commits, ours, target.commit)
        kept = f"commits of others ({others[0].decode()[:10]})" if others else ""
        if any(item.result == "superseded" for item in there.files):
            kept = kept or "a newer build's commit"
        if request is not None:
            if kept and not follows and not there.idle:
                self.how.tell(
                    f"{self.branch} has {kept} and is not moved to the target's head: look whether it can still be"
                    " merged"
                )
            return there if kept or follows or there.idle else None
        if kept and not self.requests.keeps(self.branch, ours.decode()):
            self.how.tell(f"{self.branch} has {kept} that no request holds: nothing of it is dropped")
            return there
        # A run that ended before it opened its request left what this one would make.
        left = bool(commits) and not others and follows
        return there if left and there.idle == "unchanged" else None

    def _begin_anew(self, ours: bytes | None, snapshot: Snapshot, plan: Plan) -> Plan:
        """Put the branch on the target's head; where the server takes no forced push, by a merge with the branch's."""
        old = Head(ref_of(b"heads/", self.branch), ours or NOTHING)
        try:
            self._push(old, plan)
        except (Race, WorkError) as error:
            if ours is None or not _NO_FORCE.search(str(error)):
                raise
            self.how.tell("the server takes no forced push: the commit follows the branch's head as well")
            plan = plan_change(snapshot, self.change, sign=self.how.sign, sealed=True, after=[ours])
            self._push(old, plan)
        return plan

    def _push(self, old: Head, plan: Plan) -> None:
        if old.commit == NOTHING and self.remote.find(PREFIX) is not None:
            raise InputError(
                f"the repository has a branch {PREFIX}",
                why=f"git cannot have {self.branch} beside it",
                where=self.remote.where,
                hint="Rename that branch, or leave out KIT_PULL_REQUEST.",
            )
        announce(plan, self.how.tell)
        self.sent[plan.commit] = plan
        try:
            self.remote.push(old, plan.commit, plan.objects, self.how.push_options)
        except (OutcomeUnknown, Interrupted):
            raise
        except BaseException:
            del self.sent[plan.commit]
            raise
        self.commit = plan.commit

    def _opened(self, request: PullRequest | None, wanted: Proposal) -> PullRequest:
        requests = self.requests
        if request is None:
            try:
                opened = requests.open(wanted)
            except AlreadyOpenError:
                request = requests.find(wanted.branch, wanted.target)
                if request is None:
                    raise Fault("the forge has an open request for the branch, and does not list it") from None
            else:
                self.how.tell(f"opened {opened.url}")
                return opened
        self._update(request, wanted)
        return request

    def _update(self, request: PullRequest, wanted: Proposal) -> None:
        try:
            self.requests.update(request, wanted)
        except Race:  # it is merged or closed: what was pushed is proposed by nothing
            self.sent.clear()
            self.commit = None
            raise
        self.how.tell(f"brought {request.url} up to date")

    def _outcome(self, result: Result, plan: Plan) -> Outcome:
        return outcome(result, plan, self.waiting.races + self.waiting.faults + 1)
