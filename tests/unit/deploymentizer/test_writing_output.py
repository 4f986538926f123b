# SPDX-License-Identifier: MIT
"""What a run leaves in the output folder, and what it never touches."""

import fcntl
import hashlib
import os
import signal
import threading
from pathlib import Path

import pytest

from kit_core.errors import BusyError, Interrupted
from kit_deploymentizer import Deploymentizer, DeploymentizerSettings
from kit_deploymentizer.output.scope import Limits
from kit_deploymentizer.output.write import Writer
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

TWO = "app: {file: ./app/app.mustache}\nother: {file: ./other/other.mustache}"


@pytest.fixture
def two(workshop: Workshop) -> Workshop:
    """A repository with two resources, rendered once."""
    workshop.template(CONFIG_MAP)
    workshop.template(CONFIG_MAP, name="other/other.mustache")
    workshop.resources(TWO)
    assert workshop.run().code == 0
    return workshop


def test_the_last_line_says_what_changed(two: Workshop) -> None:
    assert two.run().last == "result=unchanged clusters=2 written=0 unchanged=4 removed=0"
    two.template(CONFIG_MAP + "data: {}\n")
    assert two.run().last == "result=rendered clusters=2 written=2 unchanged=2 removed=0"


def test_a_file_that_did_not_change_is_not_written_again(two: Workshop) -> None:
    path = two.folder / "generated/east/app.yaml"
    before = path.stat()
    two.run()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_the_index_says_what_is_there_and_from_what(two: Workshop) -> None:
    index = two.index("east")
    content = (two.folder / "generated/east/app.yaml").read_bytes()
    assert (index["version"], index["cluster"], index["complete"], index["placeholders"]) == (1, "east", True, False)
    assert index["commit"] is None
    assert list(index["files"]) == ["app.yaml", "other.yaml"]
    assert index["files"]["app.yaml"] == {
        "sha256": hashlib.sha256(content).hexdigest(),
        "resource": "app",
        "inputs": ["resources/app/app.mustache"],
    }
    assert index["inputs"] == [
        "kit.yaml",
        "base-cluster.yaml",
        "base-var.yaml",
        "type/test-var.yaml",
        "clusters/east/cluster.yaml",
    ]


def test_the_index_points_to_secrets_without_holding_them(workshop: Workshop) -> None:
    workshop.app(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\n"
        "data:\n{{#app.env}}\n  {{{name}}}: {{{value}}}\n{{/app.env}}\n",
        "  env:\n    - {name: KEY, external: true, encoding: base64}\n    - {name: PIN, external: true}\n"
        "    - {name: OPEN, value: '42'}\n",
    )
    assert workshop.run(KEY="a long secret", PIN="42").code == 0
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/data/KEY", "/data/PIN"]}
    assert "secret" not in (workshop.folder / "generated/.kit/east.json").read_text().replace('"secrets"', "")


def test_clean_removes_what_this_run_did_not_make_and_nothing_else(two: Workshop) -> None:
    output = two.folder / "generated"
    (output / "east/stale.yaml").write_text("old")
    (output / "east/deep").mkdir()
    (output / "east/deep/stale.json").write_text("old")
    (output / "east/notes.txt").write_text("mine")
    (output / "readme.yaml").write_text("mine")
    (output / "east/.hidden").mkdir()
    (output / "east/.hidden/other.yaml").write_text("another tool's")
    two.resources("app: {file: ./app/app.mustache}")
    result = two.run()
    assert result.last == "result=rendered clusters=2 written=0 unchanged=2 removed=4"
    assert list(result.files) == [
        "east/.hidden/other.yaml",
        "east/app.yaml",
        "east/notes.txt",
        "readme.yaml",
        "west/app.yaml",
    ]
    assert list(two.index("east")["files"]) == ["app.yaml"]


def test_without_clean_everything_stays(two: Workshop) -> None:
    two.resources("app: {file: ./app/app.mustache}")
    assert two.run(CLEAN="false").code == 0
    assert "east/other.yaml" in two.output()


@pytest.mark.parametrize("how", ["gone", "disabled", "never indexed"])
def test_clean_ends_the_folders_of_clusters_that_are_gone(two: Workshop, how: str) -> None:
    if how == "disabled":
        two.cluster("west", metadata="type: prod, disable: true")
    else:
        (two.folder / "clusters/west/cluster.yaml").unlink()
    if how == "never indexed":
        (two.folder / "generated/.kit/west.json").unlink()
    (two.folder / "generated/west/notes.txt").write_text("mine")
    assert two.run().code == 0
    assert [name for name in two.output() if name.startswith("west/")] == ["west/notes.txt"]
    assert not (two.folder / "generated/.kit/west.json").exists()


def test_a_run_about_one_cluster_touches_only_it(two: Workshop) -> None:
    before = two.output()
    two.template(CONFIG_MAP + "data: {}\n")
    (two.folder / "generated/west/stale.yaml").write_text("old")
    assert two.run(CLUSTER_NAME="east").code == 0
    after = two.output()
    assert after["east/app.yaml"] != before["east/app.yaml"]
    assert after["west/app.yaml"] == before["west/app.yaml"]
    assert "west/stale.yaml" in after
    assert two.index("west")["complete"] is True


def test_a_run_about_one_type_touches_only_its_clusters(two: Workshop) -> None:
    two.template(CONFIG_MAP + "data: {}\n")
    assert two.run(CLUSTER_TYPE="prod").last == "result=rendered clusters=1 written=1 unchanged=1 removed=0"


