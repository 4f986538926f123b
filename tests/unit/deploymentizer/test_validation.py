# SPDX-License-Identifier: MIT
"""VALIDATE: what is wrong before a cluster sees it, with its place."""

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

ENV_API = "plugin: {path: x/env-api-client-v3, options: {apiUrl: 'https://example.com'}}\n"


@pytest.mark.parametrize(
    ("file", "text", "place", "key", "meant"),
    [
        ("kit.yaml", KIT + "clean: true\n", "kit.yaml:8", "clean", None),
        ("kit.yaml", KIT.replace("property", "proprety"), "kit.yaml:3", "images.proprety", "property"),
        ("clusters/east/cluster.yaml", "kind: ClusterNamespace\nmetadata:\n  name: east\n  type: test\n  brunch: x\n",
         "clusters/east/cluster.yaml:5", "metadata.brunch", "branch"),
        ("clusters/east/cluster.yaml", "kind: ClusterNamespace\nmetadata:\n  name: east\n  type: test\n  owner: me\n",
         "clusters/east/cluster.yaml:5", "metadata.owner", None),
        ("clusters/east/cluster.yaml", "kind: ClusterNamespace\nmetadata: {name: east, type: test}\nresource: {}\n",
         "clusters/east/cluster.yaml:3", "resource", "resources"),
        ("base-cluster.yaml",
         "kind: ClusterNamespace\nmetadata: {name: base}\nresources:\n  app:\n    fiel: ./app/app.mustache\n",
         "base-cluster.yaml:5", "resources.app.fiel", "file"),
        ("base-cluster.yaml",
         "kind: ClusterNamespace\nmetadata: {name: base}\nresources:\n  app:\n    size: 1\n    containers: {con: {}}\n",
         "base-cluster.yaml:5", "resources.app.size", None),
    ],
)  # fmt: skip
def test_a_key_that_kit_does_not_know(
    workshop: Workshop, file: str, text: str, place: str, key: str, meant: str | None
) -> None:
    workshop.write({file: text})
    result = workshop.run()
    assert result.code == 2
    assert f"error: {place}: unknown key {key}." in result.log
    assert (f"{meant} is probably meant" in result.log) == (meant is not None)
    warned = workshop.run(KIT_VALIDATE="warn")
    assert warned.code == 0, warned.log
    assert f"warning: {place}: unknown key {key}." in warned.log
    assert "unknown key" not in workshop.run(KIT_VALIDATE="off").log


def test_keys_that_only_templates_read_are_free(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  size: 7\n  svc: {name: app-svc, ports: [1]}\n  kind: deployment\n")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nanything: {goes: here}\n"})
    assert workshop.run().code == 0


def test_an_environment_service_reads_all_of_a_clusters_metadata(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"kit.yaml": KIT + ENV_API})
    workshop.cluster("east", metadata="type: test, owner: me")
    assert workshop.run(ENVAPI_ACCESS_TOKEN="t0ken").code == 0


def test_a_switch_that_is_no_boolean_warns(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.cluster("east", "app:\n  disable: yes")
    result = workshop.run()
    assert result.code == 0
    assert "clusters/east/cluster.yaml:5: disable is neither true nor false" in result.log
    assert "east/app.yaml" in result.files


def test_a_key_that_stands_twice_warns(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"base-var.yaml": "kind: ResourceConfig\na: 1\nb: 2\na: 3\n"})
    result = workshop.run()
    assert result.code == 0
    assert "warning: base-var.yaml:4: a key stands twice in one map: the last one counts" in result.log


def test_a_name_that_nothing_sets_warns_with_its_place_and_the_nearest_one(workshop: Workshop) -> None:
    workshop.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{{name}}}{{{deployment.replicaCont}}}'}\n")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\ndeployment: {replicaCount: 2}\n"})
    result = workshop.run()
    assert result.code == 0
    assert (
        "warning: [east, west] resources/app/app.mustache:3: nothing sets deployment.replicaCont, so it printed as"
        " nothing: for resource app. deployment.replicaCount is set: is it meant?"
    ) in result.log
    assert "nothing sets" not in workshop.run(KIT_VALIDATE="off").log


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: b: c\n", "east/app.yaml:5: malformed YAML"),
        ("just text\n", "this is no Kubernetes object: it is no map"),
        ("kind: ConfigMap\nmetadata: {name: a}\n", "it has no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "it has no kind"),
        ("apiVersion: v1\nkind: ConfigMap\n", "it has no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 123}\n", "its metadata.name is read as 123"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yes}\n", "its metadata.name is read as True"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n",
            "its metadata.namespace is read as False",
        ),
    ],
)
@pytest.mark.parametrize("engine", ["mustache", "j2", "yaml"])
def test_what_no_cluster_would_take(workshop: Workshop, text: str, sentence: str, engine: str) -> None:
    """From Jinja2 and in plain manifests an error; from Mustache one only where VALIDATE=error is asked for."""
    workshop.write({f"resources/app/app.{engine}": text})
    workshop.resources(f"app: {{file: ./app/app.{engine}}}")
    default, strict = workshop.run(), workshop.run(KIT_VALIDATE="error")
    assert sentence in default.log
    assert f"resources/app/app.{engine}" in default.log
    assert default.code == (0 if engine == "mustache" else 1)
    assert strict.code == 1
    assert workshop.run(KIT_VALIDATE="warn").code == 0
    assert sentence not in workshop.run(KIT_VALIDATE="off").log


