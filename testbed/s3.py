# SPDX-License-Identifier: MIT
"""A real S3 server, over http and over TLS by an authority of its own, and what lies in its buckets.

No other part needs it: who does starts it and stops it again.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed.container import Container
from testbed.docker import docker
from testbed.images import S3, ensure_image

_ROOT = "/srv/s3"
_HTTP, _HTTPS = 7070, 7443
# What it knows of its objects lies in a folder of its own: not every file system keeps extended attributes.
_SERVE = r"""
set -eu
mkdir -p /run/kit /srv/s3 /srv/known; cd /run/kit
{
  openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -days 3650 \
    -subj "/CN=S3 authority" -addext keyUsage=critical,keyCertSign -out ca.crt
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tls.key -subj /CN=s3 -out tls.csr
  printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\n' "$(hostname)" > tls.ext
  openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -days 3650 -extfile tls.ext -out tls.crt
} 2>/dev/null
export VGW_HEALTH=/health VGW_META_SIDECAR=/srv/known
versitygw --port :7443 --cert /run/kit/tls.crt --key /run/kit/tls.key posix /srv/s3 &
exec versitygw --port :7070 posix /srv/s3
"""


@dataclass(frozen=True)
class S3Server:
    """A server with one account. `url` and `tls_url` are its addresses on this machine, `inside` the one in the
    testbed's network; `certificate_authority` (PEM) signed its certificate.
    """

    container: Container
    url: str
    tls_url: str
    inside: str
    certificate_authority: str
    access_key: str
    secret_key: str

    def make_bucket(self) -> str:
        """A new, empty bucket; returns its name."""
        name = f"kit-{secrets.token_hex(6)}"
        self.container.execute("mkdir", f"{_ROOT}/{name}")
        return name

    def objects(self, bucket: str) -> dict[str, str]:
        """Every object of a bucket and its text, read from the server's disk."""
        each = 'for file; do printf "%s\\n" "$file"; base64 -w0 "$file"; echo; done'
        found = self.container.execute(
            "sh", "-c", f"cd {_ROOT}/{bucket} && find . -type f -exec sh -c '{each}' - {{}} +"
        )
        lines = found.stdout.splitlines()
        return {
            name.removeprefix("./"): base64.b64decode(text).decode()
            for name, text in zip(lines[::2], lines[1::2], strict=True)
        }


@contextmanager
def running(bed: str) -> Iterator[S3Server]:
    """A server in a testbed's network. Its image is built first, where it is not here."""
    image = ensure_image(S3, lambda _: None)
    container = Container(bed, f"s3-{os.getpid()}")
    keys = {"ROOT_ACCESS_KEY_ID": f"kit{secrets.token_hex(6)}", "ROOT_SECRET_ACCESS_KEY": secrets.token_urlsafe(20)}
    options = [part for name, value in keys.items() for part in ("--env", f"{name}={value}")]
    _remove(container)
    try:
        container.start(image, ["sh", "-c", _SERVE], options=options, ports=[_HTTP, _HTTPS])
        for scheme, port in (("http", _HTTP), ("https", _HTTPS)):
            asked = f"curl -skf {scheme}://127.0.0.1:{port}/health >/dev/null"
            container.await_true(asked, what="answer of the S3 server", limit=30)
        yield S3Server(
            container,
            url=f"http://127.0.0.1:{container.port(_HTTP)}",
            tls_url=f"https://localhost:{container.port(_HTTPS)}",
            inside=f"http://{container.part}:{_HTTP}",
            certificate_authority=container.execute("cat", "/run/kit/ca.crt").stdout,
            access_key=keys["ROOT_ACCESS_KEY_ID"],
            secret_key=keys["ROOT_SECRET_ACCESS_KEY"],
        )
    finally:
        _remove(container)


def _remove(container: Container) -> None:
    docker("rm", "--force", "--volumes", container.name, check=False)
