# SPDX-License-Identifier: MIT
"""The original's semantics, rule by rule, as a repository's owner meets them."""

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

SEEN = CONFIG_MAP + "data:\n  seen: '{{{%s}}}'\n"


def seen(workshop: Workshop, cluster: str = "east", file: str = "app.yaml") -> str:
    """What the template of `SEEN` saw."""
    return workshop.output()[f"{cluster}/{file}"].split("seen: '")[1].rstrip("'\n")


def test_1_settings_of_the_cluster_win_over_the_types_and_those_over_the_base(workshop: Workshop) -> None:
    workshop.app(SEEN % "a}}}{{{b}}}{{{c")
    workshop.write({
        "base-var.yaml": "kind: ResourceConfig\na: base\nb: base\nc: base\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\nb: type\nc: type\n",
        "clusters/east/configuration-var.yaml": "kind: ResourceConfig\nc: cluster\n",
    })  # fmt: skip
    assert workshop.run().code == 0
    assert seen(workshop) == "basetypecluster"
    assert seen(workshop, "west") == "basebasebase"


def test_1_resources_of_the_cluster_win_over_the_base(workshop: Workshop) -> None:
    workshop.app(SEEN % "app.note", "  note: base\n")
    workshop.cluster("east", "app: {note: east}")
    workshop.cluster("west", "app:")
    assert workshop.run("--validate", "off").code == 0
    assert (seen(workshop), seen(workshop, "west")) == ("east", "base")


