# SPDX-License-Identifier: MIT
"""The deployments repository over ssh: what a run needs to get in."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.ssh import KeyPair, SshServer
from tests.git.cutter import Cutter
from tests.git.deployments import Deployments, Run

AS_ASKED = 'exec sh -c \\"$SSH_ORIGINAL_COMMAND\\"'


@dataclass(frozen=True)
class Ssh:
    """The repository over ssh, with a key that may push and a server that is known."""

    deployments: Deployments
    server: SshServer
    key: KeyPair

    def settings(self, *, plain: bool = False, relay: Cutter | None = None) -> dict[str, str]:
        """For the port that lets GIT_PROTOCOL pass, the plain one, or a relay."""
        settings = {
            "KIT_GIT_URL": self.server.url(self.deployments.repository, plain=plain),
            "KIT_GIT_SSH_KEY": self.key.private,
            "KIT_GIT_SSH_KNOWN_HOSTS": self.server.known_hosts(plain=plain),
            "KIT_DEADLINE": "60",
        }
        if relay is not None:
            settings["KIT_GIT_URL"] = f"ssh://git@127.0.0.1:{relay.port}{self.deployments.repository.path}"
            settings["KIT_GIT_SSH_KNOWN_HOSTS"] = f"[127.0.0.1]:{relay.port} {self.server.host_key()}"
        return settings

    def run(self, *, plain: bool = False, relay: Cutter | None = None, **others: str) -> Run:
        """The step, in this process."""
        return self.deployments.run(**{**self.settings(plain=plain, relay=relay), **others})

    def asked(self) -> list[str]:
        """What was asked about this repository: service and version."""
        name = f"'{self.deployments.repository.path}'"
        lines = self.server.container.execute("cat", "/tmp/asked").stdout.splitlines()
        return [line.replace(f" {name}", "") for line in lines if name in line]
