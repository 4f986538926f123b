# SPDX-License-Identifier: MIT
"""With KIT_PLACEHOLDERS anybody's pull request is rendered: nothing outside the repository is read for it."""

import tempfile
from pathlib import Path

import pytest

from tests.unit.deploymentizer.clones import commit
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Result, Workshop

CANARY = "canary-3141"
OUTSIDE = "it lies outside the repository, and KIT_PLACEHOLDERS renders what anybody may have written"
MANIFEST = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app}}\ndata: {{a: {CANARY}}}\n"
PRINTS = CONFIG_MAP + "data:\n  a: '{{{word}}}'\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A repository with a neighbour that is nobody's business."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside/x.yaml").write_text(MANIFEST)
    (tmp_path / "beside/var.yaml").write_text(f"kind: ResourceConfig\nmetadata: {{type: test}}\nword: {CANARY}\n")
    made = Workshop(tmp_path / "repository")
    (made.folder / "clusters/west/cluster.yaml").unlink()
    made.app(PRINTS)
    return made


def beside(workshop: Workshop, name: str = "") -> Path:
    return workshop.folder.parent / "beside" / name


def link(workshop: Workshop, name: str, target: str | Path) -> None:
    path = workshop.folder / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def refused(workshop: Workshop, names: str, *arguments: str, why: str = OUTSIDE) -> None:
    """The run is refused, says which file names what is not read, and shows nothing of it."""
    result = workshop.run(*arguments, KIT_PLACEHOLDERS="true")
    assert result.code == 2, result.log
    assert why in result.log
    assert names in result.log
    assert CANARY not in result.log + result.out + "".join(result.files.values())


def rendered(workshop: Workshop, **env: str) -> Result:
    result = workshop.run(**env)
    assert result.code == 0, result.log
    return result


@pytest.mark.parametrize("file", ["../../beside/x.yaml", "/{}", "linked.yaml", "linked/x.yaml"])
def test_a_resources_file(workshop: Workshop, file: str) -> None:
    link(workshop, "resources/linked.yaml", "../../beside/x.yaml")
    link(workshop, "resources/linked", beside(workshop))
    file = file.replace("/{}", str(beside(workshop, "x.yaml")))
    workshop.resources(f"app: {{file: {file}}}")
    refused(workshop, "base-cluster.yaml:4")
    assert CANARY in "".join(rendered(workshop).files.values())


@pytest.mark.parametrize("ending", ["mustache", "j2"])
def test_a_template_that_is_a_link(workshop: Workshop, ending: str) -> None:
    link(workshop, f"resources/a.{ending}", beside(workshop, "x.yaml"))
    workshop.resources(f"app: {{file: a.{ending}}}")
    refused(workshop, "base-cluster.yaml:4")


def test_what_a_jinja_template_includes(workshop: Workshop) -> None:
    link(workshop, "resources/part.j2", beside(workshop, "x.yaml"))
    workshop.template("{% include 'part.j2' ignore missing %}\n", name="a.j2")
    workshop.resources("app: {file: a.j2}")
    refused(workshop, "part.j2")
    assert CANARY in "".join(rendered(workshop).files.values())


@pytest.mark.parametrize("path", ["../beside/x.yaml", "env/linked.yaml"])
def test_a_source_of_files(workshop: Workshop, path: str) -> None:
    workshop.template(PRINTS.replace("word", "app.word"))
    beside(workshop, "x.yaml").write_text(f"word: {CANARY}\n")
    link(workshop, "env/linked.yaml", beside(workshop, "x.yaml"))
    workshop.write({"kit.yaml": KIT + f"sources: [{{kind: files, path: {path}}}]\n"})
    refused(workshop, "source files")
    assert CANARY in "".join(rendered(workshop).files.values())


def test_the_folder_of_file_config(workshop: Workshop) -> None:
    beside(workshop, "app").mkdir()
    beside(workshop, "app/east-env.json").write_text(f'{{"env": [], "word": "{CANARY}"}}')
    workshop.write({"kit.yaml": KIT + "plugin: {path: file-config, options: {configPath: ../beside}}\n"})
    refused(workshop, "source file-config")


@pytest.mark.parametrize(
    "name", ["base-var.yaml", "type/test-var.yaml", "clusters/east/configuration-var.yaml", "clusters/east"]
)
def test_settings_that_are_a_link(workshop: Workshop, name: str) -> None:
    if name == "clusters/east":
        (workshop.folder / "clusters/east").rename(beside(workshop, "east"))
        link(workshop, name, beside(workshop, "east"))
    else:
        link(workshop, name, beside(workshop, "var.yaml"))
    refused(workshop, name)
    rendered(workshop)