def test_3_what_is_disabled_after_merging_makes_no_file(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  disable: true\n")
    workshop.cluster("east", "app: {disable: false}")
    workshop.cluster("south", metadata="type: test, disable: true")
    assert workshop.run().code == 0
    assert list(workshop.output()) == ["east/app.yaml"]
    assert not (workshop.folder / "generated/south").exists()


def test_3_a_failing_resource_is_a_warning_where_failure_is_allowed(workshop: Workshop) -> None:
    workshop.resources("app: {file: ./app/app.mustache}\nbroken: {file: ./app/app.mustache, image_tag: org/none}")
    workshop.template(CONFIG_MAP)
    for name in ("east", "west"):
        workshop.cluster(name, metadata="type: test, allowFailure: true")
    result = workshop.run()
    assert result.code == 0
    assert "warning" in result.log
    assert "image_tag org/none has no image of branch master" in result.log
    assert list(workshop.output()) == ["east/app.yaml", "west/app.yaml"]
    assert workshop.index("east")["complete"] is False
    assert workshop.index("east")["left_out"] == ["broken"]


def test_3_a_failing_resource_fails_the_run_elsewhere_and_nothing_is_written(workshop: Workshop) -> None:
    workshop.resources("app: {file: ./app/app.mustache}\nbroken: {file: ./app/app.mustache, image_tag: org/none}")
    workshop.template(CONFIG_MAP)
    workshop.cluster("east", metadata="type: test, allowFailure: true")
    assert workshop.run().code == 2
    assert workshop.output() == {}


@pytest.mark.parametrize(
    ("resource", "expression", "value"),
    [
        ("", "name", "app"),
        ("", "branch", "master"),
        ("  branch: release\n", "branch", "release"),
        ("  containers: {con: {size: 7}}\n", "con.size", "7"),
        ("  containers: {con: {size: 7}}\n", "app.size", ""),
        ("  containers: {con: {name: own}}\n", "con.name", "own"),
        ("  containers: {con: {size: 7}}\n", "con.name", "app"),
        ("  containers: {con: {size: 7}}\n", "con.resourceName", "app"),
        ("  svc: {name: app-svc}\n", "svc.name", "app-svc"),
        ("", "deployment.id", ""),
    ],
)
def test_4_and_5_what_a_template_sees(workshop: Workshop, resource: str, expression: str, value: str) -> None:
    workshop.app(SEEN % expression, resource)
    assert workshop.run("--validate", "off").code == 0
    assert seen(workshop) == value


def test_4_the_branch_is_the_clusters_where_the_resource_has_none(workshop: Workshop) -> None:
    workshop.app(SEEN % "branch")
    workshop.cluster("east", metadata="type: test, branch: develop")
    workshop.run()
    assert seen(workshop) == "develop"


def test_4_the_deploy_id_is_seen_and_settings_beside_it_stay(workshop: Workshop) -> None:
    workshop.app(SEEN % "deployment.id}}} {{{deployment.fastRollback}}} {{{deployment.replicas")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\ndeployment: {replicas: 3}\n"})
    workshop.run(RESOURCE="app", DEPLOY_ID="d1")
    assert seen(workshop) == "d1 false 3"
    workshop.run(RESOURCE="app", DEPLOY_ID="d2", FAST_ROLLBACK="true")
    assert seen(workshop) == "d2 true 3"


def test_4_the_deploy_ids_map_is_made_where_there_is_none(workshop: Workshop) -> None:
    workshop.app(SEEN % "deployment.id")
    workshop.run(RESOURCE="app", DEPLOY_ID="d1")
    assert seen(workshop) == "d1"


def test_5_a_container_knows_the_commit(workshop: Workshop) -> None:
    workshop.app(SEEN % "app.gitRef")
    assert workshop.run(KIT_COMMIT_ID="abc1234").code == 0
    assert seen(workshop) == "abc1234"


@pytest.mark.parametrize("variable", ["COMMIT_ID", "CI_COMMIT_ID", "GITHUB_SHA", "GIT_COMMIT"])
def test_5_the_commit_is_never_taken_from_a_cis_own_variable(workshop: Workshop, variable: str) -> None:
    workshop.app(SEEN % "app.gitRef")
    workshop.run(**{variable: "abc1234"})
    assert seen(workshop) == ""


@pytest.mark.parametrize(
    ("resource", "cluster_branch", "image"),
    [
        ("  image_tag: org/app\n", "master", "reg/app:m"),
        ("  image_tag: org/app\n  branch: release\n", "master", "reg/app:r"),
        ("  branch: master\n  containers: {app: {image_tag: org/app, branch: release}}\n", "develop", "reg/app:r"),
        ("  image_tag: org/app\n", "release", "reg/app:r"),
        ("  image_tag: org/app\n  image: fixed:1\n", "none", "fixed:1"),
        ("", "none", ""),
    ],
)
def test_6_an_image_comes_from_tag_and_branch(
    workshop: Workshop, resource: str, cluster_branch: str, image: str
) -> None:
    workshop.app(SEEN % "app.image", resource)
    workshop.write(
        {"images/org/app/master.yaml": "image: reg/app:m\n", "images/org/app/release.yaml": "image: reg/app:r"}
    )
    for name in ("east", "west"):
        workshop.cluster(name, metadata=f"type: test, branch: {cluster_branch}")
    result = workshop.run()
    assert result.code == 0, result.log
    assert seen(workshop) == image
    assert ("keeps the image that is set, fixed:1" in result.log) == (image == "fixed:1")


def test_6_the_property_of_an_image_file_may_have_another_name(workshop: Workshop) -> None:
    workshop.app(SEEN % "app.image", "  image_tag: org/app\n")
    workshop.write({"images/org/app/master.yaml": "reference: reg/app:m\n"})
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({"kit.yaml": kit.replace("property: image", "property: reference")})
    workshop.run()
    assert seen(workshop) == "reg/app:m"


def test_6_a_missing_image_names_tag_branch_and_what_there_is(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  image_tag: org/app\n")
    workshop.write({"images/org/app/release.yaml": "image: a\n", "images/org/app/feature/x.yaml": "image: b\n"})
    result = workshop.run()
    assert result.code == 2
    assert "image_tag org/app has no image of branch master" in result.log
    assert "It has feature/x, release" in result.log
    assert "base-cluster.yaml:4" in result.log


@pytest.mark.parametrize(
    ("images", "commit", "code"),
    [
        (["reg/a:master-abc1234"], "abc1234", 0),
        (["reg/a:master-abc1234"], "abc1234def5678", 0),
        (["reg/a:master-abc1234def5678"], "ABC1234", 0),
        (["reg/a:master-abc1234", "reg/b:master-ffffff1"], "ffffff1", 0),
        (["reg/a:master-abc1234"], "abc12", 2),
        (["reg/a:master-abc1234"], "eeeeee1", 2),
        (["reg/a:v1.2"], "eeeeee1", 0),
        (["reg/a:master-abcdefg"], "eeeeee1", 0),
    ],
)
def test_6_a_named_commit_must_be_that_of_one_image(
    workshop: Workshop, images: list[str], commit: str, code: int
) -> None:
    containers = "".join(f"    c{index}: {{image: '{image}', primary: {'true' if not index else 'false'}}}\n"
                         for index, image in enumerate(images))  # fmt: skip
    workshop.app(CONFIG_MAP, f"  containers:\n{containers}")
    result = workshop.run(RESOURCE="app", KIT_COMMIT_ID=commit)
    assert result.code == code, result.log
    assert ("resource app is not built from commit" in result.log) == (code != 0)
    # Without RESOURCE there is nothing that the commit could be about.
    assert workshop.run(KIT_COMMIT_ID=commit).code == 0


@pytest.mark.parametrize(
    ("resource", "containers", "code"),
    [
        ("app", "{a: {primary: true}, b: {primary: false}}", 0),
        ("app", "{a: {image: x, image_tag: org/a}, b: {}}", 0),
        ("app", "{a: {image: x, image_tag: org/a}, b: {image: x, image_tag: org/b, primary: false}}", 0),
        ("app", "{a: {}, b: {}}", 2),
        ("app", "{a: {primary: true}, b: {primary: true}}", 2),
        ("app", "{a: {image: x, image_tag: org/a}, b: {image: x, image_tag: org/b}}", 2),
        ("app-hpa", "{a: {}, b: {}}", 0),
        ("app", "{a: {primary: false}}", 0),
    ],
)
def test_7_of_several_containers_one_is_primary(workshop: Workshop, resource: str, containers: str, code: int) -> None:
    workshop.template(CONFIG_MAP)
    workshop.resources(f"{resource}:\n  file: ./app/app.mustache\n  containers: {containers}")
    result = workshop.run()
    assert result.code == code, result.log
    assert ("resource app must have exactly one primary container" in result.log) == (code != 0)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("", "zwei ümlaut"), (", encoding: utf8", "zwei ümlaut"), (", encoding: base64", "endlaSDDvG1sYXV0"),
     (", encoding: hex", "7a77656920c3bc6d6c617574"), (", encoding: ascii", "zwei C<mlaut"),
     (", encoding: binary", "zwei Ã¼mlaut")],
)  # fmt: skip
def test_8_external_values_come_from_the_environment(workshop: Workshop, encoding: str, text: str) -> None:
    workshop.app((SEEN % "value").replace("{{{value}}}", "{{#app.env}}{{{value}}}{{/app.env}}"),
                 f"  env: [{{name: TOKEN, external: true{encoding}}}]\n")  # fmt: skip
    result = workshop.run(TOKEN="zwei ümlaut")
    assert result.code == 0, result.log
    assert seen(workshop) == text


