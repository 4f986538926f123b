# SPDX-License-Identifier: MIT
"""`diff` and the clone that it reads: whole or not, in a folder of it, made by hand."""

import stat
from pathlib import Path
from typing import Any

import pytest
from dulwich.objects import Blob, Tree

from kit_core.errors import InputError
from kit_deploymentizer.diff.gittree import write_tree
from tests.unit.deploymentizer.clones import DATA, commit, opened, words
from tests.unit.deploymentizer.workshop import KIT, Workshop


@pytest.mark.parametrize("content", [None, b"junk", b""])
def test_a_clone_that_is_not_whole_is_told_in_a_sentence(cloned: Workshop, content: bytes | None) -> None:
    words(cloned, "two")
    blob = Blob.from_string(b"kind: ResourceConfig\nword: one\n").id.decode()
    path = cloned.folder / ".git" / "objects" / blob[:2] / blob[2:]
    path.unlink()  # as `git clone --filter=blob:none` has it
    if content is not None:
        path.write_bytes(content)
    result = cloned.run("diff")
    assert result.code == 2
    assert ("cloned with a filter" in result.log) is (content is None)
    assert ("the git clone is damaged" in result.log) is (content is not None)


def test_a_repository_in_a_folder_of_the_clone(tmp_path: Path) -> None:
    (tmp_path / "deep/fleet").mkdir(parents=True)
    workshop = Workshop(tmp_path / "deep/fleet")
    workshop.app(DATA)
    words(workshop, "one")
    (tmp_path / "big").write_text("not read")
    commit(tmp_path)
    words(workshop, "two")
    assert "+  a: 'two'" in workshop.run("diff").out


def test_a_repository_that_is_new(workshop: Workshop) -> None:
    (workshop.folder.parent / "readme").write_text("")
    kit = workshop.folder / "kit.yaml"
    kit.unlink()
    commit(workshop.folder)
    kit.write_text(KIT)
    workshop.app(DATA)
    result = workshop.run("diff")
    assert "New clusters: east, west." in result.out


def test_a_committed_output_does_not_matter(cloned: Workshop) -> None:
    cloned.run()
    commit(cloned.folder)
    cloned.write({"generated/east/other.yaml": "a: b\n"})
    assert cloned.run("diff").out == ""


def test_only_what_lies_in_the_folder_is_written(tmp_path: Path) -> None:
    source, into = tmp_path / "source", tmp_path / "into"
    (source / "part/below").mkdir(parents=True)
    into.mkdir()
    (source / "part/kept.yaml").write_text("kept")
    (source / "other.yaml").write_text("other")
    (source / "part/out.yaml").symlink_to("../other.yaml")
    (source / "part/root.yaml").symlink_to("/etc/hostname")
    (source / "part/fine.yaml").symlink_to("kept.yaml")
    (source / "part/below/up.yaml").symlink_to("../kept.yaml")
    made = commit(source)
    assert write_tree(source / "part", "HEAD", into, without=source / "part/generated") == made
    found = sorted(path.relative_to(into).as_posix() for path in into.rglob("*") if not path.is_dir())
    assert found == ["below/up.yaml", "fine.yaml", "kept.yaml"]
    assert (into / "below/up.yaml").read_text() == "kept"


def test_a_tree_made_by_hand_leads_nowhere(tmp_path: Path) -> None:
    source, into = tmp_path / "source", tmp_path / "deep/into"
    source.mkdir()
    into.mkdir(parents=True)
    (source / "a").write_text("a")
    commit(source)
    with opened(source) as repo:
        blob, tree, inner = Blob.from_string(b"evil"), Tree(), Tree()
        inner.add(b"evil.yaml", 0o100644, blob.id)
        tree.add(b"..", stat.S_IFDIR, inner.id)
        tree.add(b".git", stat.S_IFDIR, inner.id)
        submodule: Any = b"1" * 40
        tree.add(b"sub", 0o160000, submodule)
        made = repo[repo.head()].copy()
        made.tree = tree.id
        for one in (blob, inner, tree, made):
            repo.object_store.add_object(one)
        repo.refs[b"refs/heads/evil"] = made.id
    write_tree(source, "evil", into, without=source / "x")
    assert [path.name for path in tmp_path.rglob("evil.yaml")] == []


def test_a_folder_that_is_no_clone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no git clone"):
        write_tree(tmp_path, "HEAD", tmp_path / "into", without=tmp_path / "x")
