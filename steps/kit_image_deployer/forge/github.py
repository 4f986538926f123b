# SPDX-License-Identifier: MIT
"""Pull requests on GitHub, as its REST API documents them (docs.github.com, "REST API endpoints for pull requests")."""

from typing import Any, Final
from urllib.parse import quote

from kit_core.secrets import Secret
from kit_image_deployer.connections.web import Web
from kit_image_deployer.faults import Fault, Race
from kit_image_deployer.forge import AlreadyOpenError, Proposal, PullRequest
from kit_image_deployer.forge.api import Api, Words, words_of

WORDS: Final = Words(
    title="GitHub",
    request="pull request",
    needs="the permissions Contents and Pull requests (read and write) for this repository",
)
_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_LONGEST_TITLE: Final = 256
_LONGEST_BODY: Final = 65_000


class GitHub:
    """See `PullRequests`."""

    def __init__(self, base: str, repository: str, web: Web, *, token: Secret | None, setting: str) -> None:
        self._owner = repository.partition("/")[0]
        self._api = Api(f"{base}/repos/{quote(repository)}", web, WORDS, token=token, setting=setting)
        self.where = self._api.base

    def find(self, branch: str, target: str) -> PullRequest | None:
        """See `PullRequests`."""
        for item in self._list(branch, base=target, state="open"):
            # GitHub leaves out a filter that it does not understand; and a fork's branch may be called the same.
            if _at(item, "head", "ref") == branch and _at(item, "base", "ref") == target and _own(item):
                return self._read(item)
        return None

    def keeps(self, branch: str, commit: str) -> bool:
        """See `PullRequests`. GitHub keeps it as `refs/pull/<number>/head`."""
        return any(_at(item, "head", "sha") == commit for item in self._list(branch, state="all"))

    def open(self, proposal: Proposal) -> PullRequest:
        """See `PullRequests`."""
        body = {"head": proposal.branch, "base": proposal.target, **_texts(proposal)}
        status, content = self._api.call("POST", "/pulls", body=body, headers=_HEADERS, also=(422,))
        if status != 422:
            return self._read(content)
        said = words_of(content)
        if "already exists" in said:
            raise AlreadyOpenError
        if "No commits between" in said:
            raise Race(said)
        if "PullRequest head invalid" in said:  # the push is a moment old
            raise Fault(f"GitHub does not know the branch {proposal.branch} yet")
        raise self._api.refused(said)

    def update(self, request: PullRequest, proposal: Proposal) -> None:
        """See `PullRequests`."""
        _, content = self._api.call("PATCH", f"/pulls/{request.number}", body=_texts(proposal), headers=_HEADERS)
        if _at(content, "state") == "closed":
            raise Race(f"{request.url} was merged or closed meanwhile")

    def close(self) -> None:
        """See `PullRequests`."""
        self._api.close()

    def _list(self, branch: str, **query: str) -> list[Any]:
        query = {**query, "head": f"{self._owner}:{branch}", "per_page": "100"}
        _, content = self._api.call("GET", "/pulls", query=query, headers=_HEADERS)
        if not isinstance(content, list):
            raise self._api.unfit("list of pull requests")
        return content

    def _read(self, item: Any) -> PullRequest:
        number, url = _at(item, "number"), _at(item, "html_url")
        if not isinstance(number, int) or not isinstance(url, str):
            raise self._api.unfit("number and address of the pull request")
        return PullRequest(number=number, url=url, title=str(_at(item, "title") or ""))


def _texts(proposal: Proposal) -> dict[str, str]:
    return {"title": proposal.title[:_LONGEST_TITLE], "body": proposal.body[:_LONGEST_BODY]}


def _own(item: Any) -> bool:
    return bool(_at(item, "head", "repo", "full_name") == _at(item, "base", "repo", "full_name"))


def _at(item: Any, *path: str) -> Any:
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item
