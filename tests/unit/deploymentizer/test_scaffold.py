# SPDX-License-Identifier: MIT
"""`init` and `new`: what they write renders, passes and has nothing left over; nothing that is there is touched."""

import io
from pathlib import Path

import pytest
import yaml

from kit_core.entry import main
from kit_deploymentizer.cli import STEP
from kit_deploymentizer.scaffold.insert import with_resource
from kit_deploymentizer.scaffold.texts import quoted
from tests.unit.deploymentizer.place import BASE, Place, contents, good, refused
from tests.unit.deploymentizer.workshop import Workshop


def test_a_new_repository_grows_and_always_passes(place: Place) -> None:
    good(place.run("init"))
    assert sorted(good(place.run("--validate", "error")).files) == [
        "staging/hello-deployment.yaml",
        "staging/hello.yaml",
    ]
    good(place.run("new", "cluster", "production", "--type", "production"))
    good(place.run("new", "service", "web", "--image", "registry.example.com:5000/shop/web:1.0"))
    good(place.run("new", "service", "no"))
    result = good(place.run("--validate", "error"))
    assert len(result.files) == 12
    assert good(place.run("lint")).out == ""
    for name, text in result.files.items():
        (manifest,) = yaml.safe_load_all(text)
        assert manifest["kind"] in {"Deployment", "Service"}
        assert manifest["metadata"]["labels"]["name"] == manifest["metadata"]["name"] in name
        if manifest["kind"] == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]
            assert container["image"].endswith(
                {"web": "5000/shop/web:1.0", "no": "/no:none"}.get(container["name"], "")
            )


def test_what_comes_next_is_told(place: Place) -> None:
    assert "Next: add your own: kit-deploymentizer new service NAME" in good(place.run("init")).log
    assert "write its image into images/web/main.yaml" in good(place.run("new", "service", "web")).log
    assert "type prod is new" in good(place.run("new", "cluster", "prod", "--type", "prod")).log
    assert good(place.run("new", "cluster", "beta", "--type", "prod")).log.count("new ") == 1


def test_a_cluster_may_change_what_a_service_says(place: Place) -> None:
    good(place.run("init"))
    path = place.folder / "clusters/staging/cluster.yaml"
    more = "  hello: {replicas: 3, env: [{name: LEVEL, value: yes}]}\n"
    path.write_text(path.read_text().replace("resources: {}\n", f"resources:\n{more}"))
    manifest = yaml.safe_load(good(place.run()).files["staging/hello-deployment.yaml"])
    assert manifest["spec"]["replicas"] == 3
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "LEVEL", "value": "yes"}]


def test_a_second_time_nothing_is_touched_and_all_that_is_in_the_way_is_named(place: Place) -> None:
    good(place.run("init"))
    refused(place, f"there is already {place.folder}/kit.yaml, {place.folder}/base-cluster.yaml", "init")
    for path in ("kit.yaml", "base-cluster.yaml", "base-var.yaml"):
        (place.folder / path).unlink()
    refused(place, f"there is already {place.folder}/type/staging-var.yaml", "init")


def test_a_file_where_a_folder_is_to_be_is_in_the_way(place: Place) -> None:
    place.write({"clusters": "mine"})
    refused(place, f"there is already {place.folder}/clusters", "init")


def test_a_link_to_nothing_is_in_the_way(place: Place) -> None:
    (place.folder / "base-var.yaml").symlink_to("/nowhere/at-all")
    refused(place, "there is already", "init")


def test_in_a_clone_what_is_there_stays(place: Place) -> None:
    mine = {".git/HEAD": "ref: refs/heads/main\n", "README.md": "mine\n", ".gitignore": "*.swp\n"}
    place.write(mine)
    assert "/generated/, kubeconfig.yaml, *.aes and *.env belong into it" in place.run("init").log
    assert {name: contents(place.folder)[name].decode() for name in mine} == mine
    good(place.run())


def test_init_goes_where_conf_says_and_here_where_there_is_no_mount(tmp_path: Path) -> None:
    def init(cwd: Path, **env: str) -> str:
        err = io.StringIO()
        assert main(STEP, ["init"], env, stdout=io.StringIO(), stderr=err, cwd=cwd) == 0, err.getvalue()
        return err.getvalue()

    assert "CONF" not in init(tmp_path, CONF="deep/er/kit.yaml")
    assert (tmp_path / "deep/er/clusters/staging/cluster.yaml").is_file()
    if not Path("/manifests").is_dir():
        assert "outside of the image, say where it is: export CONF=kit.yaml" in init(tmp_path)
        assert (tmp_path / "kit.yaml").is_file()


