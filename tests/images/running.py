# SPDX-License-Identifier: MIT
"""Running a step image as a CI would: through the `docker` command.

Folders are made by containers and given back to whoever runs the tests, so that it matters neither who that is nor
where the engine runs them.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from images.build import IMAGES
from testbed.docker import docker

PACKAGES = {image.name: image.name.replace("-", "_") for image in IMAGES}
LABEL = f"kit.test.images={uuid4().hex}"
"""What is on every container of this run, so that none of them stays."""
ROOT = os.geteuid() == 0
"""Who may give files away does so; for anybody else a container does."""


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Image:
    """A built image, and ways to run it."""

    name: str
    reference: str
    folder: Path
    containers: list[str] = field(default_factory=list)

    @property
    def package(self) -> str:
        return PACKAGES[self.name]

    def run(
        self, *arguments: str, options: tuple[str, ...] = (), stdin: str | None = None, limit: float = 60
    ) -> Result:
        """`docker run --rm`, to its end."""
        command = ["docker", "run", "--rm", "--label", LABEL, *(("-i",) if stdin is not None else ()), *options]
        done = subprocess.run(
            [*command, self.reference, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def shell(self, script: str, *options: str) -> str:
        """What a shell script prints, started in place of the entrypoint; it has to succeed."""
        done = self.run("-c", script, options=("--entrypoint", "/bin/sh", *options))
        assert done.code == 0, done.text
        return done.out

    def start(self, *arguments: str, options: tuple[str, ...] = ()) -> str:
        """`docker run --detach`; returns the container's name. It is removed after the test."""
        name = f"kit-test-{uuid4().hex[:8]}"
        self.containers.append(name)
        docker("run", "--detach", "--label", LABEL, "--name", name, *options, self.reference, *arguments)
        return name

    def owned(self, uid: int, *, mode: int = 0o755, name: str = "work") -> Path:
        """A folder of the machine that belongs to this user and group."""
        path = self.folder / name
        path.mkdir()
        path.chmod(mode)
        self.give(path, uid)
        return path

    def write(self, path: Path, name: str, text: str, *, uid: int, mode: int = 0o644) -> None:
        """A file in such a folder, of the same or another owner."""
        target = path / name
        if ROOT:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
            os.chown(target, uid, uid)
            return
        inside = f"/folder/{target.relative_to(self.folder)}"
        script = (
            f"mkdir -p {Path(inside).parent} && cat > {inside} && chown {uid}:{uid} {inside} && chmod {mode:o} {inside}"
        )
        done = self.run("-c", script, options=("--entrypoint", "/bin/sh", "-v", f"{self.folder}:/folder"), stdin=text)
        assert done.code == 0, done.text

    def as_root(self, script: str) -> str:
        """A script as the container's root, with all that Docker gives it, on the test's folder."""
        return self.shell(script, "-v", f"{self.folder}:/folder")

    def give(self, path: Path, uid: int) -> None:
        """Make a file or folder this user's and group's."""
        if ROOT:
            os.chown(path, uid, uid)
        else:
            self.as_root(f"chown {uid}:{uid} /folder/{path.relative_to(self.folder)}")

    def remove(self) -> None:
        if self.containers:
            docker("rm", "--force", "--volumes", *self.containers, check=False)
        if not ROOT and any(self.folder.iterdir()):
            self.as_root("rm -rf /folder/* /folder/.[!.]*")


def eventually(
    check: Callable[[], bool], what: str, limit: float = 20, otherwise: Callable[[], str] = lambda: ""
) -> None:
    """Wait until something holds; fail with a sentence, and with what `otherwise` tells, after `limit` seconds."""
    end = time.monotonic() + limit
    while not check():
        assert time.monotonic() < end, f"waited {limit:.0f} s for {what}\n{otherwise()}"
        time.sleep(0.1)