@pytest.mark.parametrize(("env", "why"), [({}, "not set"), ({"TOKEN": ""}, "empty")])
def test_8_a_missing_external_value_names_its_variable(workshop: Workshop, env: dict[str, str], why: str) -> None:
    workshop.app(CONFIG_MAP, "  env: [{name: TOKEN, external: true}]\n")
    result = workshop.run(**env)
    assert result.code == 2
    assert "external value TOKEN of container app is not there" in result.log
    assert f"the environment variable TOKEN is {why}" in result.log


def test_8_an_unknown_encoding_is_named(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  env: [{name: TOKEN, external: true, encoding: rot13}]\n")
    result = workshop.run(TOKEN="x")
    assert result.code == 2
    assert "unknown encoding rot13" in result.log


def test_9_files_are_copied_rendered_or_made_of_the_service_template(workshop: Workshop) -> None:
    plain = "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: plain}   # {{kept}}\r\n"
    workshop.write({"resources/plain/plain.yaml": ""})
    (workshop.folder / "resources/plain/plain.yaml").write_bytes(plain.encode())
    workshop.template(CONFIG_MAP)
    workshop.resources(
        "plain: {file: ./plain/plain.yaml}\n"
        "app: {file: ./app/app.mustache, svc: {name: app-svc}}\n"
        "outside: {svc: {name: other}}"
    )
    assert workshop.run().code == 0
    assert [name for name in workshop.output() if name.startswith("east/")] == [
        "east/app-svc.yaml",
        "east/app.yaml",
        "east/other.yaml",
        "east/plain.yaml",
    ]
    assert (workshop.folder / "generated/east/plain.yaml").read_bytes() == plain.encode()
    assert workshop.output()["east/other.yaml"].endswith("name: other\nspec:\n  selector: {name: 'outside'}\n")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{#a}}\r\nkey: '{{a}}'\r\n{{/a}}\r\n", "key: 'x'\r\n"),
        ("key: '{{a}}'", "key: 'x'"),
        ("# {{a}}\t\r\n\n\n", "# x\t\r\n\n\n"),
    ],
)
def test_9_line_ends_and_a_byte_order_mark_stay_as_the_template_has_them(
    workshop: Workshop, template: str, text: str
) -> None:
    head = "\ufeffapiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: app}\r\n"
    workshop.app("")
    (workshop.folder / "resources/app/app.mustache").write_bytes((head + template).encode())
    (workshop.folder / "base-var.yaml").write_bytes("\ufeffkind: ResourceConfig\r\na: x\r\n".encode())
    result = workshop.run()
    assert result.code == 0, result.log
    assert (workshop.folder / "generated/east/app.yaml").read_bytes() == (head + text).encode()


