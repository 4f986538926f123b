# SPDX-License-Identifier: MIT
"""What a registry holds, asked for as any client does."""

from __future__ import annotations

import base64
import json
import ssl
from dataclasses import dataclass

import urllib3


@dataclass(frozen=True)
class Shelf:
    """A registry, as any client sees it. It asks for a password, where there is one."""

    host: str
    url: str
    username: str = ""
    password: str = ""
    authority: str = ""

    def login(self, password: str | None = None) -> str:
        """What `docker login` would write."""
        pair = f"{self.username}:{password or self.password}"
        return json.dumps({"auths": {f"https://{self.host}/v1/": {"auth": base64.b64encode(pair.encode()).decode()}}})

    def tags(self, repository: str) -> list[str]:
        answer = self._get(f"{repository}/tags/list")
        return sorted(json.loads(answer.data)["tags"] or ()) if answer.status == 200 else []

    def manifest(self, repository: str, tag: str) -> tuple[str, dict[str, object]]:
        """An image's digest, and its manifest."""
        answer = self._get(f"{repository}/manifests/{tag}")
        assert answer.status == 200, answer.data
        return answer.headers["Docker-Content-Digest"], json.loads(answer.data)

    def config(self, repository: str, tag: str) -> dict[str, object]:
        """What the image says of itself: its environment, its labels, how it was built."""
        manifest = self.manifest(repository, tag)[1]["config"]
        assert isinstance(manifest, dict)
        found: dict[str, object] = json.loads(self._get(f"{repository}/blobs/{manifest['digest']}").data)
        return found

    def _get(self, path: str) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
        if self.password:
            headers |= urllib3.make_headers(basic_auth=f"{self.username}:{self.password}")
        tls = ssl.create_default_context(cadata=self.authority) if self.authority else None
        with urllib3.PoolManager(ssl_context=tls) as pool:
            return pool.request("GET", f"{self.url}/v2/{path}", headers=headers)
