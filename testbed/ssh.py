# SPDX-License-Identifier: MIT
"""git over ssh and over git's own protocol: OpenSSH and `git daemon`, serving the repositories of the git server.

No other part needs it: who does starts it and stops it again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed import git
from testbed.container import Container
from testbed.docker import docker
from testbed.git import GitRepository

USER = "git"
_FOLDER = "/run/kit/ssh"


@dataclass(frozen=True)
class KeyPair:
    """A key that ssh-keygen made: the private half's file and the public half's line."""

    private: str
    public: str


@dataclass(frozen=True)
class SshServer:
    """The server: `port` lets GIT_PROTOCOL pass, `plain_port` does not; git's own protocol is at `git_port`."""

    container: Container
    port: int
    plain_port: int
    git_port: int

    def url(self, repository: GitRepository, *, plain: bool = False) -> str:
        """A repository's ssh address on this machine."""
        return f"ssh://{USER}@127.0.0.1:{self.plain_port if plain else self.port}{repository.path}"

    def git_url(self, repository: GitRepository) -> str:
        """A repository's git:// address on this machine."""
        return f"git://127.0.0.1:{self.git_port}/{repository.name}.git"

    def url_inside(self, repository: GitRepository) -> str:
        """Its short address in the testbed's network; the path begins in the user's home folder."""
        return f"{USER}@{self.container.part}:{repository.name}.git"

    def host_key(self, kind: str = "ed25519") -> str:
        """The server's public key of that kind (ed25519, ecdsa, rsa): type and base64."""
        line = self.container.execute("cat", f"{_FOLDER}/ssh_host_{kind}_key.pub").stdout
        return " ".join(line.split()[:2])

    def authority(self) -> str:
        """The public key that signed the server's certificate, which is for its addresses here and in the network."""
        return " ".join(self.container.execute("cat", f"{_FOLDER}/authority.pub").stdout.split()[:2])

    def known_hosts(self, *, plain: bool = False) -> str:
        """A line of a known_hosts file for its address on this machine."""
        return f"[127.0.0.1]:{self.plain_port if plain else self.port} {self.host_key()}"

    def make_key(self, *options: str, passphrase: str = "") -> KeyPair:
        """Make a key pair with these options of ssh-keygen (`-t rsa -m PEM`); the server keeps neither half."""
        file = f"/tmp/key-{secrets.token_hex(4)}"
        self.container.execute("ssh-keygen", "-q", "-C", "", "-N", passphrase, "-f", file, *options)
        private = self.container.execute("cat", file).stdout
        public = self.container.execute("cat", f"{file}.pub").stdout.strip()
        self.container.execute("rm", file, f"{file}.pub")
        return KeyPair(private, public)

    def allow(self, key: KeyPair, options: str = "") -> None:
        """Let a key in; `options` are those of an authorized_keys line (`command="…"`)."""
        line = f"{options} {key.public}".strip() + "\n"
        self.container.execute("sh", "-c", f"cat >> {_FOLDER}/authorized_keys", stdin=line)


@contextmanager
def running(bed: str, image: str) -> Iterator[SshServer]:
    """The server, beside a testbed's git server."""
    container = Container(bed, f"ssh-{os.getpid()}")
    try:
        repositories = Container(bed, git.PART).volume("/srv/git")
        container.start(image, ["kit-ssh"], options=repositories, ports=[22, 2222, 9418])
        listening = " && ".join(f"ss -ltn | grep -q ':{port} '" for port in (22, 2222, 9418))
        container.await_true(listening, what="answer of the ssh server", limit=30)
        yield SshServer(container, container.port(22), container.port(2222), container.port(9418))
    finally:
        docker("rm", "--force", container.name, check=False)
