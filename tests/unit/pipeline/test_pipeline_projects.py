# SPDX-License-Identifier: MIT
"""What keeps the images of one repository apart from those of another."""

from pathlib import Path, PurePosixPath

from kit_pipeline.engine.labels import project_of
from kit_pipeline.engine.paths import Paths

REPO = PurePosixPath("/repo")


def test_two_repositories_mounted_at_one_path_share_nothing() -> None:
    one, other = (Paths({REPO: f"/home/{name}"}, contained=True, container=name) for name in ("one", "other"))
    assert project_of(Path("/repo"), one) != project_of(Path("/repo"), other)


def test_one_repository_is_the_same_in_every_container_and_outside_of_them() -> None:
    places = [
        project_of(Path("/repo"), Paths({REPO: "/home/one"}, contained=True, container="a")),
        project_of(Path("/repo"), Paths({REPO: "/home/one"}, contained=True, container="b")),
        project_of(Path("/home/one"), Paths()),
    ]
    assert len(set(places)) == 1


def test_what_lies_in_a_container_alone_is_that_container_s() -> None:
    one, other = (project_of(Path("/work"), Paths({}, contained=True, container=name)) for name in ("a", "b"))
    assert one != other
