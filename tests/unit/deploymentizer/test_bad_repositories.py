# SPDX-License-Identifier: MIT
"""Bad input: one sentence that says what, where, why and what next, the exit code, and nothing changed outside."""

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Result, Workshop


def refused(result: Result, *sentences: str, code: int = 2) -> None:
    """The run failed with exactly one error that holds these, without a traceback, and wrote nothing."""
    assert result.code == code, result.log
    errors = [line for line in result.log.splitlines() if "error: " in line]
    assert len(errors) == 1, result.log
    for sentence in sentences:
        assert sentence in errors[0]
    assert "Traceback" not in result.log
    assert result.files == {}


def test_a_missing_kit_yaml(workshop: Workshop) -> None:
    result = workshop.run(CONF="nowhere/kit.yaml")
    refused(
        result,
        f"{workshop.folder}/nowhere/kit.yaml: kit.yaml is missing",
        "CONF names the file that says where a deployments repository keeps everything",
        "Mount the repository",
    )


def test_a_folder_in_place_of_kit_yaml(workshop: Workshop) -> None:
    refused(workshop.run(CONF="."), f"{workshop.folder}: kit.yaml cannot be read: Is a directory")


LONG = "x" * 300


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("./clusters", LONG, "The folder of clusters cannot be read: File name too long"),
        ("./type", LONG, "The folder of types cannot be read: File name too long"),
        ("./images", LONG, "An image file cannot be read: File name too long"),
        ("{path: .}", f"{{path: {LONG}}}", "The base of all clusters cannot be read: File name too long"),
        ("./generated", '"a\\0b"', "kit.yaml does not say where output is: output.path is no path"),
        ("./type", "./kit.yaml", "The folder of types cannot be read: Not a directory"),
    ],
)
def test_a_path_of_kit_yaml_that_no_system_takes(workshop: Workshop, old: str, new: str, sentence: str) -> None:
    workshop.app(CONFIG_MAP, "  image_tag: shop\n")
    workshop.write({"kit.yaml": KIT.replace(old, new), "images/shop/master.yaml": "image: shop:1\n"})
    refused(workshop.run(), sentence)


@pytest.mark.parametrize("how", ["folder", "dangling link"])
def test_a_clusters_definition_that_cannot_be_read_is_not_passed_over(workshop: Workshop, how: str) -> None:
    """It would look as if the cluster were gone, and cleaning would remove its manifests."""
    path = workshop.folder / "clusters/east/cluster.yaml"
    path.unlink()
    if how == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    refused(workshop.run(), "clusters/east/cluster.yaml: A cluster's definition cannot be read")


@pytest.mark.parametrize(
    "name", ["../east", "a/b", ".git", r"'a\b'", r'"a\nb"', r'"a\eb"', "x" * 241, "[a]", "{}", "''"]
)
@pytest.mark.parametrize("what", ["cluster", "service"])
def test_a_name_that_no_file_can_have(workshop: Workshop, name: str, what: str) -> None:
    if what == "cluster":
        workshop.cluster("north", metadata=f"type: test, name: {name}")
    else:
        workshop.resources(f"app: {{svc: {{name: {name}}}}}")
    before = sorted(workshop.folder.parent.rglob("*"))
    result = workshop.run()
    if (what, name) in {("service", "[a]"), ("service", "{}")}:  # they print as names that files can have
        assert "generated" in result.log
        return
    told = "metadata.name must be a name" if what == "cluster" else "svc of resource app has no name"
    refused(result, told)
    assert sorted(workshop.folder.parent.rglob("*")) == before


def test_aliases_of_aliases_do_not_keep_a_run_from_ending(workshop: Workshop) -> None:
    aliases = "".join(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}, z: *a{n - 1}}}\n" for n in range(1, 40))
    workshop.write({"base-var.yaml": "kind: ResourceConfig\na0: &a0 {b: 1}\n" + aliases})
    workshop.app(CONFIG_MAP + "{{nothing}}")
    assert "nothing sets nothing" in workshop.run().log
    workshop.template("a: {{ a39.x.y.w }}", name="app/app.j2")
    workshop.resources("app: {file: ./app/app.j2}")
    result = workshop.run()
    assert "has no attribute 'w'" in result.log


def test_kit_yaml_is_looked_for_where_images_mount_it(workshop: Workshop) -> None:
    refused(workshop.run(CONF=""), "/manifests/kit.yaml: kit.yaml is missing")


