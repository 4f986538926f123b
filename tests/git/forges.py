# SPDX-License-Identifier: MIT
"""Doubles of GitHub and GitLab: their published REST APIs for pull and merge requests, over real HTTP.

They are strict, so that a request that the real ones would refuse is refused here too: paths, methods, headers, queries
and fields of bodies are checked against what docs.github.com and docs.gitlab.com say. The branches are those of a real
repository. What they were asked in a wrong way stands in `wrong`.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

TOKEN = "canary-forge-token"
NAME = "acme/deployments"

Meddle = Callable[["Call"], bool]


@dataclass
class Call:
    """A request that came in. `answer` sends the reply, `cut` ends the connection without one."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    handler: BaseHTTPRequestHandler

    def answer(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> bool:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.handler.send_response(status)
        given = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(data)), **(headers or {})}
        for name, value in given.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(data)
        return True

    def cut(self) -> bool:
        self.handler.close_connection = True
        return True


@dataclass
class Forge(ABC):
    """What both have in common. `head_of` tells a branch's commit in the real repository, None where it has none.

    `meddle` is asked first about each request and returns True where it dealt with it.
    """

    head_of: Callable[[str], str | None]
    meddle: Meddle = lambda _call: False
    requests: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _server: ThreadingHTTPServer | None = None

    kind = ""
    api = ""

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, str]:
        return {"KIT_FORGE": self.kind, "KIT_FORGE_URL": self.url, "KIT_FORGE_TOKEN": TOKEN}

    def count(self, method: str) -> int:
        return sum(1 for asked, _ in self.calls if asked == method)

    def only(self) -> dict[str, Any]:
        """The one request that is open."""
        (found,) = [item for item in self.requests if item["state"] == "open"]
        return found

    @abstractmethod
    def handle(self, call: Call) -> bool:
        """Answer a request that nobody meddled with."""

    def refuse(self, call: Call, status: int, why: str, content: Any) -> bool:
        self.wrong.append(f"{call.method} {call.path}: {why}")
        return call.answer(status, content)

    def __enter__(self) -> Self:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments: Any) -> None:
                """Nothing is printed."""

            def _any(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                body: Any = json.loads(data) if data else {}
                call = Call(self.command, parts.path, dict(parse_qsl(parts.query)), body, self)
                with forge.lock:
                    forge.calls.append((call.method, call.path))
                if not forge.meddle(call):
                    with forge.lock:
                        forge.handle(call)

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._any
                raise AttributeError(name)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def _open(self, branch: str, target: str) -> list[dict[str, Any]]:
        found = [item for item in self.requests if (item["branch"], item["target"]) == (branch, target)]
        return [item for item in found if item["state"] == "open" and not item.get("fork")]

    @abstractmethod
    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        """A request as the forge's API tells it."""

    def _add(self, branch: str, target: str, title: str, body: str) -> dict[str, Any]:
        number = len(self.requests) + 1
        kept = self.head_of(branch)
        item = {"number": number, "branch": branch, "target": target, "title": title, "body": body, "kept": kept}
        self.requests.append({**item, "state": "open"})
        return self.requests[-1]

    def close(self, number: int) -> None:
        """Close a request, as a person would."""
        item = self.requests[number - 1]
        item["kept"], item["state"] = self.head_of(item["branch"]), "closed"

    def commit_of(self, item: dict[str, Any]) -> str | None:
        return self.head_of(item["branch"]) if item["state"] == "open" else item["kept"]


class GitHubDouble(Forge):
    """docs.github.com, "REST API endpoints for pull requests": list, create, update."""

    kind = "github"
    api = "/api/v3"

    def handle(self, call: Call) -> bool:
        headers = call.handler.headers
        if not headers.get("User-Agent"):
            return self.refuse(call, 403, "no User-Agent", {"message": "Request forbidden by administrative rules."})
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return call.answer(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})
        if "application/vnd.github+json" not in headers.get("Accept", "") or not headers.get("X-GitHub-Api-Version"):
            return self.refuse(call, 400, "headers", {"message": "no version"})
        base = f"{self.api}/repos/{NAME}/pulls"
        if call.method == "GET" and call.path == base:
            return self._list(call)
        if call.method == "POST" and call.path == base:
            return self._create(call)
        number = call.path.removeprefix(f"{base}/")
        if call.method == "PATCH" and number.isdigit() and int(number) <= len(self.requests):
            if set(call.body) - {"title", "body", "state", "base", "maintainer_can_modify"}:
                return self.refuse(call, 422, "fields", {"message": "Invalid request."})
            self.requests[int(number) - 1].update(call.body)
            return call.answer(200, self._shown(self.requests[int(number) - 1]))
        return self.refuse(call, 404, "path", {"message": "Not Found"})

    def _list(self, call: Call) -> bool:
        query = call.query
        if set(query) - {"state", "head", "base", "sort", "direction", "per_page", "page"}:
            return self.refuse(call, 422, "query", {"message": "Invalid request."})
        owner, colon, branch = query.get("head", "").partition(":")
        found = []
        for item in self.requests:
            fits = query.get("state", "open") in {item["state"], "all"} and query.get("base") in {item["target"], None}
            # A filter without its owner is left out, as on GitHub.
            named = not colon or (owner == NAME.split("/", maxsplit=1)[0] and item["branch"] == branch)
            found += [self._shown(item)] if fits and named else []
        return call.answer(200, found)

    def _create(self, call: Call) -> bool:
        body = call.body
        missing = {"title", "head", "base"} - set(body)
        if missing or set(body) - {"title", "head", "base", "body", "draft", "maintainer_can_modify"}:
            return self.refuse(call, 422, "fields", {"message": "Invalid request."})
        head, target = self.head_of(body["head"]), self.head_of(body["base"])
        if head is None or target is None:
            name = "head" if head is None else "base"
            error = {"resource": "PullRequest", "field": name, "code": "invalid"}
            return call.answer(422, {"message": "Validation Failed", "errors": [error]})
        custom = {"resource": "PullRequest", "code": "custom"}
        owner = NAME.split("/", maxsplit=1)[0]
        if self._open(body["head"], body["base"]):
            error = {**custom, "message": f"A pull request already exists for {owner}:{body['head']}."}
            return call.answer(422, {"message": "Validation Failed", "errors": [error]})
        if head == target:
            error = {**custom, "message": f"No commits between {body['base']} and {body['head']}"}
            return call.answer(422, {"message": "Validation Failed", "errors": [error]})
        return call.answer(201, self._shown(self._add(body["head"], body["base"], body["title"], body.get("body", ""))))

    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        repo = {"full_name": NAME}
        whose = {"full_name": item.get("fork") or NAME}
        return {
            "number": item["number"], "state": item["state"], "title": item["title"], "body": item["body"],
            "html_url": f"https://github.example.com/{NAME}/pull/{item['number']}",
            "head": {"ref": item["branch"], "sha": self.commit_of(item), "repo": whose},
            "base": {"ref": item["target"], "repo": repo},
        }  # fmt: skip


