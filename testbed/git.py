# SPDX-License-Identifier: MIT
"""The git server: git's own http backend behind basic auth, over http and https (with an authority of its own)."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.container import Container

PART = "git"
USER = "kit"


@dataclass(frozen=True)
class GitRepository:
    """A bare repository on the server. The URLs carry no credentials; `username` and `password` open each of them."""

    container: Container
    name: str
    branch: str
    url_inside: str
    url_outside: str
    https_inside: str
    https_outside: str
    username: str
    password: str

    def git(self, *arguments: str, check: bool = True) -> str:
        """Run git in the bare repository, on the server; returns its standard output without the last line break."""
        return self.container.execute("git", "-C", self.path, *arguments, check=check).stdout.rstrip("\n")

    @property
    def path(self) -> str:
        """The repository's folder in the server's container."""
        return f"/srv/git/{self.name}.git"

    def head(self, branch: str | None = None) -> str:
        """The commit at the head of a branch."""
        return self.git("rev-parse", f"refs/heads/{branch or self.branch}")

    def read(self, path: str, revision: str | None = None) -> str:
        """The content of a file at a revision (the branch's head), byte for byte as far as it is UTF-8."""
        return self.container.execute(
            "git", "-C", self.path, "cat-file", "blob", f"{revision or self.branch}:{path}"
        ).stdout

    def commit(
        self,
        files: Mapping[str, str],
        *,
        remove: Sequence[str] = (),
        message: str = "Change by hand",
        branch: str | None = None,
    ) -> str:
        """Commit files (path to content) on top of a branch, as somebody else would by a push; returns the commit."""
        done = self.container.execute(
            "kit-git-commit", self.name, branch or self.branch, message, *remove, stdin=tar_of_files(files)
        )
        return done.stdout.strip()

    def hook(self, name: str, script: str) -> None:
        """Install a server-side hook (`pre-receive`, `update`, …)."""
        self.container.execute(
            "sh", "-c", f"cat > {self.path}/hooks/{name} && chmod +x {self.path}/hooks/{name}", stdin=script
        )

    def delete(self) -> None:
        """Remove the repository from the server."""
        self.container.execute("rm", "-rf", self.path)


@dataclass(frozen=True)
class GitServer:
    """The server; `certificate_authority` (PEM) is what signed the certificate of its https side."""

    container: Container
    http_port: int
    https_port: int
    password: str
    certificate_authority: str
    username: str = USER

    def create(
        self,
        name: str,
        *,
        from_dir: Path | None = None,
        files: Mapping[str, str] | None = None,
        branch: str = "master",
    ) -> GitRepository:
        """Create a repository whose first commit holds a folder's content, or the given files.

        Without either it is empty.
        """
        content = tar_of_folder(from_dir) if from_dir else tar_of_files(files) if files else b""
        self.container.execute("kit-git-create", name, branch, stdin=content)
        return GitRepository(
            container=self.container,
            name=name,
            branch=branch,
            url_inside=f"http://{PART}/{name}.git",
            url_outside=f"http://127.0.0.1:{self.http_port}/{name}.git",
            https_inside=f"https://{PART}/{name}.git",
            https_outside=f"https://localhost:{self.https_port}/{name}.git",
            username=self.username,
            password=self.password,
        )


def start(bed: str, image: str) -> GitServer:
    """Start the server's container and wait until it answers."""
    container = Container(bed, PART)
    options = ["--env", f"GIT_PASSWORD={secrets.token_urlsafe(12)}"]
    container.start(image, ["kit-git"], options=[*options, *container.volume("/srv/git")], ports=[80, 443])
    asked = "[ $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/) = 401 ]"
    container.await_true(asked, what="answer of the git server", limit=30)
    return attach(bed)


def attach(bed: str) -> GitServer:
    """The git server of a running testbed."""
    container = Container(bed, PART)
    told = container.execute("sh", "-c", 'printf "%s\\n" "$GIT_PASSWORD"; cat /run/kit/git-ca.crt').stdout
    password, _, authority = told.partition("\n")
    return GitServer(container, container.port(80), container.port(443), password, authority)


def tar_of_files(files: Mapping[str, str]) -> bytes:
    """A tar archive of files given as path to content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def tar_of_folder(folder: Path) -> bytes:
    """A tar archive of a folder's content, without a `.git` in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            if path.name != ".git":
                archive.add(path, arcname=path.name)
    return buffer.getvalue()
