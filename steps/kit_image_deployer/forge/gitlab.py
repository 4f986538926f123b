# SPDX-License-Identifier: MIT
"""Merge requests on GitLab, as its REST API documents them (docs.gitlab.com, "Merge requests API")."""

import re
from typing import Any, Final
from urllib.parse import quote

from kit_core.secrets import Secret
from kit_image_deployer.connections.web import Web
from kit_image_deployer.faults import Fault, Race
from kit_image_deployer.forge import AlreadyOpenError, Proposal, PullRequest
from kit_image_deployer.forge.api import Api, Words, words_of

WORDS: Final = Words(
    title="GitLab",
    request="merge request",
    needs="the scope api and the role Developer in this project (a job's own token and deploy tokens cannot do it)",
)
_LONGEST_TITLE: Final = 255
# docs.gitlab.com, "Draft merge requests".
_DRAFT: Final = re.compile(r"^\s*(?:\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)
_LONGEST_BODY: Final = 65_000


class GitLab:
    """See `PullRequests`."""

    def __init__(self, base: str, repository: str, web: Web, *, token: Secret | None, setting: str) -> None:
        self._api = Api(f"{base}/projects/{quote(repository, safe='')}", web, WORDS, token=token, setting=setting)
        self.where = self._api.base

    def find(self, branch: str, target: str) -> PullRequest | None:
        """See `PullRequests`."""
        for item in self._list(branch, target_branch=target, state="opened"):
            if item.get("source_branch") == branch and item.get("target_branch") == target and _own(item):
                return self._read(item)
        return None

    def keeps(self, branch: str, commit: str) -> bool:
        """See `PullRequests`. GitLab keeps it as `refs/merge-requests/<number>/head`."""
        return any(item.get("sha") == commit for item in self._list(branch, state="all"))

    def open(self, proposal: Proposal) -> PullRequest:
        """See `PullRequests`."""
        body = {"source_branch": proposal.branch, "target_branch": proposal.target, **_texts(proposal)}
        status, content = self._api.call("POST", "/merge_requests", body=body, also=(400, 409, 422))
        if status == 409:
            raise AlreadyOpenError
        if status in {400, 422}:
            said = words_of(content)
            if "source_branch" in said and "exist" in said:  # the push is a moment old
                raise Fault(f"GitLab does not know the branch {proposal.branch} yet")
            raise self._api.refused(said)
        return self._read(content)

    def update(self, request: PullRequest, proposal: Proposal) -> None:
        """See `PullRequests`."""
        texts = _texts(proposal)
        if request.draft:  # a mark in the title, which a person put there
            texts["title"] = f"Draft: {texts['title']}"[:_LONGEST_TITLE]
        _, content = self._api.call("PUT", f"/merge_requests/{request.number}", body=texts)
        if isinstance(content, dict) and content.get("state") in {"closed", "locked", "merged"}:
            raise Race(f"{request.url} was merged or closed meanwhile")

    def close(self) -> None:
        """See `PullRequests`."""
        self._api.close()

    def _list(self, branch: str, **query: str) -> list[dict[str, Any]]:
        query = {**query, "source_branch": branch, "per_page": "100"}
        _, content = self._api.call("GET", "/merge_requests", query=query)
        if not isinstance(content, list):
            raise self._api.unfit("list of merge requests")
        return [item for item in content if isinstance(item, dict)]

    def _read(self, item: Any) -> PullRequest:
        number, url = (item.get("iid"), item.get("web_url")) if isinstance(item, dict) else (None, None)
        if not isinstance(number, int) or not isinstance(url, str):
            raise self._api.unfit("number and address of the merge request")
        title = str(item.get("title") or "")
        plain = _DRAFT.sub("", title)
        return PullRequest(number=number, url=url, title=plain, draft=plain != title)


def _texts(proposal: Proposal) -> dict[str, str]:
    return {"title": proposal.title[:_LONGEST_TITLE], "description": proposal.body[:_LONGEST_BODY]}


def _own(item: dict[str, Any]) -> bool:
    """Whether the branch is one of this project's: a fork's may be called the same."""
    return bool(item.get("source_project_id") == item.get("target_project_id"))
