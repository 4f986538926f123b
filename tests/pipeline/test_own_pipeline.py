# SPDX-License-Identifier: MIT
"""kit's own pipeline, run by kit: what codeship-services.yml and codeship-steps.yml say of building, checking and
pushing the images holds on a real engine and a registry that wants a password.

Nothing of it but what this machine cannot have is replaced: the base image and where packages come from, the registry's
address, and `make lint` and `make test-unit`, which have a build of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from dulwich import porcelain
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

from images.build import ROOT, build_all, tags
from kit_core.envfile import encrypt
from kit_core.keys import Key
from kit_core.version import VERSION
from kit_pipeline.template import fill
from testbed.baseimage import build_arguments, ensure_base
from testbed.bed import Testbed
from testbed.docker import docker
from testbed.guarded import GuardedRegistry, with_password

NAMES = {"kit-image-deployer", "kit-deploymentizer", "kit-deployer", "kit-pipeline"}
QUICK = "test -f images/recipe/step.py"
"""Instead of the long checks; it fails unless the repository is mounted where the services file says."""


@dataclass(frozen=True)
class Clone:
    """A clone of this repository, fitted to this machine, and the registry that its pipeline pushes to."""

    folder: Path
    registry: GuardedRegistry

    def steps(self, tag: str) -> str:
        """Run the pipeline as the build of a branch or a tag; it has to pass. What it said."""
        command = [sys.executable, "-m", "kit_pipeline", "steps", "--tag", tag, "--push"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "steps")}
        environment |= {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert self.registry.password not in done.stdout
        return done.stdout

    def pushed(self, name: str) -> set[str]:
        """The tags that the registry has of an image."""
        trust = ssl.create_default_context(cadata=self.registry.certificate_authority)
        address = f"https://{self.registry.outside}/v2/kit/{name}/tags/list"
        asked = urllib.request.Request(address, headers={"Authorization": f"Basic {_login(self.registry)}"})
        with urllib.request.urlopen(asked, timeout=30, context=trust) as answer:
            return set(json.load(answer)["tags"])

    @contextmanager
    def pulled(self, name: str, tag: str, folder: Path) -> Iterator[str]:
        """An image, pulled from the registry as its users pull it."""
        (folder / "config.json").write_text(_logins(self.registry), "utf-8")
        reference = f"{self.registry.outside}/kit/{name}:{tag}"
        docker("--config", str(folder), "pull", "--quiet", reference, timeout=120)
        try:
            yield reference
        finally:
            docker("image", "rm", "--no-prune", reference, check=False)


@pytest.fixture(scope="module")
def clone(bed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    build_all(lambda _: None)  # the pipeline then finds their layers in the engine
    folder = tmp_path_factory.mktemp("own") / "kit"
    _clone(folder)
    with with_password(bed.id, bed.image) as registry:
        _fit(folder, registry, ensure_base(lambda _: None))
        yield Clone(folder, registry)
    project = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    made = docker("image", "ls", "--format", "{{.Repository}}", f"kit-pipeline/{project}/*").stdout.split()
    docker("image", "rm", "--no-prune", *made, check=False)
    assert len(made) == len(NAMES), "the images that the pipeline built were to be removed"


def test_master_pushes_the_newest_images(clone: Clone, tmp_path: Path) -> None:
    said = clone.steps("master")

    assert "lint" in said
    for name in NAMES:
        assert clone.pushed(name) == {"edge"}, said
        with clone.pulled(name, "edge", tmp_path) as image:
            assert docker("run", "--rm", image, "--version").stdout.startswith(f"{name} {VERSION}")
        assert name in said


def test_the_tag_of_a_release_pushes_all_tags_that_people_pin(clone: Clone, tmp_path: Path) -> None:
    """`v1.20.3` is 1.20.3, 1.20 and 1: those who pin 1.20 get the fix."""
    with Repo(str(clone.folder)) as repository:
        commit = repository.head().decode()
        porcelain.tag_create(repository, b"v1.20.3", message=b"A release", annotated=True, author=b"Ada <ada@kit>")

    clone.steps("v1.20.3")

    for name in NAMES:
        assert clone.pushed(name) - {"edge"} == {"1.20.3", "1.20", "1"}
        for tag in ("1.20.3", "1"):
            with clone.pulled(name, tag, tmp_path) as image:
                labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", image).stdout)
                assert labels["org.opencontainers.image.version"] == "v1.20.3"
                assert labels["org.opencontainers.image.revision"] == commit


def test_the_release_of_today_gets_the_tags_that_make_images_gives() -> None:
    """One digit in the middle, where the other release has two."""
    groups = yaml.safe_load((ROOT / "codeship-steps.yml").read_text("utf-8"))
    (release,) = (group for group in groups if group["name"] == "push release")

    found = {
        (step["service"], fill(step["image_tag"], {"Branch": f"v{VERSION}"}, name="")) for step in release["steps"]
    }

    assert found == {(name, tag) for name in NAMES for tag in tags(VERSION) if tag != "edge"}


def _clone(folder: Path) -> None:
    """The commit that is checked out here, on master, whatever branch or none is checked out; with what is not
    committed yet, since that is what is being tested.
    """
    with Repo(str(ROOT)) as here:
        head = here.head()
    with porcelain.clone(str(ROOT), str(folder), checkout=False, errstream=porcelain.NoneStream()) as copy:
        copy.refs[Ref(b"refs/heads/master")] = head
        copy.refs.set_symbolic_ref(HEADREF, Ref(b"refs/heads/master"))
        porcelain.reset(copy, "hard")
    for name in ("images", "steps", "locks"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("codeship-services.yml", "codeship-steps.yml", "pyproject.toml", ".dockerignore"):
        shutil.copy(ROOT / name, folder / name)


def _fit(folder: Path, registry: GuardedRegistry, base: str) -> None:
    """Put in what this machine has in place of what the internet has."""
    names = [name for name in build_arguments()[1::2] if not name.startswith("GO")]
    given = {"BASE": base, **{name: os.environ[name] for name in names}}
    lines = "".join(f"\n      {name}: {json.dumps(value)}" for name, value in given.items())
    _replace(
        folder / "codeship-services.yml", {"args: &args": f"args: &args{lines}", "image: python:3.13": f"image: {base}"}
    )
    _replace(folder / "codeship-steps.yml", {"make lint": QUICK, "make test-unit": QUICK})
    steps = folder / "codeship-steps.yml"
    steps.write_text(steps.read_text("utf-8").replace("registry.example.com", registry.outside), "utf-8")
    key = Key(os.urandom(32))
    (folder / "codeship.aes").write_text(key.text, "utf-8")
    (folder / "dockercfg.encrypted").write_bytes(encrypt(_logins(registry).encode(), key))


def _replace(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
        text = text.replace(old, new)
    file.write_text(text, "utf-8")


def _login(registry: GuardedRegistry) -> str:
    return b64encode(f"{registry.username}:{registry.password}".encode()).decode()


def _logins(registry: GuardedRegistry) -> str:
    """What `docker login` would have written."""
    return json.dumps({"auths": {registry.outside: {"auth": _login(registry)}}})
