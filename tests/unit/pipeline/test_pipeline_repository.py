# SPDX-License-Identifier: MIT
"""What a repository says of itself, held against git's own program over repositories of every shape."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kit_core.errors import InputError
from kit_pipeline.repository import read_facts

ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8",
    "GIT_AUTHOR_NAME": "Anna", "GIT_AUTHOR_EMAIL": "anna@example.com",
    "GIT_COMMITTER_NAME": "Bert O'Neil", "GIT_COMMITTER_EMAIL": "bert@example.com",
}  # fmt: skip


def git(folder: Path, *arguments: str, stdin: bytes = b"", date: int | None = None) -> str:
    env = ENV if date is None else {**ENV, "GIT_COMMITTER_DATE": f"@{date} +0000", "GIT_AUTHOR_DATE": f"@{date} +0000"}
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=env, input=stdin, capture_output=True, check=True)
    return done.stdout.decode(errors="replace").rstrip("\n")


def described(folder: Path) -> str:
    return git(folder, "describe", "--abbrev=1", "--tags", "--always")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "master")
    return folder


def commit(folder: Path, message: str = "one", date: int = 1_700_000_000) -> None:
    git(folder, "commit", "-q", "--allow-empty", "-m", message, date=date)


def history(seed: int) -> tuple[bytes, int]:
    """A random history for `git fast-import`: merges, equal and jumping dates, tags of both kinds, several on one."""
    chance = random.Random(seed)
    count = chance.randint(1, 40)
    out = []
    time = 1_700_000_000
    for number in range(1, count + 1):
        time += chance.choice([0, 0, 1, 60, -30])
        behind = list(range(max(1, number - chance.choice([1, 2, 8])), number))
        parents = chance.sample(behind, min(len(behind), chance.choice([1, 1, 1, 2, 3])))
        lines = [f"commit refs/c/{number}", f"mark :{number}", f"committer C <c@x> {time} +0000", "data 1", "x"]
        lines += [f"{'from' if index == 0 else 'merge'} :{parent}" for index, parent in enumerate(parents)]
        out.append("\n".join(lines) + "\n\n")
    for tag in range(chance.choice([0, 0, 1, 3, 8, 25])):
        name, target = f"t{chance.randint(0, 99)}-{tag}", chance.randint(1, count)
        if chance.random() < 0.5:
            when = 1_700_000_000 + chance.randint(0, 3)
            out.append(f"tag {name}\nfrom :{target}\ntagger T <t@x> {when} +0000\ndata 1\nx\n")
        else:
            out.append(f"reset refs/tags/{name}\nfrom :{target}\n\n")
    return "".join(out).encode(), count


@pytest.mark.parametrize("seed", range(40))
def test_the_description_is_gits(repository: Path, seed: int) -> None:
    """A wrong one would tag images with names that nobody finds again."""
    stream, count = history(seed)
    git(repository, "fast-import", "--quiet", stdin=stream)
    if seed % 2:
        git(repository, "pack-refs", "--all")
    if seed % 3 == 0:
        git(repository, "commit-graph", "write", "--reachable")
    for number in {count, (count + 1) // 2}:
        git(repository, "update-ref", "--no-deref", "HEAD", f"refs/c/{number}")
        facts = read_facts(repository)
        assert facts.description == described(repository), f"seed {seed}, commit {number}"
        assert facts.commit == git(repository, "rev-parse", "HEAD")


def test_a_tag_under_another_name_and_a_tag_of_a_tag(repository: Path) -> None:
    commit(repository)
    git(repository, "tag", "-a", "inner", "-m", "x", date=1_700_000_001)
    git(repository, "tag", "-a", "outer", "-m", "x", "inner", date=1_700_000_002)
    assert read_facts(repository).description == described(repository) == "outer"
    git(repository, "update-ref", "refs/tags/copy", "refs/tags/outer")
    git(repository, "tag", "-d", "outer")
    assert read_facts(repository).description == described(repository)
    commit(repository, "two")
    assert read_facts(repository).description == described(repository)


def test_short_names_are_as_long_as_they_must_be(repository: Path) -> None:
    """Among thousands of objects four letters are not enough."""
    blobs = "".join(f"blob\ndata {len(str(number))}\n{number}\n" for number in range(3000))
    git(repository, "fast-import", "--quiet", stdin=blobs.encode())
    for number in range(5):
        commit(repository, str(number))
        assert read_facts(repository).description == described(repository)


def test_what_a_commit_says(repository: Path) -> None:
    commit(repository, "Größe\n\nzwei\n")
    facts = read_facts(repository)
    assert (facts.branch, facts.message) == ("master", "Größe\n\nzwei")
    assert (facts.committer_name, facts.committer_email) == ("Bert O'Neil", "bert@example.com")
    git(repository, "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "--allow-empty", "-F", "-",
        stdin="Größe".encode("latin-1"))  # fmt: skip
    assert read_facts(repository).message == "Größe"


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    commit(repository)
    git(repository, "checkout", "-q", "-b", "feature/x")
    assert read_facts(repository).branch == "feature/x"
    git(repository, "checkout", "-q", "--detach")
    assert read_facts(repository).branch == ""


def test_no_commit_and_no_repository(repository: Path, tmp_path: Path) -> None:
    """A pipeline can be tried before the first commit, and outside of git."""
    facts = read_facts(repository)
    assert (facts.branch, facts.commit, facts.description, facts.name) == ("master", "", "", "shop")
    (tmp_path / "plain").mkdir()
    assert (read_facts(tmp_path / "plain").name, read_facts(tmp_path / "plain").commit) == ("plain", "")
    inside = repository / "a/b"
    inside.mkdir(parents=True)
    commit(repository)
    assert read_facts(inside) == read_facts(repository)


def test_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    """CI services clone like this: what is behind is not there, and neither are its tags."""
    for number in range(5):
        commit(repository, str(number), 1_700_000_000 + number)
    git(repository, "tag", "old", "HEAD~4")
    for depth, tagged in (("1", False), ("3", False), ("3", True)):
        if tagged:
            git(repository, "tag", "near", "HEAD~1")
        clone = tmp_path / f"{depth}-{tagged}"
        git(tmp_path, "clone", "-q", "--depth", depth, f"file://{repository}", str(clone))
        assert read_facts(clone).description == described(clone)
        assert read_facts(clone).commit == git(clone, "rev-parse", "HEAD")


def test_a_clone_without_blobs(repository: Path, tmp_path: Path) -> None:
    (repository / "f").write_text("x")
    git(repository, "add", "f")
    commit(repository)
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", f"file://{repository}", str(tmp_path / "clone"))
    assert read_facts(tmp_path / "clone").description == described(tmp_path / "clone")


def test_worktrees_and_submodules(repository: Path, tmp_path: Path) -> None:
    commit(repository)
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    commit(tmp_path / "tree", "two")
    facts = read_facts(tmp_path / "tree")
    assert (facts.branch, facts.name, facts.description) == ("side", "shop", described(tmp_path / "tree"))
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "inner")
    facts = read_facts(outer / "inner")
    assert (facts.commit, facts.branch) == (git(repository, "rev-parse", "HEAD"), "master")


def test_a_repository_of_sha_256(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "new")
    commit(tmp_path / "new")
    git(tmp_path / "new", "tag", "v1")
    commit(tmp_path / "new", "two")
    facts = read_facts(tmp_path / "new")
    assert (facts.commit, facts.description) == (
        git(tmp_path / "new", "rev-parse", "HEAD"),
        described(tmp_path / "new"),
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@git.example.com:org/app.git", "org/app"),
        ("ssh://git@git.example.com:2222/org/app.git/", "org/app"),
        ("https://git.example.com:8443/team/org/app", "org/app"),
        ("https://git.example.com:8443/app.git", "app"),
        ("host:app.git", "app"),
        ("/srv/git/app.git", "git/app"),
    ],
)
def test_the_name_of_a_repository(repository: Path, url: str, name: str) -> None:
    git(repository, "remote", "add", "origin", url)
    assert read_facts(repository).name == name


def damage_objects(folder: Path) -> None:
    for file in (folder / ".git/objects").glob("??/*"):
        file.chmod(0o644)
        file.write_bytes(b"no object")


def damage_config(folder: Path) -> None:
    (folder / ".git/config").write_text("[core\nthis is none")


def remove_objects(folder: Path) -> None:
    for file in (folder / ".git/objects").glob("??/*"):
        file.unlink()


def unknown_format(folder: Path) -> None:
    git(folder, "config", "core.repositoryFormatVersion", "9")


@pytest.mark.parametrize("harm", [damage_objects, damage_config, remove_objects, unknown_format])
def test_a_damaged_repository_is_a_sentence(repository: Path, harm: Callable[[Path], None]) -> None:
    commit(repository)
    harm(repository)
    with pytest.raises(InputError, match="The git repository cannot be read"):
        read_facts(repository)