def test_11_a_file_plugin_wins_except_over_the_containers_own_env(workshop: Workshop) -> None:
    workshop.app(
        (SEEN % "app.size").replace("}}}'", "}}}{{#app.env}} {{{name}}}={{{value}}}{{/app.env}}'"),
        "  size: own\n  env: [{name: A, value: own}]\n",
    )
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({
        "kit.yaml": kit + "plugin: {path: ../plugin/file-config, options: {configPath: ./config}}\n",
        "config/app/east-env.json": '{"size": "plugin", "env": [{"name": "A", "value": 1}, {"name": "B", "value": 2}]}',
        "config/app/west-env.json": "{}",
    })  # fmt: skip
    result = workshop.run("--validate", "off")
    assert result.code == 0, result.log
    assert seen(workshop) == "plugin A=own B=2"
    assert "config/app/east-env.json" in workshop.index("east")["files"]["app.yaml"]["inputs"]


def test_11_a_missing_file_of_the_plugin_is_an_error(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({"kit.yaml": kit + "plugin: {path: /src/plugin/file-config, options: {configPath: config}}\n"})
    result = workshop.run()
    assert result.code == 2
    assert "config/app/east-env.json" in result.log
    assert "Plugin file-config wants one for every container and cluster" in result.log


def test_a_folder_without_cluster_yaml_is_no_cluster(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"clusters/notes/readme.txt": "no cluster.yaml here"})
    assert workshop.run().code == 0
    assert list(workshop.output()) == ["east/app.yaml", "west/app.yaml"]
