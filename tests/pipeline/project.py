# SPDX-License-Identifier: MIT
"""A repository with a pipeline, and kit-pipeline run in it, in this process, on the real engine."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit_core.entry import main
from kit_pipeline.cli import STEP
from testbed.baseimage import PUBLISHED
from testbed.docker import docker

PIPELINES = Path(__file__).parent / "pipelines"
REGISTRY = "registry.example.com"
BROKEN = "broken"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Done:
    """How a command ended. `out` is its standard output, `log` what it and the containers said."""

    code: int
    out: str
    log: str

    def said(self, prefix: str) -> list[str]:
        """What was printed in the name of a step or a service."""
        return re.findall(rf"^{re.escape(prefix)} +\| (.*)$", self.log, re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """The repository. Its files name the public base image and a public registry; they get those that are here."""

    folder: Path
    base: str
    registry: str = REGISTRY
    env: Mapping[str, str] = field(default_factory=dict)

    def copied(self, name: str, *, broken: bool = False) -> Project:
        """With the files of one of the pipelines, and those of its broken twin over them."""
        source = PIPELINES / name
        shutil.copytree(source, self.folder, dirs_exist_ok=True, ignore=lambda _folder, names: {BROKEN} & set(names))
        if broken:
            shutil.copytree(source / BROKEN, self.folder, dirs_exist_ok=True)
        for path in self.folder.rglob("*"):
            if path.is_file():
                path.write_text(self._ours(path.read_text()))
        return self

    def write(self, files: Mapping[str, str]) -> Project:
        """With these files."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._ours(text))
        return self

    def pipeline(self, services: str, steps: str) -> Project:
        """With these two files."""
        return self.write({"codeship-services.yml": services, "codeship-steps.yml": steps})

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def encrypted(self, name: str, text: str) -> Project:
        """With a file that is encrypted, as people do it."""
        plain = self.folder / ".plain"
        plain.write_text(self._ours(text))
        if not (self.folder / "codeship.aes").exists():
            assert self.kit("generate").code == 0
        done = self.kit("encrypt", plain.name, name)
        assert done.code == 0, done.log
        plain.unlink()
        return self

    def kit(self, *arguments: str, **env: str) -> Done:
        """Run the program, as it is run in the repository's folder."""
        out, log = io.StringIO(), io.StringIO()
        given = {"PATH": os.environ["PATH"], **{k: v for k, v in os.environ.items() if k.startswith("DOCKER_")}}
        with contextlib.redirect_stderr(log):
            code = main(STEP, arguments, {**given, **self.env, **env}, stdout=out, stderr=log, cwd=self.folder)
        return Done(code, out.getvalue(), log.getvalue())

    def steps(self, *arguments: str, **env: str) -> Done:
        """`kit-pipeline steps` in the build of a commit."""
        build = ("--ci-branch", "master", "--ci-commit-id", COMMIT)
        return self.kit("steps", *build, *arguments, **env)

    def green(self, *arguments: str, **env: str) -> Done:
        """The same; it has to end well."""
        done = self.steps(*arguments, **env)
        assert done.code == 0, done.log
        return done

    def images(self) -> list[str]:
        """What was built of it, by name."""
        mark = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]
        names = docker("image", "ls", "--format", "{{.Repository}}", f"kit-pipeline/{mark}/*").stdout
        return sorted(set(names.split()))

    def remove(self) -> None:
        """Remove the images, and what containers have left in the folder."""
        if images := self.images():
            docker("image", "rm", "--force", *images)
        if os.geteuid() and any(self.folder.iterdir()):
            mount = ("-v", f"{self.folder}:/folder")
            docker("run", "--rm", *mount, self.base, "find", "/folder", "-mindepth", "1", "-delete", check=False)

    def _ours(self, text: str) -> str:
        return text.replace(PUBLISHED, self.base).replace(REGISTRY, self.registry)
