# SPDX-License-Identifier: MIT
"""One container of a testbed: started, asked, watched, removed.

What belongs to a testbed is found by its labels, never by a file.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.docker import docker
from testbed.errors import TestbedError

LABEL = "kit.testbed"
"""Label with the testbed's id, on every container, network and volume of it."""
PART_LABEL = "kit.testbed.part"
OWNER_LABEL = "kit.testbed.owner"


@dataclass(frozen=True)
class Container:
    """A part's container. `part` is its host name in the testbed's network and what people call it."""

    bed: str
    part: str

    @property
    def name(self) -> str:
        """Docker's name of the container, unique on the machine."""
        return f"kit-{self.bed}-{self.part}"

    def start(
        self, image: str, command: Sequence[str], *, options: Sequence[str] = (), ports: Sequence[int] = ()
    ) -> None:
        """Start the container in the testbed's network, with `ports` published on free ports of 127.0.0.1."""
        published = [part for port in ports for part in ("--publish", f"127.0.0.1::{port}")]
        docker(
            "run", "--detach", "--name", self.name, "--hostname", self.part, "--network", network_name(self.bed),
            "--network-alias", self.part, "--label", f"{LABEL}={self.bed}", "--label", f"{PART_LABEL}={self.part}",
            *published, *options, image, *command,
        )  # fmt: skip

    def volume(self, path: str) -> list[str]:
        """Options for a volume at `path` that carries the testbed's label, so that it can be found and removed."""
        source = f"{self.name}{path.replace('/', '-')}"
        return ["--mount", f"type=volume,source={source},target={path},volume-label={LABEL}={self.bed}"]

    def port(self, inside: int) -> int:
        """The port of 127.0.0.1 at which the container's port is published."""
        return int(docker("port", self.name, str(inside)).stdout.splitlines()[0].rpartition(":")[2])

    def execute(
        self, *command: str, stdin: str | bytes | None = None, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the container. `timeout` in seconds; raises TestbedError on failure when `check` is set."""
        return docker(
            "exec", *(["--interactive"] if stdin is not None else []), self.name, *command,
            stdin=stdin, check=check, timeout=timeout,
        )  # fmt: skip

    def await_true(self, condition: str, *, what: str, limit: float) -> str:
        """Wait until a shell command succeeds in the container, at most `limit` seconds; return what it printed then.

        The error that is raised otherwise ends with the command's last words and the container's last log lines.
        """
        until = f"until {condition}; do [ $(date +%s) -lt $end ] || exit 9; sleep 0.1; done"
        loop = f"end=$(($(date +%s) + {limit:.0f})); {until}"
        done = self.execute("sh", "-c", loop, check=False, timeout=limit + 30)
        if done.returncode == 0:
            return done.stdout
        cause = f"after {limit:.0f} s" if done.returncode == 9 else "because its container ended"
        last = "\n".join([*done.stderr.strip().splitlines()[-1:], *self.logs(tail=25).splitlines()])
        raise TestbedError(f"{self.part}: no {what} {cause}; its last lines:\n{indented(last)}")

    def logs(self, tail: int | None = None) -> str:
        """What the container printed (the last lines of it)."""
        limit = [] if tail is None else ["--tail", str(tail)]
        done = docker("logs", *limit, self.name, check=False)
        return done.stdout + done.stderr

    def keep_logs(self, folder: Path) -> list[Path]:
        """Write what the container printed, and the logs of the programs in it, below `folder`; returns the files."""
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / f"{self.part}.log"
        written.write_text(self.logs())
        docker("cp", f"{self.name}:/var/log/kit", str(folder / self.part), check=False)
        return [written, *sorted((folder / self.part).glob("*.log"))]


def network_name(bed: str) -> str:
    """Docker's name of a testbed's network."""
    return f"kit-{bed}"


def indented(text: str) -> str:
    """The text, each line set in by two spaces."""
    return "\n".join("  " + line for line in text.splitlines())