class GitLabDouble(Forge):
    """docs.gitlab.com, "Merge requests API": list a project's, create, update."""

    kind = "gitlab"
    api = "/api/v4"

    def handle(self, call: Call) -> bool:
        if call.handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            return call.answer(401, {"message": "401 Unauthorized"})
        base = f"{self.api}/projects/{quote(NAME, safe='')}/merge_requests"
        if call.method == "GET" and call.path == base:
            return self._list(call)
        if call.method == "POST" and call.path == base:
            return self._create(call)
        number = call.path.removeprefix(f"{base}/")
        if call.method == "PUT" and number.isdigit() and int(number) <= len(self.requests):
            if set(call.body) - {"title", "description", "state_event", "target_branch", "labels"}:
                return self.refuse(call, 400, "fields", {"error": "fields are invalid"})
            item = self.requests[int(number) - 1]
            item["title"], item["body"] = call.body["title"], call.body["description"]
            return call.answer(200, self._shown(item))
        return self.refuse(call, 404, "path", {"error": "404 Not Found"})

    def _list(self, call: Call) -> bool:
        query = call.query
        if set(query) - {"state", "source_branch", "target_branch", "per_page", "page", "order_by", "sort"}:
            return self.refuse(call, 400, "query", {"error": "query is invalid"})
        state = query.get("state", "all")
        if state not in {"opened", "closed", "locked", "merged", "all"}:
            return self.refuse(call, 400, "state", {"error": "state does not have a valid value"})
        found = [
            self._shown(item)
            for item in self.requests
            if query.get("source_branch") in {item["branch"], None}
            and query.get("target_branch") in {item["target"], None}
            and state in {"all", self._shown(item)["state"]}
        ]
        return call.answer(200, found)

    def _create(self, call: Call) -> bool:
        body = call.body
        missing = {"title", "source_branch", "target_branch"} - set(body)
        if missing or set(body) - {"title", "source_branch", "target_branch", "description", "remove_source_branch"}:
            return self.refuse(call, 400, "fields", {"error": f"{', '.join(missing)} is missing"})
        for name in ("source_branch", "target_branch"):
            if self.head_of(body[name]) is None:
                return call.answer(400, {"message": {name: ["does not exist"]}})
        open_ones = self._open(body["source_branch"], body["target_branch"])
        if open_ones:
            number = open_ones[0]["number"]
            said = f"Another open merge request already exists for this source branch: !{number}"
            return call.answer(409, {"message": [said]})
        added = self._add(body["source_branch"], body["target_branch"], body["title"], body.get("description", ""))
        return call.answer(201, self._shown(added))

    def _shown(self, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": 1000 + item["number"], "iid": item["number"],
            "state": {"open": "opened"}.get(item["state"], item["state"]),
            "title": item["title"], "description": item["body"],
            "web_url": f"https://gitlab.example.com/{NAME}/-/merge_requests/{item['number']}",
            "source_branch": item["branch"], "target_branch": item["target"], "sha": self.commit_of(item),
            "source_project_id": 9 if item.get("fork") else 7, "target_project_id": 7,
        }  # fmt: skip
