# SPDX-License-Identifier: MIT
"""The original's semantics of merging, images and containers, rule by rule, as a repository's owner meets them."""

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, SEEN, Workshop, seen


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
