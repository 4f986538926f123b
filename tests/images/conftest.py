# SPDX-License-Identifier: MIT
"""The contract of the step images, held against the images as they are built."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.build import IMAGES, build_all
from testbed.docker import docker
from tests.images.running import LABEL, Image


@pytest.fixture(scope="session")
def built(pytestconfig: pytest.Config) -> Iterator[dict[str, str]]:
    """Ids of the images, built from this work tree (quick when Docker has the layers).

    Ids, since another work tree on this machine gives its images the same names.
    """
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def progress(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", file=sys.stderr, flush=True)

    references = build_all(progress)
    yield {
        name: docker("image", "inspect", "--format", "{{.Id}}", made).stdout.strip()
        for name, made in references.items()
    }
    if left := docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").stdout.split():
        docker("rm", "--force", "--volumes", *left, check=False)


@pytest.fixture(params=[image.name for image in IMAGES])
def image(request: pytest.FixtureRequest, built: dict[str, str], tmp_path: Path) -> Iterator[Image]:
    """Each of the images in turn."""
    yield from _image(request.param, built, tmp_path)


@pytest.fixture
def deployer(built: dict[str, str], tmp_path: Path) -> Iterator[Image]:
    yield from _image("kit-deployer", built, tmp_path)


@pytest.fixture
def deploymentizer(built: dict[str, str], tmp_path: Path) -> Iterator[Image]:
    yield from _image("kit-deploymentizer", built, tmp_path)


@pytest.fixture
def pipeline(built: dict[str, str], tmp_path: Path) -> Iterator[Image]:
    yield from _image("kit-pipeline", built, tmp_path)


@pytest.fixture
def image_deployer(built: dict[str, str], tmp_path: Path) -> Iterator[Image]:
    yield from _image("kit-image-deployer", built, tmp_path)


def _image(name: str, built: dict[str, str], tmp_path: Path) -> Iterator[Image]:
    folder = tmp_path / "mounts"
    folder.mkdir()
    made = Image(name, built[name], folder)
    yield made
    made.remove()
