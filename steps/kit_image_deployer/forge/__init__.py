# SPDX-License-Identifier: MIT
"""Pull requests (merge requests) on forges: find the one that is open, open one, bring it up to date.

`propose` is the run: it pushes to a branch of our own what a `proposal` is made of. `choose` tells from the settings
which forge it is, where its API is, which repository, and which token may go there. `api` sends the requests and knows
what refusals mean; `github` and `gitlab` know their forge's words. Another forge is a module beside them with a class
like theirs, and a line in `choose.KINDS`.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is proposed: to merge `branch` into `target`, under a title and with a description in Markdown."""

    branch: str
    target: str
    title: str
    body: str


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A request that is open: its number in the repository, its page, its title (without a mark of a `draft`)."""

    number: int
    url: str
    title: str = ""
    draft: bool = False


class AlreadyOpenError(Exception):
    """A request for these branches is open already: somebody was faster."""


class PullRequests(Protocol):
    """The requests of one repository. Every method may raise `Fault` (may pass) or a `KitError` (will not)."""

    where: str

    def find(self, branch: str, target: str) -> PullRequest | None:
        """The open request that would merge `branch` into `target`."""
        ...

    def keeps(self, branch: str, commit: str) -> bool:
        """Whether some request from `branch`, open or not, has `commit` as its last one: the forge keeps it then."""
        ...

    def open(self, proposal: Proposal) -> PullRequest:
        """Open a request. Raises `AlreadyOpenError`, and `Race` where there is nothing to merge any more."""
        ...

    def update(self, request: PullRequest, proposal: Proposal) -> None:
        """Give an open request a new title and description. Raises `Race` where it is not open any more."""
        ...

    def close(self) -> None:
        """Let go of connections; the requests stay."""
        ...