@pytest.mark.parametrize(
    ("file", "text", "place", "why"),
    [
        ("kit.yaml", "base: {path: .\nimages: x\n", "kit.yaml:2:7", "malformed YAML"),
        ("base-var.yaml", "kind: ResourceConfig\na: b: c\n", "base-var.yaml:2:5", "mapping values are not allowed"),
        ("clusters/east/cluster.yaml", "kind: x\n\tname: y\n", "clusters/east/cluster.yaml:2:1", "malformed YAML"),
        ("type/test-var.yaml", "a: 'b\n", "type/test-var.yaml:1:4", "malformed YAML"),
        ("clusters/east/configuration-var.yaml", "a: *b\n", "configuration-var.yaml:1:4", "malformed YAML"),
        ("base-cluster.yaml", "a: 1\n---\nb: 2\n", "base-cluster.yaml:3:1", "a second document begins here"),
        ("base-var.yaml", "a: \ufffe\n", "base-var.yaml:1:4", "not allowed in YAML"),
    ],
)
def test_malformed_yaml_says_file_line_and_column(
    workshop: Workshop, file: str, text: str, place: str, why: str
) -> None:
    workshop.write({file: text})
    refused(workshop.run(), place, why)


@pytest.mark.parametrize(
    ("file", "text", "sentences"),
    [
        ("kit.yaml", "[]\n", ("kit.yaml must be a map",)),
        ("kit.yaml", KIT.replace("{path: ./clusters}", "{}"), ("does not say where cluster is", "cluster.path")),
        ("kit.yaml", KIT.replace("./clusters", "./klusters"), ("The folder of clusters is missing", "cluster.path")),
        ("kit.yaml", KIT.replace("{path: .}", "{path: ./deep}"), ("deep/base-cluster.yaml", "begin at WORKDIR")),
        ("kit.yaml", KIT + "plugin: {options: {}}\n", ("plugin has no path",)),
        ("kit.yaml", KIT + "plugin: {path: x/file-konfig}\n", ("kit.yaml:8", "plugin x/file-konfig", "file-config")),
        ("kit.yaml", KIT + "plugin: {path: x/file-config}\n", ("configPath is not set", "kit.yaml:8")),
        ("kit.yaml", KIT + "plugin: {path: x/env-api-client-v3}\n", ("ENVAPI_ACCESS_TOKEN is not set",)),
        ("base-cluster.yaml", "kind: ResourceConfig\n", ("base-cluster.yaml:1", "must be of kind ClusterNamespace")),
        ("base-var.yaml", "a: 1\n", ("must be of kind ResourceConfig", "it does not say its kind")),
        ("clusters/east/cluster.yaml", "", ("east/cluster.yaml:1", "must be of kind ClusterNamespace")),
        (
            "clusters/east/cluster.yaml",
            "kind: ClusterNamespace\nmetadata:\n  type: test\n",
            ("clusters/east/cluster.yaml:2", "metadata.name must be a name", "it is not set"),
        ),
        (
            "clusters/east/cluster.yaml",
            "kind: ClusterNamespace\nmetadata:\n  type: test\n  name: ../west\n",
            ("clusters/east/cluster.yaml:4", "it is '../west'"),
        ),
        (
            "clusters/east/cluster.yaml",
            "kind: ClusterNamespace\nmetadata: {name: east}\n",
            ("cluster east has no type", "metadata.type is not set"),
        ),
        (
            "clusters/east/cluster.yaml",
            "kind: ClusterNamespace\nmetadata:\n  name: east\n  type: tset\n",
            ("clusters/east/cluster.yaml:4", "cluster east is of unknown type tset", "there are prod, test"),
        ),
        (
            "clusters/east/cluster.yaml",
            "kind: ClusterNamespace\nmetadata:\n  name: west\n  type: test\n",
            ("two clusters are named west", "clusters/east/cluster.yaml has the same name"),
        ),
        ("type/more-var.yaml", "kind: ResourceConfig\n", ("type/more-var.yaml:1", "which type it is")),
        (
            "clusters/east/cluster.yaml",
            "kind: ClusterNamespace\nmetadata: {name: east, type: test}\nresources: [app]\n",
            ("clusters/east/cluster.yaml:3", "resources must be a map"),
        ),
    ],
)  # fmt: skip
def test_a_wrong_repository_says_what_and_where(
    workshop: Workshop, file: str, text: str, sentences: tuple[str, ...]
) -> None:
    workshop.write({file: text})
    refused(workshop.run(), *sentences)


@pytest.mark.parametrize(
    ("resource", "sentences"),
    [
        ("app:", ("base-cluster.yaml:4", "resource app must be a map", "it is empty")),
        ("app: text", ("base-cluster.yaml:4", "resource app must be a map")),
        ("app: {file: ./app/app.txt}", ("./app/app.txt is of an unknown kind", "'.txt'")),
        ("app: {file: ./app/none.mustache}", ("resources/app/none.mustache", "A template cannot be read")),
        ("app: {file: ./app/none.yaml}", ("resources/app/none.yaml", "A manifest cannot be read")),
        ("app: {svc: {}}", ("svc of resource app has no name", "svc.name is not set")),
        ("app: {svc: {name: a/b}}", ("svc of resource app has no name", "'a/b'")),
        ("app: {containers: [1]}", ("containers of resource app must be a map",)),
        ("app: {containers: {con: }}", ("container con of resource app must be a map", "it is empty")),
    ],
)
def test_a_wrong_resource_says_what_and_where(workshop: Workshop, resource: str, sentences: tuple[str, ...]) -> None:
    workshop.resources(resource)
    refused(workshop.run(), "[east, west]", *sentences)