@pytest.mark.parametrize("part", ["images", "type", "cluster", "resources", "base"])
def test_a_folder_that_kit_yaml_declares(workshop: Workshop, part: str) -> None:
    lines = [line.replace("{path: .", "{path: ../beside/.") if line.startswith(part) else line
             for line in KIT.splitlines()]  # fmt: skip
    workshop.write({"kit.yaml": "\n".join(lines) + "\n"})
    refused(workshop, "kit.yaml:")


def test_kit_yaml_itself(workshop: Workshop) -> None:
    beside(workshop, "kit.yaml").write_text(f"- {CANARY}\n")
    link(workshop, "kit.yaml", beside(workshop, "kit.yaml"))
    refused(workshop, "kit.yaml")


@pytest.mark.parametrize(
    ("target", "why"),
    [("codeship.aes", "it is the key's file"), (".git/config", "it is git's own")],
)
def test_what_is_in_the_repository_and_not_for_everybody(workshop: Workshop, target: str, why: str) -> None:
    workshop.write({target: MANIFEST})
    link(workshop, "resources/a.yaml", f"../{target}")
    workshop.resources("app: {file: a.yaml}")
    refused(workshop, "base-cluster.yaml:4", why=why)


def test_links_that_stay_inside(workshop: Workshop, tmp_path: Path) -> None:
    workshop.write({"shared/app.mustache": PRINTS, "shared/var.yaml": "kind: ResourceConfig\nword: fine\n"})
    link(workshop, "resources/app/app.mustache", "../../shared/app.mustache")
    link(workshop, "base-var.yaml", "shared/var.yaml")
    (tmp_path / "way").symlink_to(workshop.folder)  # the way to the repository is the user's own
    result = rendered(workshop, KIT_PLACEHOLDERS="true", WORKDIR=str(tmp_path / "way"), CONF=f"{tmp_path}/way/kit.yaml")
    assert "a: 'fine'" in result.files["east/app.yaml"]


@pytest.mark.parametrize("arguments", [("diff", "--against", "HEAD"), ("explain", "east", "app"), ("lint",)])
def test_commands_that_need_no_secret(workshop: Workshop, arguments: tuple[str, ...]) -> None:
    commit(workshop.folder)
    link(workshop, "base-var.yaml", beside(workshop, "var.yaml"))
    refused(workshop, "base-var.yaml", *arguments)


def test_lint_reads_no_template_elsewhere(workshop: Workshop) -> None:
    link(workshop, "resources/unused.mustache", beside(workshop, "x.yaml"))
    refused(workshop, "unused.mustache", "lint")


def test_the_former_state_of_a_diff(workshop: Workshop) -> None:
    workshop.write({"resources/first.yaml": MANIFEST.replace(CANARY, "first")})
    (workshop.folder / "resources/way").symlink_to(".")
    (workshop.folder / "resources/way/linked.yaml").symlink_to(beside(workshop, "x.yaml"))
    workshop.resources(f"app: {{file: {beside(workshop, 'x.yaml')}}}\nother: {{file: linked.yaml}}")
    commit(workshop.folder)
    workshop.resources("app: {file: first.yaml}")
    result = workshop.run("diff", "--against", "HEAD")
    assert CANARY not in result.log + result.out
    assert OUTSIDE in result.log