def test_a_run_about_one_resource_touches_only_its_files(two: Workshop) -> None:
    two.template(CONFIG_MAP + "data: {}\n")
    two.template(CONFIG_MAP + "data: {}\n", name="other/other.mustache")
    (two.folder / "generated/east/stale.yaml").write_text("old")
    (two.folder / "generated/gone").mkdir()
    (two.folder / "generated/gone/stale.yaml").write_text("old")
    before = two.output()
    assert two.run(RESOURCE="app").last == "result=rendered clusters=2 written=2 unchanged=0 removed=0"
    after = two.output()
    assert {name for name in after if after[name] != before[name]} == {"east/app.yaml", "west/app.yaml"}
    index = two.index("east")
    assert list(index["files"]) == ["app.yaml", "other.yaml"]
    assert (index["complete"], index["limited_to"]) == (True, "app")


def test_a_run_about_one_resource_into_an_empty_output_is_not_complete(workshop: Workshop) -> None:
    workshop.template(CONFIG_MAP)
    workshop.template(CONFIG_MAP, name="other/other.mustache")
    workshop.resources(TWO)
    workshop.run(RESOURCE="app")
    assert workshop.index("east")["complete"] is False


def test_a_run_about_one_resource_removes_what_that_resource_no_longer_makes(two: Workshop) -> None:
    two.resources("app: {file: ./app/app.mustache, svc: {name: app-svc}}\nother: {file: ./other/other.mustache}")
    two.run()
    two.resources(TWO)
    assert two.run(RESOURCE="app").last == "result=rendered clusters=2 written=0 unchanged=2 removed=2"
    assert "east/app-svc.yaml" not in two.output()


def test_without_save_nothing_is_written(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    result = workshop.run(SAVE="false")
    assert (result.code, result.last) == (0, "result=checked clusters=2 written=0 unchanged=0 removed=0")
    assert not (workshop.folder / "generated").exists()


def test_a_failed_run_leaves_the_earlier_output(two: Workshop) -> None:
    before = two.output()
    two.template("{{#unclosed}}")
    assert two.run().code == 2
    assert two.output() == before
    assert two.index("east")["complete"] is True


def test_a_run_that_is_cut_off_says_so_and_the_next_one_puts_it_right(
    two: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.template(CONFIG_MAP + "data: {}\n")
    two.template(CONFIG_MAP + "data: {}\n", name="other/other.mustache")
    moves: list[str] = []
    rename = os.replace

    def cut_off(path: "os.PathLike[str]", target: "os.PathLike[str]") -> None:
        moves.append(os.fspath(path))
        if len([path for path in moves if path.endswith(".yaml")]) == 2:
            raise Interrupted(signal.SIGTERM)
        rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", cut_off)
        assert two.run().code == 143
    assert two.index("east")["complete"] is False
    assert [path.name for path in (two.folder / "generated/.kit").iterdir() if path.is_dir()] == []
    whole = two.run()
    assert whole.last == "result=rendered clusters=2 written=3 unchanged=1 removed=0"
    assert two.index("east")["complete"] is True


def test_what_a_killed_run_left_is_tidied_up(two: Workshop) -> None:
    left = two.folder / "generated/.kit/staging"
    (left / "east").mkdir(parents=True)
    (left / "east/app.yaml").write_text("half")
    assert two.run().last.startswith("result=unchanged")
    assert not left.exists()


def test_two_runs_never_write_to_one_output_at_once(two: Workshop) -> None:
    two.template(CONFIG_MAP + "data: {}\n")
    deploymentizer = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml")), cwd=two.folder, env={})
    plan, before = deploymentizer.plan(), two.output()

    def write(patience: float) -> None:
        writer = Writer(two.folder / "generated", (), patience=patience)
        writer.write(plan.clusters, commit=None, limits=Limits(), clean=True)

    other = os.open(two.folder / "generated/.kit", os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="Another run is writing to the output"):
            write(0)
        assert two.output() == before
        waiting = threading.Thread(target=write, args=[60])
        waiting.start()
        assert two.output() == before
    finally:
        os.close(other)
    waiting.join(60)
    assert two.output() != before


def test_the_order_of_folders_does_not_matter(two: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> dict[str, bytes]:
        files = sorted(path for path in (two.folder / "generated").rglob("*") if path.is_file())
        return {path.as_posix(): path.read_bytes() for path in files}

    before = everything()
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path=".": sorted(listed(path), reverse=True))
    result = two.run("--clean")
    assert result.last.startswith("result=unchanged")
    assert everything() == before


def test_an_output_that_cannot_be_written_names_the_path(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"generated": "a file where a folder must be"})
    result = workshop.run()
    assert result.code == 1
    assert "The output cannot be written" in result.log
    assert str(workshop.folder / "generated") in result.log


def test_the_output_may_be_a_mount_point_that_is_there_already(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    (workshop.folder / "generated").mkdir()
    inode = (workshop.folder / "generated").stat().st_ino
    assert workshop.run().code == 0
    assert (workshop.folder / "generated").stat().st_ino == inode


def test_workloads_that_keep_an_old_value_are_named(workshop: Workshop) -> None:
    workshop.template(CONFIG_MAP + "data: {a: '{{{value}}}'}\n")
    workshop.template(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
        "      containers:\n        - {name: web, envFrom: [{configMapRef: {name: app}}]}\n",
        name="web/web.mustache",
    )
    workshop.resources("app: {file: ./app/app.mustache}\nweb: {file: ./web/web.mustache}")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nvalue: one\n"})
    assert "old value" not in workshop.run().log
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nvalue: two\n"})
    assert "[east] warning: Deployment web will keep the old value" in workshop.run().log
    # Its own manifest changes as well: the cluster replaces its pods.
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nvalue: three\n"})
    web = (workshop.folder / "resources/web/web.mustache").read_text()
    workshop.template(web.replace("name: web,", "name: web, image: '{{{value}}}',"), name="web/web.mustache")
    assert "old value" not in workshop.run().log
