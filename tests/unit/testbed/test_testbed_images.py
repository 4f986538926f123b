# SPDX-License-Identifier: MIT
"""An image is built anew when, and only when, something that it is made of changed."""

from pathlib import Path

import pytest

from testbed.baseimage import build_arguments, find_mirrors
from testbed.errors import TestbedError
from testbed.images import Recipe, step_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "inner/file").write_text("one\n")
    return tmp_path


def reference(folder: Path, **more: object) -> str:
    return Recipe(name="image", folder=folder, **more).reference  # type: ignore[arg-type]


def test_reference_follows_content_name_and_mode_of_the_files(folder: Path) -> None:
    seen = {reference(folder)}
    (folder / "inner/file").write_text("two\n")
    seen.add(reference(folder))
    (folder / "inner/file").rename(folder / "inner/other")
    seen.add(reference(folder))
    (folder / "inner/other").chmod(0o755)
    seen.add(reference(folder))
    assert len(seen) == 4
    assert reference(folder) in seen


def test_reference_follows_the_images_it_takes_parts_from_but_not_ignored_folders(folder: Path, tmp_path: Path) -> None:
    part = Recipe(name="part", folder=folder / "inner")
    before = reference(folder, takes={"PART": part}, ignored=("inner",))
    alone = reference(folder, ignored=("inner",))
    (folder / "inner/file").write_text("two\n")
    assert reference(folder, ignored=("inner",)) == alone
    assert reference(folder, takes={"PART": part}, ignored=("inner",)) != before


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("Step 3/15 : RUN apt-get update   && true", "step 3/15: RUN apt-get update && true"),
        ("#9 [build 4/7] COPY go.mod go.sum ./", "step 4/7: COPY go.mod go.sum ./"),
        ("#5 [1/6] FROM docker.io/library/debian", "step 1/6: FROM docker.io/library/debian"),
        ("Step 2/15 : ARG BASE", None),
        (" ---> 4a46dfd1b281", None),
        ("#9 0.123 Step by step", None),
    ],
)
def test_steps_are_read_from_both_builders(line: str, step: str | None) -> None:
    assert step_of(line) == step


ONE_LINE = """
# deb https://old.example.org/debian bookworm main
deb [signed-by=/usr/share/keyrings/x.gpg] https://mirror.example.org/debian/ bookworm main contrib
deb https://mirror.example.org/debian bookworm-updates main
deb https://security.example.org/debian-security bookworm-security main
deb https://tools.example.org/apt stable-tools main
"""
STANZAS = """
Types: deb
# http://snapshot.example.org/archive
URIs: https://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb deb-src
URIs: https://security.example.org/debian-security
Suites: bookworm-security
"""


@pytest.mark.parametrize("sources", [ONE_LINE, STANZAS])
def test_mirrors_are_found_in_both_formats(sources: str) -> None:
    assert find_mirrors(sources) == (
        "https://mirror.example.org/debian",
        "https://security.example.org/debian-security",
    )


def test_no_mirror_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(TestbedError, match="KIT_BASE_IMAGE"):
        find_mirrors("deb https://tools.example.org/apt tools main")


def test_machine_settings_reach_a_build_by_name_only() -> None:
    options = build_arguments({"HTTPS_PROXY": "http://user:secret@proxy:3128", "GOPROXY": "", "HOME": "/root"})
    assert options == ["--build-arg", "HTTPS_PROXY"]