def test_in_any_repository_kit_yaml_says_where(workshop: Workshop) -> None:
    """Other folders, another property, several branches, comments, and a service template of its own."""
    workshop.write({
        "kit.yaml": "base: {path: cfg}\nimages: {path: img, property: ref}\ntype: {path: kinds}\n"
        "cluster: {path: fleet}\nresources: {path: tpl}\noutput: {path: generated}\n",
        "cfg/base-cluster.yaml": "# ours\nkind: ClusterNamespace\nresources:\n    a: # first\n        file: a.yaml\n"
        "\n    # the last\n    b: {file: b.yaml}\n\n# the end\n",
        "cfg/base-var.yaml": "kind: ResourceConfig\n",
        "kinds/x-var.yaml": "kind: ResourceConfig\nmetadata: {type: x}\n",
        "fleet/one/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: one, type: x, branch: master}\n",
        "fleet/two/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: two, type: x, branch: develop}\n",
        "fleet/off/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: off, type: x, branch: master}\n",
        "tpl/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
        "tpl/b.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n",
        "tpl/base-svc.mustache": "apiVersion: v1\nkind: Service\nmetadata: {name: {{{svc.name}}}}\n",
    })  # fmt: skip
    good(workshop.run("new", "service", "my-web", "--image", "shop/web:1"))
    good(workshop.run("new", "cluster", "three"))
    text = (workshop.folder / "cfg/base-cluster.yaml").read_text()
    assert text.startswith(
        "# ours\nkind: ClusterNamespace\nresources:\n    a: # first\n        file: a.yaml\n\n    # the"
    )
    assert "\n    b: {file: b.yaml}\n\n    my-web:\n      file: ./my-web/" in text
    assert text.endswith("\n\n# the end\n")
    assert "branch: master\n" in (workshop.folder / "fleet/three/cluster.yaml").read_text()
    files = good(workshop.run("--validate", "error")).files
    assert {name.split("/")[0] for name in files if name.endswith("/my-web.yaml")} == {"one", "two", "off", "three"}
    assert not (workshop.folder / "tpl/base-svc.yaml.j2").exists()
    assert sorted(path.name for path in (workshop.folder / "img/shop/web").iterdir()) == ["develop.yaml", "master.yaml"]


def test_a_base_that_cannot_be_added_to_is_left_and_the_lines_are_shown(place: Place) -> None:
    good(place.run("init"))
    place.write({BASE: "{kind: ClusterNamespace, metadata: {branch: main}, resources: {}}\n"})
    refused(place, "Put this below `resources` by hand:", "new", "service", "web")


def test_a_base_that_is_a_link_stays_one_and_keeps_its_mode(place: Place) -> None:
    good(place.run("init"))
    base, real = place.folder / BASE, place.folder / "shared.yaml"
    base.rename(real)
    real.chmod(0o640)
    base.symlink_to("shared.yaml")
    good(place.run("new", "service", "web"))
    assert base.is_symlink()
    assert "  web:\n" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "before",
    [
        "kind: A\nresources: {}\n",
        "kind: A\nresources:\n",
        "kind: A\nresources: # none yet\n",
        "kind: A\nresources: null # none yet\nmetadata: {a: b}\n",
        "kind: A",
        "kind: A\n# the end\n",
        "resources:\n  a: {b: c}\nkind: A\n",
        "resources:\n  a:\n    b: |\n      text\n      # no comment\n\nkind: A\n",
        "resources:\r\n  a: {b: c}\r\nkind: A\r\n",
        "resources:\n      a: {b: c}\n# about kind\nkind: A\n",
        "x: &x {b: c}\nresources:\n  a: *x\n  d:\n    <<: *x\n",
        "kind: Ä\nresources:\n  ü: {ß: '…'}\n",
    ],
)
def test_a_resource_is_added_and_every_line_stays(before: str) -> None:
    after = with_resource(before, "web:\n  file: x # y\n")
    assert after is not None
    old, new = yaml.safe_load(before), yaml.safe_load(after)
    assert new == {**old, "resources": {**(old.get("resources") or {}), "web": {"file": "x"}}}
    kept = [line for line in before.splitlines() if not line.startswith("resources: ")]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in before else 0)


@pytest.mark.parametrize(
    "before",
    ["resources: {a: {b: c}}\n", "resources: [a]\n", "resources: a\n", "- a\n", "", "a: b: c", "? {a: b}\n: c\n"],
)
def test_where_it_cannot_be_added_nothing_is_guessed(before: str) -> None:
    assert with_resource(before, "web:\n  file: x\n") is None


def test_words_that_are_no_strings_to_some_reader_are_quoted() -> None:
    words = ("web", "a-b", "no", "y", "true", "null", "on", "1e3", "0644", "12", "x12", "~", "off")
    assert [word for word in words if quoted(word) == word] == ["web", "a-b", "x12"]
    assert {word: yaml.safe_load(quoted(word)) for word in words} == {word: word for word in words}


def test_a_write_that_is_refused_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    good(place.run("init"))
    before = contents(place.folder)
    replace = Path.replace

    def refusing(self: Path, target: Path) -> Path:
        if target.name == BASE:
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    result = place.run("new", "service", "web")
    assert result.code == 1
    assert "cannot be written" in result.log
    assert contents(place.folder) == before
