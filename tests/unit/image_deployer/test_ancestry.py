# SPDX-License-Identifier: MIT
"""Which of two commits is newer, by parents alone: what a clone knows, and what it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dulwich.objects import Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo
from hypothesis import given, settings
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_image_deployer.guard.ancestry import SourceRepository
from kit_image_deployer.guard.policy import Order


class History:
    """A repository whose commits are made one by one; the clocks of their committers go backwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._repo = Repo.init(str(folder), mkdir=not folder.exists())
        self._tree = Tree()
        self._repo.object_store.add_object(self._tree)
        self._made = 0

    def commit(self, *parents: str) -> str:
        commit = Commit()
        commit.tree = self._tree.id
        commit.parents = [ObjectID(parent.encode()) for parent in parents]
        commit.author = commit.committer = b"A <a@example.com>"
        commit.author_time = commit.commit_time = 2_000_000_000 - 1000 * self._made
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"%d" % self._made
        self._made += 1
        self._repo.object_store.add_object(commit)
        return commit.id.decode()

    def check_out(self, commit: str) -> None:
        self._repo.refs[Ref(b"HEAD")] = ObjectID(commit.encode())

    def shallow(self, *commits: str) -> None:
        (self.folder / ".git" / "shallow").write_text("".join(f"{commit}\n" for commit in commits))

    def forget(self, commit: str) -> None:
        (self.folder / ".git" / "objects" / commit[:2] / commit[2:]).unlink()

    def order(self, ours: str, recorded: str) -> Order:
        source = SourceRepository(self.folder)
        try:
            return source.order(ours, recorded)
        finally:
            source.close()

    def close(self) -> None:
        self._repo.close()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "service")
    yield made
    made.close()


def test_a_line_of_commits(history: History) -> None:
    first = history.commit()
    second = history.commit(first)
    third = history.commit(second)
    assert history.order(first, third) == "newer"
    assert history.order(third, first) == "older"
    assert history.order(second, second) == "same"


def test_branches_and_merges(history: History) -> None:
    base = history.commit()
    left, right = history.commit(base), history.commit(base)
    merged = history.commit(left, right)
    assert history.order(left, right) == "apart"
    assert history.order(right, merged) == "newer"
    assert history.order(merged, base) == "older"
    assert history.order(history.commit(), merged) == "apart"


def test_commits_by_their_beginning(history: History) -> None:
    first = history.commit()
    second = history.commit(first)
    assert history.order(first[:10].upper(), second[:7]) == "newer"
    assert history.order(first, "0" * 40) == "unknown"
    assert history.order("0000000", second) == "unknown"
    tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # it is there, and no commit
    assert history.order(first, tree) == history.order(tree[:9], first) == "unknown"


def test_a_shallow_clone_tells_what_it_can(history: History) -> None:
    commits = [history.commit()]
    for _ in range(5):
        commits.append(history.commit(commits[-1]))
    side = history.commit(commits[2])
    history.shallow(commits[3], side)
    for gone in commits[:3]:
        history.forget(gone)
    assert history.order(commits[3], commits[5]) == "newer"
    assert history.order(commits[5], commits[4]) == "older"
    assert history.order(commits[5], commits[1]) == "unknown"  # the recorded one is not here
    assert history.order(side, commits[5]) == "unknown"  # both are; their past is not


def test_a_history_with_holes_is_not_known(history: History) -> None:
    first = history.commit()
    second = history.commit(first)
    third = history.commit(second)
    other = history.commit()
    history.forget(second)
    assert history.order(first, third) == "unknown"
    assert history.order(third, other) == "unknown"


@settings(max_examples=40, deadline=None)
@given(parents=st.lists(st.lists(st.integers(0, 30), max_size=3), min_size=2, max_size=12), data=st.data())
def test_any_history(tmp_path_factory: pytest.TempPathFactory, parents: list[list[int]], data: st.DataObject) -> None:
    history = History(tmp_path_factory.mktemp("any"))
    commits: list[str] = []
    above: dict[str, set[str]] = {}
    for wanted in parents:
        chosen = list(dict.fromkeys(commits[number % len(commits)] for number in wanted)) if commits else []
        commit = history.commit(*chosen)
        above[commit] = {*chosen, *(older for parent in chosen for older in above[parent])}
        commits.append(commit)
    one, two = data.draw(st.sampled_from(commits)), data.draw(st.sampled_from(commits))
    expected = "same" if one == two else "older" if two in above[one] else "newer" if one in above[two] else "apart"
    assert history.order(one, two) == expected
    history.close()


def test_the_commit_that_is_checked_out(history: History) -> None:
    source = SourceRepository(history.folder)
    assert source.head() is None
    commit = history.commit()
    history.check_out(commit)
    (history.folder / "src").mkdir()
    below = SourceRepository(history.folder / "src")
    assert source.head() == below.head() == commit
    source.close()
    below.close()


def test_folders_that_hold_no_repository(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError) as refused:
            SourceRepository(folder)
        assert f"KIT_SOURCE_DIR={folder}" in str(refused.value)
    with Repo.init(str(tmp_path)) as repo:
        config = repo.get_config()
        config.set((b"core",), b"repositoryformatversion", b"1")
        config.set((b"extensions",), b"refstorage", b"reftable-of-tomorrow")
        config.write_to_path()
    with pytest.raises(InputError, match="of a kind that is not known"):
        SourceRepository(tmp_path)
