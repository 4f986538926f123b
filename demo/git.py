# SPDX-License-Identifier: MIT
"""git as a developer and a CI service have it: in a container of the testbed's image, so that the host needs none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.pipeline import Audience, Build, Remote, Silence
from demo.process import CommandFailed, Result, run


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who commits."""

    name: str
    email: str


class Workstation:
    """A container that stays up, in the network, with the work folder mounted where it is on the host."""

    def __init__(self, container: str, work: Path, audience: Audience | None = None) -> None:
        self.container = container
        self.work = work
        self.audience: Audience = audience or Silence()

    @classmethod
    def start(cls, *, name: str, image: str, network: str, work: Path, options: Sequence[str] = ()) -> Workstation:
        """Start it; `image` is any that has git."""
        user = f"{os.getuid()}:{os.getgid()}"
        command = ["docker", "run", "--rm", "-d", "--name", name, "--network", network, "--user", user, *options]
        command += [
            "-v",
            f"{work}:{work}",
            "-e",
            "HOME=/tmp",
            "-e",
            "GIT_TERMINAL_PROMPT=0",
            image,
            "sleep",
            "infinity",
        ]
        run(command, check=True)
        return cls(name, work)

    def stop(self) -> None:
        """Stop and remove it."""
        run(["docker", "rm", "-f", "-v", self.container])

    def git(self, folder: str, *arguments: str, author: Author | None = None, show: bool = False) -> Result:
        """Run git in a folder below the work folder; `show` tells the audience. Raises CommandFailed."""
        who = author or Author(name="nobody", email="nobody@shop.example")
        identity = ["-c", f"user.name={who.name}", "-c", f"user.email={who.email}", "-c", "init.defaultBranch=master"]
        if show:
            self.audience.command(["git", *(("-C", folder) if folder else ()), *arguments])
        command = ["docker", "exec", "-w", str(self.work / folder), self.container, "git", *identity, *arguments]
        result = run(command, listener=self.audience.output if show else None)
        if result.code:
            raise CommandFailed(result)
        return result

    def clone(self, remote: Remote, folder: str, branch: str = "master") -> None:
        """Clone a repository with its credentials, as a CI service does before the first step."""
        self.git("", "clone", "--quiet", "--branch", branch, remote.address, folder)

    def head(self, folder: str) -> Build:
        """The commit that is checked out, as a CI service tells it to its steps."""
        said = self.git(folder, "log", "-1", "--format=%H%n%an%n%ae%n%B").output
        commit, name, email, *message = said.split("\n")
        branch = self.git(folder, "rev-parse", "--abbrev-ref", "HEAD").output.strip()
        return Build(branch=branch, commit=commit, author=name, email=email, message="\n".join(message).strip())

    def commit(self, folder: str, message: str, author: Author, *, show: bool = False) -> Build:
        """Commit everything in a folder."""
        self.git(folder, "add", "--all")
        self.git(folder, "commit", "--quiet", "-m", message, author=author, show=show)
        return self.head(folder)