def test_the_same_object_twice_in_one_cluster(workshop: Workshop) -> None:
    workshop.template(CONFIG_MAP.replace("{{{name}}}", "same"))
    workshop.template(CONFIG_MAP.replace("{{{name}}}", "same"), name="other/other.mustache")
    workshop.resources("app: {file: ./app/app.mustache}\nother: {file: ./other/other.mustache}")
    result = workshop.run()
    assert result.code == 1
    assert "east/other.yaml:1: ConfigMap same is already in app.yaml (resource app)" in result.log
    assert workshop.run(KIT_VALIDATE="warn").code == 0


def test_namespace_kind_and_group_tell_objects_apart_and_versions_do_not(workshop: Workshop) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n"
        "apiVersion: example.com/v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    )
    workshop.app(text)
    assert workshop.run(KIT_VALIDATE="error").code == 0
    versions = "apiVersion: example.com/v1\nkind: A\nmetadata: {name: a}\n"
    workshop.template(versions + "---\n" + versions.replace("v1", "v2"), name="twice/twice.mustache")
    workshop.resources("app: {file: ./app/app.mustache}\ntwice: {file: ./twice/twice.mustache}")
    assert "A a is already in twice.yaml" in workshop.run(KIT_VALIDATE="error").log


def test_a_template_that_renders_nothing_is_fine(workshop: Workshop) -> None:
    workshop.app("{{#never}}\nx\n{{/never}}\n# only a comment\n")
    assert workshop.run(KIT_VALIDATE="error").code == 0


def test_what_was_printed_is_told_again_by_a_run_that_renders_nothing(workshop: Workshop) -> None:
    workshop.app("apiVersion: v1\nkind: Odd\nmetadata: {name: a}\nword: {{{word}}}\n")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nword: yes\n"})
    first, second = workshop.run(), workshop.run()
    assert "result=unchanged" in second.log
    assert [line for line in first.log.splitlines() if "warning" in line] == [
        line for line in second.log.splitlines() if "warning" in line
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("clusters/north/cluster.yml", "cluster.yaml"),
        ("clusters/north/Cluster.yaml", "cluster.yaml"),
        ("clusters/north/clusters.yaml", "cluster.yaml"),
        ("clusters/east/configuration-var.yml", "configuration-var.yaml"),
        ("clusters/east/configuration_var.yaml", "configuration-var.yaml"),
        ("clusters/east/kubeconfig.yml", "kubeconfig.yaml"),
        ("clusters/north.yaml", "north/cluster.yaml"),
        ("type/stage-var.yml", "stage-var.yaml"),
        ("type/stage.yaml", "stage-var.yaml"),
        ("base-var.yml", "base-var.yaml"),
        ("base_cluster.yaml", "base-cluster.yaml"),
    ],
)
def test_a_file_whose_name_is_nearly_right_warns(workshop: Workshop, name: str, meant: str) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({name: "kind: ResourceConfig\n"})
    result = workshop.run()
    assert result.code == 0, result.log
    assert f"warning: {name}: this file is not read: only {meant} is read here. Rename it" in result.log
    assert "is not read" not in workshop.run(KIT_VALIDATE="off").log


def test_files_that_are_nobodys_business_say_nothing(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    others = ["clusters/east/notes.yaml", "clusters/east/kubeconfig.yaml", "clusters/east/cluster.yaml~", "other.yaml",
              "clusters/README.md", "type/README.md", "type/.hidden.yaml", "clusters/east/cluster.txt"]  # fmt: skip
    workshop.write(dict.fromkeys(others, "x"))
    assert "warning" not in workshop.run().log


def test_a_missing_file_that_is_there_under_another_ending_is_named(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  image_tag: shop\n")
    workshop.write({"images/shop/master.yml": "image: shop:1\n"})
    assert "There is shop/master.yml: rename it, only .yaml is read." in workshop.run().log
    (workshop.folder / "base-var.yaml").rename(workshop.folder / "base-var.yml")
    assert "There is base-var.yml: rename it, only base-var.yaml is read." in workshop.run().log
    (workshop.folder / "kit.yaml").rename(workshop.folder / "kit.yml")
    assert "kit.yml is there: set CONF to it, or rename it." in workshop.run().log
