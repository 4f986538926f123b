# SPDX-License-Identifier: MIT
"""What `diff --against` names: a reference or a folder, and what clones there are that do not have it."""

from typing import Any

import pytest
from dulwich.refs import Ref
from dulwich.reftable import ReftableRefsContainer
from dulwich.repo import Repo

from tests.unit.deploymentizer.clones import DATA, commit, words
from tests.unit.deploymentizer.workshop import Workshop


@pytest.fixture
def fleet(workshop: Workshop) -> Workshop:
    """A repository with two commits, in which `word` is `one` and `two`."""
    workshop.app(DATA)
    for word in ("one", "two"):
        words(workshop, word)
        commit(workshop.folder)
    return workshop


def against(fleet: Workshop, reference: str) -> str:
    result = fleet.run("diff", "--against", reference)
    assert result.code == 0, result.log
    return result.out + result.log


def test_at_is_head(fleet: Workshop) -> None:
    assert "No manifest differs from @." in against(fleet, "@")
    for reference in ("@~1", "@^", "HEAD^"):
        assert "-  a: 'one'" in against(fleet, reference)
    assert "No manifest differs from @...." in against(fleet, "@...")


def test_of_a_reference_and_a_folder_of_one_name_the_reference_is_taken(fleet: Workshop) -> None:
    """A pull request may bring a folder of any name, with what nobody is to see as changed in it."""
    words(fleet, "three")
    fleet.run()
    for name in ("main", "main..."):
        (fleet.folder / "generated").rename(fleet.folder / name)
        told = against(fleet, name)
        assert "-  a: 'two'" in told
        assert f"{name} is compared as a git reference; the folder of that name would be ./{name}." in told
        for folder in (f"./{name}", f"{name}/", str(fleet.folder / name)):
            told = against(fleet, folder)
            assert "No manifest differs" in told
            assert "git reference" not in told
        (fleet.folder / name).rename(fleet.folder / "generated")


def test_a_folder_is_taken_where_no_reference_has_its_name(fleet: Workshop) -> None:
    fleet.run()
    assert "No manifest differs from generated." in against(fleet, "generated")


@pytest.mark.parametrize("arguments", [(), ("--against", "HEAD"), ("--against", "main...")])
def test_a_clone_without_a_commit(workshop: Workshop, arguments: tuple[str, ...]) -> None:
    workshop.app(DATA)
    Repo.init(workshop.folder).close()
    result = workshop.run("diff", *arguments)
    assert result.code == 2
    assert "there is no commit " in result.log
    assert "nothing has been committed in this clone yet" in result.log


def test_a_shallow_clone_says_so(fleet: Workshop) -> None:
    with Repo(fleet.folder) as repo:
        (fleet.folder / ".git/shallow").write_bytes(repo.head() + b"\n")
    assert "No manifest differs" in against(fleet, "HEAD")
    for reference in ("origin/main", "origin/main..."):
        result = fleet.run("diff", "--against", reference)
        assert result.code == 2
        assert f"there is no commit {reference}: the clone is shallow: it holds the last commits only" in result.log
        assert "fetch-depth: 0" in result.log


def test_references_in_a_reftable(fleet: Workshop) -> None:
    git = fleet.folder / ".git"
    with Repo(fleet.folder) as repo:
        head = repo.head()
        config = repo.get_config()
        config.set("core", "repositoryformatversion", "1")
        config.set("extensions", "refstorage", "reftable")
        config.write_to_path()
    table: Any = ReftableRefsContainer(str(git))
    table[Ref(b"refs/heads/other")] = head
    table.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/other"))
    (git / "HEAD").write_text("ref: refs/heads/.invalid\n")  # what git leaves there
    for reference in ("other", "HEAD"):
        assert "No manifest differs" in against(fleet, reference)


@pytest.mark.parametrize(
    "config",
    [
        "[core]\n\trepositoryformatversion = 9\n",
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnoSuch = true\n",
    ],
)
def test_a_clone_of_a_newer_kind_is_told(fleet: Workshop, config: str) -> None:
    (fleet.folder / ".git/config").write_text(config)
    result = fleet.run("diff")
    assert result.code == 2, result.log
    assert "the git clone cannot be read" in result.log
    assert "fault of kit" not in result.log