def test_links_by_way_of_links_in_the_former_state(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    (workshop.folder.parent / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(workshop.folder.parent / "temporary"))
    workshop.write({"resources/first.yaml": MANIFEST.replace(CANARY, "first")})
    link(workshop, "resources/a/b/c/d", "../../..")
    link(workshop, "resources/app.yaml", "a/b/c/d/../../../beside/x.yaml")  # reads as if it stayed in resources/a
    workshop.resources("app: {file: app.yaml}")
    commit(workshop.folder)
    workshop.resources("app: {file: first.yaml}")
    result = workshop.run("diff", "--against", "HEAD")
    assert CANARY not in result.log + result.out
    assert OUTSIDE in result.log


def test_the_names_of_image_files(workshop: Workshop) -> None:
    beside(workshop, f"{CANARY}.yaml").write_text("image: x\n")
    (workshop.folder / "images").mkdir()
    (workshop.folder / "images/shop").symlink_to(beside(workshop))
    workshop.resources("app: {file: app/app.mustache, image_tag: shop, branch: ../x}")
    assert CANARY in workshop.run().log
    refused(workshop, "base-cluster.yaml:4")


@pytest.mark.parametrize(
    "place", ["generated/east/app.yaml", "generated/east", "generated/.kit/east.json", "generated"]
)
def test_links_in_the_output_that_a_diff_compares_with(workshop: Workshop, place: str) -> None:
    rendered(workshop, KIT_PLACEHOLDERS="true")
    path = workshop.folder / place
    path.rename(beside(workshop, "moved"))
    beside(workshop, "moved" if path.suffix else f"moved/{'east/' if place == 'generated' else ''}app.yaml").write_text(
        MANIFEST
    )
    path.symlink_to(beside(workshop, "moved"))
    for arguments in (("--against", "generated"), ("--against", str(workshop.folder / "generated")), ()):
        result = workshop.run("diff", *arguments)
        assert (result.code, CANARY in result.log + result.out) == (2, False), result.log
        assert place in result.log
        assert OUTSIDE in result.log


def test_an_earlier_output_elsewhere_holds_no_links_out_of_it(workshop: Workshop) -> None:
    rendered(workshop)
    kept = beside(workshop, "kept")
    (workshop.folder / "generated").rename(kept)
    assert workshop.run("diff", "--against", "../beside/kept").code == 0
    (kept / "east/other.yaml").symlink_to(kept / "east/app.yaml")
    assert "other.yaml is removed" in workshop.run("diff", "--against", str(kept)).out
    (kept / "east/other.yaml").unlink()
    (kept / "east/other.yaml").symlink_to(beside(workshop, "x.yaml"))
    refused(workshop, "other.yaml", "diff", "--against", "../beside/kept")


def test_without_a_clone_kit_yaml_chooses_no_folder_to_be_shown(workshop: Workshop) -> None:
    beside(workshop, "east").mkdir()
    beside(workshop, "east/app.yaml").write_text(MANIFEST)
    workshop.write({"kit.yaml": KIT.replace("./generated", "../beside")})
    refused(workshop, "beside is not read", "diff")


def test_what_openapi_names(workshop: Workshop) -> None:
    beside(workshop, "api.json").write_text('{"definitions": {}}')
    workshop.write({"api/README": ""})
    link(workshop, "api/a.json", beside(workshop, "api.json"))
    link(workshop, "api.json", beside(workshop, "api.json"))
    for place in ("api", "api.json", str(workshop.folder / "api")):
        refused(workshop, "KIT_OPENAPI: ", "--openapi", place)
    for place in ("../beside/api.json", "../beside"):  # the user's own, and no link in it
        rendered(workshop, KIT_PLACEHOLDERS="true", KIT_OPENAPI=place)
    beside(workshop, "far").mkdir()
    beside(workshop, "far/a.json").symlink_to(beside(workshop, "api.json"))
    refused(workshop, "KIT_OPENAPI: ", "--openapi", "../beside/far")


@pytest.mark.parametrize("linked", [True, False])
def test_the_key_under_another_name(workshop: Workshop, linked: bool) -> None:
    workshop.write({"keys/prod.yaml": MANIFEST})
    if linked:
        link(workshop, "codeship.aes", "keys/prod.yaml")
    workshop.resources("app: {file: ../keys/prod.yaml}")
    for name in ("CODESHIP_AES_KEY_FILE", "KIT_ENVAPI_ACCESS_TOKEN_FILE"):
        env = {} if linked else {name: str(workshop.folder / "keys/prod.yaml")}
        result = workshop.run(KIT_PLACEHOLDERS="true", **env)
        assert (result.code, CANARY in result.log) == (2, False), result.log
        assert "it is the key's file" in result.log
    assert CANARY in "".join(rendered(workshop).files.values())


@pytest.mark.parametrize("setting", ["WORKDIR", "CONF"])
def test_a_folder_of_the_clone_that_became_a_link_out_of_it(workshop: Workshop, setting: str) -> None:
    beside(workshop, "kit.yaml").write_text((workshop.folder / "kit.yaml").read_text())
    commit(workshop.folder)
    link(workshop, "deploy", beside(workshop))
    value = {"WORKDIR": "deploy", "CONF": "deploy/kit.yaml"}[setting]
    result = workshop.run(KIT_PLACEHOLDERS="true", **{setting: value})
    assert result.code == 2
    assert "deploy is not followed: it is a link in the clone " in result.log


@pytest.mark.parametrize("where", ["strange", "new", "link", ".git"])
def test_an_output_outside_is_not_written(workshop: Workshop, where: str) -> None:
    beside(workshop, "strange/east").mkdir(parents=True)
    beside(workshop, "strange/east/theirs.yaml").write_text("a: 1\n")
    link(workshop, "link", beside(workshop, "strange"))
    (workshop.folder / ".git").mkdir()
    path = where if where in {"link", ".git"} else f"../beside/{where}"
    workshop.write({"kit.yaml": KIT.replace("./generated", path)})
    result = workshop.run(KIT_PLACEHOLDERS="true")
    assert result.code == 2, result.log
    assert ("it is git's own" if where == ".git" else "it lies outside the repository") in result.log
    assert beside(workshop, "strange/east/theirs.yaml").exists()
    assert not beside(workshop, "new").exists()


def test_a_folder_made_for_the_output_is_written(workshop: Workshop) -> None:
    beside(workshop, "made").mkdir()
    workshop.write({"kit.yaml": KIT.replace("./generated", "../beside/made")})
    for _ in range(2):
        rendered(workshop, KIT_PLACEHOLDERS="true")
    assert beside(workshop, "made/east/app.yaml").exists()