def test_a_problem_of_many_clusters_is_told_once(workshop: Workshop) -> None:
    workshop.resources("app: {svc: {}}")
    for number in range(5):
        workshop.cluster(f"c{number}")
    refused(workshop.run(), "[c0, c1, c2 and 4 more]")


def test_two_resources_that_write_one_file(workshop: Workshop) -> None:
    workshop.template(CONFIG_MAP)
    workshop.template(CONFIG_MAP, name="other/app.mustache")
    workshop.resources("app: {file: ./app/app.mustache}\nother: {file: ./other/app.mustache}")
    refused(
        workshop.run(),
        "resources app and other would write app.yaml",
        "resources/app/app.mustache",
        "resources/other/app.mustache",
    )


def test_a_resource_that_fails_where_that_is_allowed_makes_none_of_its_files(workshop: Workshop) -> None:
    workshop.template(CONFIG_MAP)
    workshop.template(CONFIG_MAP, name="other/other.mustache")
    workshop.resources(
        "app: {file: ./app/app.mustache}\nother: {file: ./other/other.mustache, svc: {name: app}}",
        metadata="{name: base, allowFailure: true}",
    )
    result = workshop.run()
    assert result.code == 0
    assert "resources app and other would write app.yaml" in result.log
    assert list(result.files) == ["east/app.yaml", "west/app.yaml"]


def test_a_template_that_cannot_be_parsed(workshop: Workshop) -> None:
    workshop.app("a\n{{#b}}\n")
    refused(workshop.run(), "resources/app/app.mustache:2:1", "section 'b' is not closed")


def test_a_missing_service_template(workshop: Workshop) -> None:
    workshop.resources("app: {svc: {name: app}}")
    (workshop.folder / "resources/base-svc.mustache").unlink()
    refused(workshop.run(), "There is no template for Services", "base-svc.mustache")


@pytest.mark.parametrize(
    ("env", "sentences"),
    [
        ({"CLUSTER_NAME": "a", "CLUSTER_TYPE": "b"}, ("CLUSTER_NAME and CLUSTER_TYPE exclude each other",)),
        ({"DEPLOY_ID": "a"}, ("DEPLOY_ID needs RESOURCE",)),
        ({"FAST_ROLLBACK": "true", "RESOURCE": "a"}, ("FAST_ROLLBACK needs DEPLOY_ID",)),
        ({"KIT_RESORCE": "a"}, ("KIT_RESORCE is no setting; KIT_RESOURCE is probably meant",)),
        ({"SAVE": "maybe"}, ("SAVE", "maybe", "expected true or false")),
        ({"KIT_VALIDATE": "loud"}, ("KIT_VALIDATE", "expected one of error, warn, off")),
    ],
)
def test_settings_that_are_wrong(workshop: Workshop, env: dict[str, str], sentences: tuple[str, ...]) -> None:
    workshop.app(CONFIG_MAP)
    refused(workshop.run(**env), *sentences)


def test_settings_of_the_makers_own_service_are_accepted(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    result = workshop.run(ELROY_URL="https://elroy.example.com", ELROY_SECRET="x", ELROY_ONLY="true")
    assert result.code == 0
    assert "ELROY_URL is accepted for compatibility and has no effect" in result.log


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"CLUSTER_NAME": "eats"}, "there is no cluster eats; is east meant?"),
        ({"CLUSTER_TYPE": "none"}, "there is no cluster of type none"),
        ({"RESOURCE": "ap"}, "resource ap is not there; is app meant?"),
        ({"RESOURCE": "unheard-of"}, "resource unheard-of is not there"),
    ],
)
def test_limits_that_nothing_meets_warn_as_the_original_did(
    workshop: Workshop, env: dict[str, str], sentence: str
) -> None:
    workshop.app(CONFIG_MAP)
    result = workshop.run(**env)
    assert result.code == 0
    assert f"warning: {sentence}" in result.log or f"] {sentence}" in result.log
    assert result.files == {}


def test_paths_begin_beside_kit_yaml_where_the_base_is_there_and_not_here(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    inner = Workshop(workshop.folder / "inner")
    inner.app(CONFIG_MAP)
    for name in ("base-cluster.yaml", "base-var.yaml"):
        (workshop.folder / name).unlink()
    result = workshop.run(CONF="inner/kit.yaml")
    assert result.code == 0, result.log
    assert f"The paths in kit.yaml begin at its own folder, {workshop.folder}/inner" in result.log
    assert list(inner.output()) == ["east/app.yaml", "west/app.yaml"]


def test_paths_begin_at_workdir_where_it_is_set(workshop: Workshop) -> None:
    inner = Workshop(workshop.folder / "inner")
    inner.app(CONFIG_MAP)
    assert workshop.run(WORKDIR="inner").code == 0
    assert list(inner.output()) == ["east/app.yaml", "west/app.yaml"]
    assert workshop.output() == {}
