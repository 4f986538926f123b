# SPDX-License-Identifier: MIT
"""`diff`: what this state of the repository changes in every cluster's manifests."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo

from kit_core.errors import InputError
from kit_deploymentizer.diff.gittree import write_tree
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

DATA = CONFIG_MAP + "data:\n  a: '{{{word}}}'\n"


def opened(folder: Path) -> Any:
    """The clone; its types of names are bytes by other names."""
    return Repo(folder)


def commit(folder: Path, branch: str = "main") -> str:
    """Everything below `folder` as a commit of the branch, which is checked out; its id."""
    there = (folder / ".git").exists()
    repo: Any = Repo(folder) if there else Repo.init(folder)
    with repo:
        made: Any = Commit()
        made.tree = tree_of(repo, folder)
        made.parents = [repo.head()] if there else []
        made.author = made.committer = b"a <a@b>"
        made.author_time = made.commit_time = 1_700_000_000
        made.author_timezone = made.commit_timezone = 0
        made.message = b"x"
        repo.object_store.add_object(made)
        repo.refs[f"refs/heads/{branch}".encode()] = made.id
        repo.refs.set_symbolic_ref(b"HEAD", f"refs/heads/{branch}".encode())
        name: str = made.id.decode()
        return name


def tree_of(repo: Any, folder: Path) -> Any:
    tree = Tree()
    for path in sorted(folder.iterdir()):
        if path.name == ".git":
            continue
        if path.is_symlink():
            blob = Blob.from_string(os.fsencode(path.readlink()))
            repo.object_store.add_object(blob)
            tree.add(path.name.encode(), stat.S_IFLNK, blob.id)
        elif path.is_dir():
            tree.add(path.name.encode(), stat.S_IFDIR, tree_of(repo, path))
        else:
            blob = Blob.from_string(path.read_bytes())
            repo.object_store.add_object(blob)
            tree.add(path.name.encode(), 0o100644, blob.id)
    repo.object_store.add_object(tree)
    return tree.id


def words(workshop: Workshop, word: str) -> None:
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\nword: {word}\n"})


@pytest.fixture
def fleet(workshop: Workshop) -> Workshop:
    """A repository with one commit, in which `word` is `one`."""
    workshop.app(DATA)
    words(workshop, "one")
    commit(workshop.folder)
    return workshop


def test_a_change_not_yet_committed_is_told_once_for_all_clusters(fleet: Workshop) -> None:
    words(fleet, "two")
    result = fleet.run("diff")
    assert result.code == 0, result.log
    assert result.out == (
        "Manifests compared with HEAD: 2 changed, in 2 clusters.\n"
        "\n"
        "app.yaml changes in east, west\n"
        "--- a/east/app.yaml\n"
        "+++ b/east/app.yaml\n"
        "@@ -2,4 +2,4 @@\n"
        " kind: ConfigMap\n"
        " metadata: {name: 'app'}\n"
        " data:\n"
        "-  a: 'one'\n"
        "+  a: 'two'\n"
    )
    assert result.last == "result=changed files=2 clusters=2"
    assert result.files == {}


def test_the_same_change_among_other_surroundings_is_the_same_change(fleet: Workshop) -> None:
    fleet.app(DATA + "  place: {{{place}}}\n")
    for cluster in ("east", "west"):
        place = f"kind: ResourceConfig\nplace: {cluster}\n"
        fleet.write({f"clusters/{cluster}/configuration-var.yaml": place})
    commit(fleet.folder)
    words(fleet, "two")
    out = fleet.run("diff").out
    assert out.count("+  a: 'two'") == 1
    assert "   place: east" in out
    assert "place: west" not in out


def test_nothing_changed(fleet: Workshop) -> None:
    result = fleet.run("diff", "--exit-code")
    assert (result.code, result.out, result.last) == (0, "", "result=unchanged files=0 clusters=0")
    assert "No manifest differs from HEAD." in result.log


def test_the_exit_code_is_3_where_it_is_asked_for(fleet: Workshop) -> None:
    words(fleet, "two")
    assert fleet.run("diff", "--exit-code").code == 3
    assert fleet.run("diff", KIT_EXIT_CODE="true").code == 3
    assert fleet.run("diff").code == 0


def test_references(fleet: Workshop) -> None:
    first = commit(fleet.folder, "before")
    words(fleet, "two")
    second = commit(fleet.folder)
    with opened(fleet.folder) as repo:
        repo.refs[b"refs/tags/v1"] = first.encode()
        repo.refs[b"refs/remotes/origin/before"] = first.encode()
        repo.object_store.pack_loose_objects()
    for reference in ("before", "v1", "origin/before", first, first[:8], "HEAD~1", "before..."):
        result = fleet.run("diff", "--against", reference)
        assert f"compared with {reference}: 2 changed" in result.out, reference
    for reference in ("HEAD", "main", second):
        assert fleet.run("diff", "--against", reference).out == "", reference


def test_what_the_other_branch_did_since_is_left_out_where_that_is_asked_for(fleet: Workshop) -> None:
    forked = commit(fleet.folder, "mine")
    words(fleet, "theirs")
    commit(fleet.folder, "master")
    with opened(fleet.folder) as repo:
        repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/mine")
        assert repo.head() == forked.encode()
    words(fleet, "one")
    assert "-  a: 'theirs'" in fleet.run("diff", "--against", "master").out
    assert fleet.run("diff", "--against", "master...").out == ""


@pytest.mark.parametrize("reference", ["nowhere", "origin/master", "nowhere...", "", "0" * 40])
def test_an_unknown_reference_is_told(fleet: Workshop, reference: str) -> None:
    result = fleet.run("diff", f"--against={reference}")
    if reference:
        assert result.code == 2
        assert f"there is no commit {reference}" in result.log
        assert "fetch" in result.log
        assert result.out == ""
    else:
        assert result.code == 0  # an empty setting is none


@pytest.mark.parametrize("content", [None, b"junk", b""])
def test_a_clone_that_is_not_whole_is_told_in_a_sentence(fleet: Workshop, content: bytes | None) -> None:
    words(fleet, "two")
    blob = Blob.from_string(b"kind: ResourceConfig\nword: one\n").id.decode()
    path = fleet.folder / ".git" / "objects" / blob[:2] / blob[2:]
    path.unlink()  # as `git clone --filter=blob:none` has it
    if content is not None:
        path.write_bytes(content)
    result = fleet.run("diff")
    assert result.code == 2
    assert ("cloned with a filter" in result.log) is (content is None)
    assert ("the git clone is damaged" in result.log) is (content is not None)


def test_an_earlier_output_that_lost_its_index_shows_no_values_of_sources(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP + "data:\n  {{#app.env}}\n  greeting: '{{{value}}}'\n  {{/app.env}}\n",
                 "  env: [{name: GREETING, external: true}]\n")  # fmt: skip
    workshop.run(GREETING="canary-canary")
    (workshop.folder / "generated" / ".kit").rename(workshop.folder / "index")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nx: y\n"})
    workshop.template(CONFIG_MAP + "data:\n  {{#app.env}}\n  greeting: '{{{value}}}'\n  {{/app.env}}\n  b: new\n")
    result = workshop.run("diff", "--against", "generated")
    assert "+  b: new" in result.out
    assert "canary" not in result.out + result.log


def test_a_ci_takes_no_line_of_a_manifest_for_its_command(fleet: Workshop) -> None:
    text = CONFIG_MAP + "data:\n  a: |\n    ::add-mask::e\n    ##vso[task.setvariable variable=a]b\n  b: '{{{word}}}'\n"
    fleet.template(text)
    commit(fleet.folder)
    words(fleet, "two")
    for form in ("text", "markdown"):
        out = fleet.run("diff", "--format", form).out
        assert "add-mask" in out
        assert "setvariable" in out
        assert not any(line.lstrip().startswith("::") or "##vso[" in line for line in out.splitlines())
    assert "::add-mask" in fleet.run("diff", "--format", "json").out
    fleet.write({"base-var.yaml": "kind: ResourceConfig\nword: two\n'::set-env name=a': '##vso[a]b'\n"})
    assert "##vso[" not in fleet.run("explain", "east", "app").out + fleet.run("lint").out
    assert "\n::set-env" not in fleet.run("explain", "east", "app").out


def test_a_folder_with_an_earlier_output(fleet: Workshop) -> None:
    assert fleet.run().code == 0
    (fleet.folder / "generated").rename(fleet.folder / "before")
    words(fleet, "two")
    result = fleet.run("diff", "--against", "./before")
    assert "compared with ./before: 2 changed, in 2 clusters" in result.out
    fleet.write({"before/old/gone.yaml": "a: b\n", "before/east/extra.yaml": "a: b\n"})
    out = fleet.run("diff", "--against", "before").out
    assert "Clusters that are gone: old" in out
    assert "extra.yaml is removed in east\n--- a/east/extra.yaml\n+++ /dev/null\n" in out
    limited = fleet.run("diff", "--against", "before", CLUSTER_NAME="west").out
    assert "1 changed, in 1 cluster." in limited
    one = fleet.run("diff", "--against", "before", RESOURCE="app").out
    assert "extra.yaml" not in one
    assert "2 changed" in one


def test_without_a_clone_the_output_in_place_is_compared_with(workshop: Workshop) -> None:
    workshop.app(DATA)
    words(workshop, "one")
    nothing = workshop.run("diff")
    assert nothing.code == 2
    assert "there is nothing to compare with" in nothing.log
    workshop.run()
    words(workshop, "two")
    before = workshop.output()
    assert "-  a: 'one'\n+  a: 'two'" in workshop.run("diff").out
    assert workshop.output() == before


def test_clusters_and_files_come_and_go(fleet: Workshop) -> None:
    fleet.cluster("north")
    fleet.resources("one: {file: ./app/app.mustache}")
    fleet.template(DATA.replace("{{{word}}}", "x"), name="app/app.mustache")
    out = fleet.run("diff").out
    assert "New clusters: north." in out
    assert "app.yaml is added in north\n--- /dev/null\n+++ b/north/app.yaml" in out
    (fleet.folder / "clusters/west/cluster.yaml").unlink()
    out = fleet.run("diff").out
    assert "Clusters that are gone: west (nothing is deleted there)." in out
    assert "app.yaml is removed in west" in out


def test_it_needs_no_secret_and_shows_none(workshop: Workshop) -> None:
    workshop.app(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n"
        "  KEY: '{{#app.env}}{{{value}}}{{/app.env}}'\n  other: {{{word}}}\n",
        "  env: [{name: KEY, external: true}]\n",
    )
    words(workshop, "canary1")
    commit(workshop.folder)
    words(workshop, "canary2")
    for form in ("text", "markdown", "json"):
        result = workshop.run("diff", "--format", form, KEY="canary3")
        assert result.code == 0, result.log
        assert "canary" not in result.out + result.log
        assert "*** (changed)" in result.out


def test_values_of_secret_sources_in_an_earlier_output_are_not_shown(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP + "data:\n  a: '{{#app.env}}{{{value}}}{{/app.env}}'\n",
                 "  env: [{name: KEY, external: true}]\n")  # fmt: skip
    workshop.run(KEY="canary-canary")
    result = workshop.run("diff", "--against", "generated", KEY="canary-canary")
    assert result.code == 0
    assert (result.out, result.last) == ("", "result=unchanged files=0 clusters=0")
    workshop.template(CONFIG_MAP + "data:\n  a: '{{#app.env}}{{{value}}}{{/app.env}}'\n  b: new\n")
    result = workshop.run("diff", "--against", "generated")
    assert "+  b: new" in result.out
    assert "   a: ***\n" in result.out
    assert "canary" not in result.out + result.log


def test_a_state_that_does_not_render_is_an_error_and_a_former_one_a_warning(fleet: Workshop) -> None:
    fleet.template("{{#open}}")
    broken = fleet.run("diff")
    assert (broken.code, broken.out) == (2, "")
    assert "resources/app/app.mustache:1:1: The template cannot be parsed" in broken.log
    commit(fleet.folder)
    fleet.template(DATA)
    mended = fleet.run("diff")
    assert mended.code == 0
    assert "HEAD does not render whole, so it is compared as far as it does: [east, west]" in mended.log
    assert "app.yaml is added in east, west" in mended.out


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


def test_a_committed_output_does_not_matter(fleet: Workshop) -> None:
    fleet.run()
    commit(fleet.folder)
    fleet.write({"generated/east/other.yaml": "a: b\n"})
    assert fleet.run("diff").out == ""


def test_as_json_for_programs(fleet: Workshop) -> None:
    words(fleet, "two")
    content = json.loads(fleet.run("diff", "--format", "json", CLUSTER_NAME="east").out)
    change = content.pop("changes")[0]
    assert content == {"against": "HEAD", "files": 1, "clusters": ["east"], "new": [], "gone": []}
    assert change.pop("diff").startswith("--- a/east/app.yaml\n+++ b/east/app.yaml\n@@ ")
    assert change == {"path": "app.yaml", "kind": "changed", "clusters": ["east"]}
    commit(fleet.folder)
    assert json.loads(fleet.run("diff", "--format=json").out)["changes"] == []


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
