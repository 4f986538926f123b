# SPDX-License-Identifier: MIT
"""Images made by hand and pushed over http, as any client of a registry does it."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import urllib3

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIGS = {
    OCI_MANIFEST: "application/vnd.oci.image.config.v1+json",
    DOCKER_MANIFEST: "application/vnd.docker.container.image.v1+json",
}
_LAYERS = {
    OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar",
    DOCKER_MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
_PARTS = {OCI_INDEX: OCI_MANIFEST, DOCKER_LIST: DOCKER_MANIFEST}


@dataclass
class Pusher:
    """Pushes to the registry at `base` (http://host:port), with these headers."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._pool = urllib3.PoolManager(ssl_context=self.tls) if self.tls else urllib3.PoolManager()

    def image(self, repository: str, tag: str, media_type: str = OCI_MANIFEST, *, content: str = "1") -> str:
        """Push an image, or for the type of a list one for each of two architectures and the list; its digest."""
        if media_type in _PARTS:
            part = _PARTS[media_type]
            entries = []
            for architecture in ("amd64", "arm64"):
                digest, size = self._manifest(
                    repository, None, part, self._single(repository, part, content, architecture)
                )
                platform = {"architecture": architecture, "os": "linux"}
                entries.append({"mediaType": part, "digest": digest, "size": size, "platform": platform})
            manifest: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
        else:
            manifest = self._single(repository, media_type, content, "amd64")
        return self._manifest(repository, tag, media_type, manifest)[0]

    def _single(self, repository: str, media_type: str, content: str, architecture: str) -> dict[str, Any]:
        config = json.dumps({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
        return {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": _CONFIGS[media_type], **self._blob(repository, config.encode())},
            "layers": [{"mediaType": _LAYERS[media_type], **self._blob(repository, content.encode())}],
        }

    def _blob(self, repository: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = self._send("POST", f"{self.base}/v2/{repository}/blobs/uploads/", b"", 202)
        place = urljoin(self.base, begun.headers["Location"])
        self._send("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data, 201)
        return {"digest": digest, "size": len(data)}

    def _manifest(self, repository: str, tag: str | None, media_type: str, manifest: object) -> tuple[str, int]:
        data = json.dumps(manifest, indent=3).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        url = f"{self.base}/v2/{repository}/manifests/{tag or digest}"
        done = self._send("PUT", url, data, 201, **{"Content-Type": media_type})
        assert done.headers["Docker-Content-Digest"] == digest
        return digest, len(data)

    def _send(self, method: str, url: str, body: bytes, wanted: int, **headers: str) -> urllib3.BaseHTTPResponse:
        done = self._pool.request(method, url, body=body, headers={**self.headers, **headers})
        assert done.status == wanted, (method, url, done.status, done.data)
        return done
