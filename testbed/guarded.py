# SPDX-License-Identifier: MIT
"""Further image registries, which ask for something first: a password over TLS, or a token from a token service.

No other part needs them: who does starts them and stops them again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed.container import Container
from testbed.docker import docker

USER = "kit"
SERVICE = "kit-registry"
ISSUER = "kit-tokens"

_WITH_PASSWORD = r"""
set -eu
mkdir -p /run/kit; cd /run/kit
hash=$(perl -e 'print crypt($ENV{REGISTRY_PASSWORD}, q($2b$05$) . $ENV{SALT})')
printf '%s:%s\n' "$REGISTRY_USER" "$hash" > htpasswd
{
  openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -days 3650 \
    -subj "/CN=registry authority" -addext keyUsage=critical,keyCertSign -out ca.crt
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tls.key \
    -subj /CN=registry -out tls.csr
  printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\n' "$(hostname)" > tls.ext
  openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -days 3650 -extfile tls.ext -out tls.crt
} 2>/dev/null
unset REGISTRY_PASSWORD
export REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM=kit REGISTRY_AUTH_HTPASSWD_PATH=/run/kit/htpasswd
export REGISTRY_HTTP_TLS_CERTIFICATE=/run/kit/tls.crt REGISTRY_HTTP_TLS_KEY=/run/kit/tls.key
exec docker-registry serve /etc/kit/registry.yml
"""

_WITH_TOKENS = r"""
set -eu
mkdir -p /run/kit
printf '%s' "$TOKEN_CERTIFICATE" > /run/kit/tokens.crt
export REGISTRY_AUTH=token REGISTRY_AUTH_TOKEN_REALM="$TOKEN_REALM" REGISTRY_AUTH_TOKEN_SERVICE="$TOKEN_SERVICE"
export REGISTRY_AUTH_TOKEN_ISSUER="$TOKEN_ISSUER" REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE=/run/kit/tokens.crt
exec docker-registry serve /etc/kit/registry.yml
"""


@dataclass(frozen=True)
class GuardedRegistry:
    """A registry: `outside` is its name on this machine. `certificate_authority` (PEM) signed its certificate, or it
    is empty for plain http. `username` and `password` open it, where it takes them itself.
    """

    container: Container
    outside: str
    certificate_authority: str = ""
    username: str = USER
    password: str = ""


@contextmanager
def with_password(bed: str, image: str) -> Iterator[GuardedRegistry]:
    """A registry with basic authentication and TLS, by an authority of its own."""
    container = Container(bed, _called("registry-password"))
    password = secrets.token_urlsafe(12)
    salt = secrets.token_hex(11)[:21] + "u"  # of the letters and digits that bcrypt knows, ended as it ends one
    given = {"REGISTRY_USER": USER, "REGISTRY_PASSWORD": password, "SALT": salt}
    with _running(container, image, _WITH_PASSWORD, given):
        asked = "[ $(curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:5000/v2/) = 401 ]"
        container.await_true(asked, what="answer of the registry", limit=30)
        authority = container.execute("cat", "/run/kit/ca.crt").stdout
        yield GuardedRegistry(container, f"localhost:{container.port(5000)}", authority, password=password)


@contextmanager
def with_tokens(bed: str, image: str, *, realm: str, certificate: str) -> Iterator[GuardedRegistry]:
    """A registry that sends who asks to the token service at `realm`, and believes what `certificate` (PEM) signed."""
    container = Container(bed, _called("registry-token"))
    given = {
        "TOKEN_CERTIFICATE": certificate, "TOKEN_REALM": realm, "TOKEN_SERVICE": SERVICE, "TOKEN_ISSUER": ISSUER,
    }  # fmt: skip
    with _running(container, image, _WITH_TOKENS, given):
        asked = "[ $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:5000/v2/) = 401 ]"
        container.await_true(asked, what="answer of the registry", limit=30)
        yield GuardedRegistry(container, f"localhost:{container.port(5000)}")


def _called(kind: str) -> str:
    """A name that no other registry of this testbed has, nor a second one of this process."""
    return f"{kind}-{os.getpid()}-{secrets.token_hex(3)}"


@contextmanager
def _running(container: Container, image: str, script: str, given: dict[str, str]) -> Iterator[None]:
    options = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    _remove(container)
    container.start(image, ["sh", "-c", script], options=options, ports=[5000])
    try:
        yield
    finally:
        _remove(container)


def _remove(container: Container) -> None:
    docker("rm", "--force", "--volumes", container.name, check=False)
