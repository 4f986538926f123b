# SPDX-License-Identifier: MIT
"""`diff`: what this state of the repository changes in every cluster's manifests."""

import json

import pytest

from tests.unit.deploymentizer.clones import DATA, commit, opened, words
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop


def test_a_change_not_yet_committed_is_told_once_for_all_clusters(cloned: Workshop) -> None:
    words(cloned, "two")
    result = cloned.run("diff")
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


def test_the_same_change_among_other_surroundings_is_the_same_change(cloned: Workshop) -> None:
    cloned.app(DATA + "  place: {{{place}}}\n")
    for cluster in ("east", "west"):
        place = f"kind: ResourceConfig\nplace: {cluster}\n"
        cloned.write({f"clusters/{cluster}/configuration-var.yaml": place})
    commit(cloned.folder)
    words(cloned, "two")
    out = cloned.run("diff").out
    assert out.count("+  a: 'two'") == 1
    assert "   place: east" in out
    assert "place: west" not in out


def test_nothing_changed(cloned: Workshop) -> None:
    result = cloned.run("diff", "--exit-code")
    assert (result.code, result.out, result.last) == (0, "", "result=unchanged files=0 clusters=0")
    assert "No manifest differs from HEAD." in result.log


def test_the_exit_code_is_3_where_it_is_asked_for(cloned: Workshop) -> None:
    words(cloned, "two")
    assert cloned.run("diff", "--exit-code").code == 3
    assert cloned.run("diff", KIT_EXIT_CODE="true").code == 3
    assert cloned.run("diff").code == 0


def test_references(cloned: Workshop) -> None:
    first = commit(cloned.folder, "before")
    words(cloned, "two")
    second = commit(cloned.folder)
    with opened(cloned.folder) as repo:
        repo.refs[b"refs/tags/v1"] = first.encode()
        repo.refs[b"refs/remotes/origin/before"] = first.encode()
        repo.object_store.pack_loose_objects()
    for reference in ("before", "v1", "origin/before", first, first[:8], "HEAD~1", "before..."):
        result = cloned.run("diff", "--against", reference)
        assert f"compared with {reference}: 2 changed" in result.out, reference
    for reference in ("HEAD", "main", second):
        assert cloned.run("diff", "--against", reference).out == "", reference


def test_what_the_other_branch_did_since_is_left_out_where_that_is_asked_for(cloned: Workshop) -> None:
    forked = commit(cloned.folder, "mine")
    words(cloned, "theirs")
    commit(cloned.folder, "master")
    with opened(cloned.folder) as repo:
        repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/mine")
        assert repo.head() == forked.encode()
    words(cloned, "one")
    assert "-  a: 'theirs'" in cloned.run("diff", "--against", "master").out
    assert cloned.run("diff", "--against", "master...").out == ""


@pytest.mark.parametrize("reference", ["nowhere", "origin/master", "nowhere...", "", "0" * 40])
def test_an_unknown_reference_is_told(cloned: Workshop, reference: str) -> None:
    result = cloned.run("diff", f"--against={reference}")
    if reference:
        assert result.code == 2
        assert f"there is no commit {reference}" in result.log
        assert "fetch" in result.log
        assert result.out == ""
    else:
        assert result.code == 0  # an empty setting is none


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


def test_a_ci_takes_no_line_of_a_manifest_for_its_command(cloned: Workshop) -> None:
    text = CONFIG_MAP + "data:\n  a: |\n    ::add-mask::e\n    ##vso[task.setvariable variable=a]b\n  b: '{{{word}}}'\n"
    cloned.template(text)
    commit(cloned.folder)
    words(cloned, "two")
    for form in ("text", "markdown"):
        out = cloned.run("diff", "--format", form).out
        assert "add-mask" in out
        assert "setvariable" in out
        assert not any(line.lstrip().startswith("::") or "##vso[" in line for line in out.splitlines())
    assert "::add-mask" in cloned.run("diff", "--format", "json").out
    cloned.write({"base-var.yaml": "kind: ResourceConfig\nword: two\n'::set-env name=a': '##vso[a]b'\n"})
    assert "##vso[" not in cloned.run("explain", "east", "app").out + cloned.run("lint").out
    assert "\n::set-env" not in cloned.run("explain", "east", "app").out


def test_a_folder_with_an_earlier_output(cloned: Workshop) -> None:
    assert cloned.run().code == 0
    (cloned.folder / "generated").rename(cloned.folder / "before")
    words(cloned, "two")
    result = cloned.run("diff", "--against", "./before")
    assert "compared with ./before: 2 changed, in 2 clusters" in result.out
    cloned.write({"before/old/gone.yaml": "a: b\n", "before/east/extra.yaml": "a: b\n"})
    out = cloned.run("diff", "--against", "before").out
    assert "Clusters that are gone: old" in out
    assert "extra.yaml is removed in east\n--- a/east/extra.yaml\n+++ /dev/null\n" in out
    limited = cloned.run("diff", "--against", "before", CLUSTER_NAME="west").out
    assert "1 changed, in 1 cluster." in limited
    one = cloned.run("diff", "--against", "before", RESOURCE="app").out
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


def test_clusters_and_files_come_and_go(cloned: Workshop) -> None:
    cloned.cluster("north")
    cloned.resources("one: {file: ./app/app.mustache}")
    cloned.template(DATA.replace("{{{word}}}", "x"), name="app/app.mustache")
    out = cloned.run("diff").out
    assert "New clusters: north." in out
    assert "app.yaml is added in north\n--- /dev/null\n+++ b/north/app.yaml" in out
    (cloned.folder / "clusters/west/cluster.yaml").unlink()
    out = cloned.run("diff").out
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


def test_a_state_that_does_not_render_is_an_error_and_a_former_one_a_warning(cloned: Workshop) -> None:
    cloned.template("{{#open}}")
    broken = cloned.run("diff")
    assert (broken.code, broken.out) == (2, "")
    assert "resources/app/app.mustache:1:1: The template cannot be parsed" in broken.log
    commit(cloned.folder)
    cloned.template(DATA)
    mended = cloned.run("diff")
    assert mended.code == 0
    assert "HEAD does not render whole, so it is compared as far as it does: [east, west]" in mended.log
    assert "app.yaml is added in east, west" in mended.out


def test_as_json_for_programs(cloned: Workshop) -> None:
    words(cloned, "two")
    content = json.loads(cloned.run("diff", "--format", "json", CLUSTER_NAME="east").out)
    change = content.pop("changes")[0]
    assert content == {"against": "HEAD", "files": 1, "clusters": ["east"], "new": [], "gone": []}
    assert change.pop("diff").startswith("--- a/east/app.yaml\n+++ b/east/app.yaml\n@@ ")
    assert change == {"path": "app.yaml", "kind": "changed", "clusters": ["east"]}
    commit(cloned.folder)
    assert json.loads(cloned.run("diff", "--format=json").out)["changes"] == []
