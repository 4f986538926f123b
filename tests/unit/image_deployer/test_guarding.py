# SPDX-License-Identifier: MIT
"""When the guard is on, and what it takes from settings, the CI and the service's repository."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from dulwich.objects import Commit, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from kit_core.errors import InputError
from kit_image_deployer.change import Change
from kit_image_deployer.guard.guarding import guarded_by, guarding
from kit_image_deployer.guard.policy import Build, Guard
from kit_image_deployer.message.commit import Origin

CI = {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/shop/cart", "CI_PIPELINE_IID": "42"}


@pytest.fixture
def service(tmp_path: Path) -> tuple[Path, str]:
    """A checkout of one commit, and its id."""
    folder = tmp_path / "service"
    with closing(Repo.init(str(folder), mkdir=True)) as repo:
        tree, commit = Tree(), Commit()
        commit.tree = tree.id
        commit.author = commit.committer = b"A <a@example.com>"
        commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"First\n"
        repo.object_store.add_object(tree)
        repo.object_store.add_object(commit)
        repo.refs[Ref(b"HEAD")] = commit.id
    return folder, commit.id.decode()


def guard(
    env: Mapping[str, str],
    *,
    number: str | None = None,
    source: str | None = None,
    folder: Path | None = None,
    commit: str | None = None,
) -> Guard | None:
    with guarding(number=number, source=source, folder=folder, commit=commit, allow_downgrade=False, env=env) as found:
        return found


def test_only_where_it_is_asked_for() -> None:
    assert guard(CI) is None
    assert guard(CI, source="jenkins shop/cart", commit="a" * 40) is None


def test_by_number_alone() -> None:
    found = guard(CI, number="007", commit="ABC1234")
    assert found is not None
    assert found.build == Build(commit="abc1234", number="7", source="gitlab gitlab.com/shop/cart")
    assert found.relate is None
    named = guard(CI, number="7", source="ours")
    assert named is not None
    assert named.build == Build(number="7", source="ours")


def test_a_number_of_nobody_knows_what_is_refused() -> None:
    with pytest.raises(InputError, match="KIT_BUILD_SOURCE is missing"):
        guard({}, number="7")


def test_with_the_services_folder_the_ci_counts(service: tuple[Path, str]) -> None:
    folder, commit = service
    found = guard(CI, folder=folder, commit=commit[:9])
    assert found is not None
    assert found.build == Build(commit=commit, number="42", source="gitlab gitlab.com/shop/cart")
    assert found.relate is not None
    nameless = guard({}, folder=folder)
    assert nameless is not None
    assert nameless.build == Build(commit=commit)  # what is checked out
    codeship = guard({"CI_NAME": "codeship", "CI_REPO_NAME": "cart", "CI_BUILD_ID": "0f-1"}, folder=folder)
    assert codeship is not None
    assert codeship.build.number is None  # an id is no number


def test_a_commit_that_is_not_in_the_folder_stays_what_it_is(service: tuple[Path, str]) -> None:
    found = guard(CI, folder=service[0], commit="d" * 40)
    assert found is not None
    assert found.build.commit == "d" * 40


def test_the_commits_trailer_is_known_from_the_checkout() -> None:
    built = Guard(build=Build(commit="c" * 40))
    change = Change(author="A <a@b>", time=0, origin=Origin())
    guarded = guarded_by(change, built)
    assert guarded.guard is built
    assert guarded.origin == Origin(source_commit="c" * 40)
    said = Change(author="A <a@b>", time=0, origin=Origin(source_commit="c00"))
    assert guarded_by(said, built).origin == said.origin
    assert guarded_by(change, None) == change
