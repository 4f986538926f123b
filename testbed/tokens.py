# SPDX-License-Identifier: MIT
"""A token service for a registry: the double of what Docker Hub, GitLab or Harbor run beside theirs.

It speaks the published protocol over real http (https://distribution.github.io/distribution/spec/auth/token/ and
/oauth/), and a real registry checks the tokens that it signs.
"""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from testbed.guarded import ISSUER, SERVICE, USER


@dataclass
class TokenService:
    """Gives tokens for pulling to `username` with `password` or to whoever has the identity token; to everybody for
    repositories below `public/`. It calls a token what `named` says.

    `answers` are given first, one a request: status, body, headers. `requests` holds what was asked: the method, the
    parameters, the Authorization header.
    """

    username: str = USER
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    identity: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    named: str = "token"
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, list[str]], str]] = field(default_factory=list)
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    _server: ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        """Make the certificate that a registry has to know."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    @property
    def certificate(self) -> str:
        """The certificate (PEM)."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def realm(self) -> str:
        """The service's address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def token(self, *scopes: str) -> str:
        """A token for what `scopes` name (`repository:shop/cart:pull,push`)."""
        now = int(time.time())
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":") for scope in scopes)
        ]
        chain = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()
        head = {"typ": "JWT", "alg": "ES256", "x5c": [chain]}
        claims = {
            "iss": ISSUER, "sub": self.username, "aud": SERVICE, "exp": now + 300, "nbf": now - 60, "iat": now,
            "jti": secrets.token_hex(8), "access": access,
        }  # fmt: skip
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def answer(self, method: str, given: dict[str, list[str]], authorization: str) -> tuple[int, bytes, dict[str, str]]:
        """What a request gets: status, body, headers."""
        self.requests.append((method, given, authorization))
        if self.answers:
            return self.answers.pop(0)
        scopes = [scope for text in given.get("scope", []) for scope in text.split()]
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        known = (
            given.get("grant_type") == ["refresh_token"] and given.get("refresh_token") == [self.identity]
            if method == "POST"
            else authorization == f"Basic {basic}"
        )
        everybody = not authorization and all(scope.startswith("repository:public/") for scope in scopes)
        if not known and not everybody:
            body = json.dumps({"errors": [{"code": "DENIED", "message": "incorrect username or password"}]})
            return 401, body.encode(), {}
        scopes = [scope.rpartition(":")[0] + ":pull" for scope in scopes]
        return 200, json.dumps({self.named: self.token(*scopes), "expires_in": 300}).encode(), {}

    def __enter__(self) -> Self:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments: Any) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                given = parse_qs(body if self.command == "POST" else urlsplit(self.path).query)
                status, content, headers = service.answer(self.command, given, self.headers.get("Authorization") or "")
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _serve  # noqa: N815 - what http.server looks for

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
