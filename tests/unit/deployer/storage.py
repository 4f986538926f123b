# SPDX-License-Identifier: MIT
"""A server that answers as S3 and its neighbours do, and copies to keep there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kit_core.secrets import Masker, Secret
from kit_deployer.backup.bucket import Bucket, Where
from kit_deployer.backup.copies import Copy
from kit_deployer.backup.credentials import Keys
from tests.serving import Handler, serving

COPY = Copy("shop/ConfigMap/a.yaml", "a: 1\n", "application/yaml", "shop: ConfigMap shop/a")
KEYS = Keys(access_key="AKIAKIT", secret_key=Secret("hunter2-secret"))


@dataclass
class Service:
    """Answers with `answer(method, path, headers, body)`; keeps what it was asked."""

    answer: Callable[[str, str], tuple[int, str]] = lambda _method, _path: (200, "")
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    gives: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self, method: str) -> list[str]:
        return [path for way, path, _ in self.asked if way == method]


@contextmanager
def service(answer: Callable[[str, str], tuple[int, str]] | None = None) -> Iterator[Service]:
    state = Service()
    if answer:
        state.answer = answer

    class Answer(Handler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            status, text = state.answer(self.command, self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            for header, value in state.gives.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_PUT = do_POST = do_GET  # noqa: N815

    with serving(Answer) as state.port:
        yield state


def refusal(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>No.</Message></Error>"


def put(where: Where, env: dict[str, str] | None = None, masker: Masker | None = None, copy: Copy = COPY) -> bool:
    secret_found = (masker or Masker()).add
    return Bucket(where, env=env or {}, ca_cert=None, secret_found=secret_found).put(copy)


def at(server: Service, **facts: Any) -> Where:
    return Where(bucket="backups", endpoint=server.url, region="eu-central-1", **{"keys": KEYS, **facts})
