# SPDX-License-Identifier: MIT
"""`lint`: what of a repository nobody uses. A false finding would be worse than none."""

import json
from pathlib import Path

import pytest

from kit_deploymentizer import Deploymentizer, DeploymentizerSettings
from kit_deploymentizer.lint.unused import KINDS
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

EXAMPLE = Path(__file__).parents[3] / "examples/deployments-repo"
IMAGE = "image: registry.example.com/shop/web:1\n"


@pytest.fixture
def tidy(workshop: Workshop) -> Workshop:
    """A repository with nothing to find: every file and every value has its use."""
    workshop.app(
        CONFIG_MAP + "data: {image: '{{{app.image}}}', level: '{{{logs.level}}}'}\n", "  image_tag: shop/web\n"
    )
    workshop.write({
        "images/shop/web/master.yaml": IMAGE,
        "base-var.yaml": "kind: ResourceConfig\nmetadata: {type: base}\nlogs:\n  level: info\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\nlogs: {level: debug}\n",
    })  # fmt: skip
    return workshop


def lint(workshop: Workshop, **env: str) -> list[str]:
    """The lines that it prints."""
    result = workshop.run("lint", **env)
    assert result.code == 0, result.log
    assert result.files == {}
    assert f"findings={len(result.out.splitlines())}" in result.last
    return result.out.splitlines()


def test_a_tidy_repository_has_no_findings(tidy: Workshop) -> None:
    result = tidy.run("lint", "--exit-code")
    assert (result.code, result.out) == (0, "")
    assert "result=clean findings=0" in result.last


def test_the_example_repository_is_tidy() -> None:
    settings = DeploymentizerSettings(conf=EXAMPLE / "kit.yaml", workdir=EXAMPLE)
    assert Deploymentizer(settings, env={}, cwd=EXAMPLE).lint() == ()


def test_images_that_no_resource_names_and_branches_that_no_cluster_takes(tidy: Workshop) -> None:
    tidy.write({
        "images/shop/web/feature/login.yaml": IMAGE,
        "images/shop/web/old.yaml": IMAGE,
        "images/shop/gone/master.yaml": IMAGE,
        "images/shop/gone/develop.yaml": IMAGE,
        "images/shop/rare/rare.yaml": IMAGE,
    })  # fmt: skip
    tidy.cluster("east", "rare: {disable: true, image_tag: shop/rare, branch: rare, file: ./app/app.mustache}")
    assert lint(tidy) == [
        "images/shop/gone/develop.yaml:1: no resource has the image_tag shop/gone",
        "images/shop/web/feature/login.yaml:1: no cluster takes shop/web of feature/login, old",
        "clusters/east/cluster.yaml:4: resource rare is disabled in every cluster that has it",
    ]


def test_a_source_may_name_another_branch(tidy: Workshop) -> None:
    tidy.write({
        "kit.yaml": KIT + "sources: [{kind: exec, command: [./nowhere]}]\n",
        "images/shop/web/old.yaml": IMAGE,
        "images/shop/gone/old.yaml": IMAGE,
    })  # fmt: skip
    assert lint(tidy) == ["images/shop/gone/old.yaml:1: no resource has the image_tag shop/gone"]


def test_a_type_that_no_cluster_is_of(tidy: Workshop) -> None:
    tidy.write({"type/demo-var.yaml": "kind: ResourceConfig\nmetadata:\n  type: demo\n"})
    assert lint(tidy) == ["type/demo-var.yaml:3: no cluster is of type demo"]


def test_settings_that_no_template_reads(tidy: Workshop) -> None:
    tidy.write({
        "base-var.yaml": "kind: ResourceConfig\nlogs:\n  level: info\n  colour: red\nteam: a\nflag: {x: {y: 1}}\n",
        "clusters/east/configuration-var.yaml": "kind: ResourceConfig\n\nteam: b\nlogs: {colour: x, depth: {a: 1}}\n",
    })  # fmt: skip
    assert lint(tidy) == [
        "base-var.yaml:4: no template reads the setting logs.colour (also clusters/east/configuration-var.yaml:4)",
        "base-var.yaml:5: no template reads the setting team (also clusters/east/configuration-var.yaml:3)",
        "base-var.yaml:6: no template reads the setting flag",
        "clusters/east/configuration-var.yaml:4: no template reads the setting logs.depth",
    ]


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("used.mustache", "{{team.boss}}{{team.lead}}"),
        ("used.mustache", "{{#team}}{{boss}}{{lead}}{{/team}}"),
        ("used.mustache", "{{^team}}none{{/team}}"),
        ("used.mustache", "{{=<% %>=}}<% team.boss %><%& team.lead %>"),
        ("broken.mustache", "team.boss lead {{#team"),
        ("used.yaml.j2", "{{ team | to_yaml }}"),
        ("used.j2", "{% for key in team %}{{ key }}{% endfor %}"),
        ("used.j2", "{{ view | to_json }}"),
        ("used.j2", "{{ view[word] }}"),
        ("used.jinja2", "{% set t = view['team'] %}{{ t.boss ~ t.lead }}"),
    ],
)  # fmt: skip
def test_settings_that_a_template_may_read_are_none(tidy: Workshop, name: str, template: str) -> None:
    tidy.write({
        "clusters/east/configuration-var.yaml": "kind: ResourceConfig\nteam: {boss: a, lead: b}\n",
        f"resources/parts/{name}": template,
    })  # fmt: skip
    assert lint(tidy) == []


def test_an_anchor_that_others_take_is_a_use(tidy: Workshop) -> None:
    tidy.write({"base-var.yaml": "kind: ResourceConfig\ncommon: &common\n  level: info\nlogs:\n  <<: *common\n"})
    assert lint(tidy) == []


def test_values_that_nothing_sets(tidy: Workshop) -> None:
    tidy.template(
        CONFIG_MAP + "data:\n  a: '{{{app.image}}}{{{logs.level}}}{{{app.size}}}'\n"
        "  b: '{{{colour}}}{{{deployment.id}}}'\n"
        "  c: '{{{logs.depth}}}'\n{{#extra}}{{{more}}}{{/extra}}\n"
    )  # fmt: skip
    tidy.cluster("west", "app: {size: 3}", metadata="type: prod")
    assert lint(tidy) == [
        "resources/app/app.mustache:6: nothing sets colour, in no cluster",
        "resources/app/app.mustache:7: nothing sets logs.depth, in no cluster",
    ]
    tidy.write({"kit.yaml": KIT + "sources: [{kind: exec, command: [./nowhere]}]\n"})
    assert lint(tidy) == []


def test_overrides_that_say_what_the_base_says(tidy: Workshop) -> None:
    tidy.resources(
        "app:\n  file: ./app/app.mustache\n  image_tag: shop/web\n  svc: {name: app, port: 80}\n"
        "  env:\n    - {name: A, value: 1}\n    - {name: B, value: 1}\n"
    )
    tidy.template(CONFIG_MAP + "data: {a: '{{{app.image}}}{{{logs.level}}}{{{app.env}}}{{{svc.port}}}'}\n")
    tidy.cluster("east", "app: {svc: {name: app, port: 80}, env: [{name: B, value: 1}, {name: A, value: 2}]}")
    tidy.cluster("west", "app: {env: [{name: A, value: 1}]}", metadata="type: prod")
    told = "is overridden with the value that it has here (also clusters/east/cluster.yaml:4)"
    assert lint(tidy) == [
        f"base-cluster.yaml:7: resource value app.svc.port {told}",
        f"base-cluster.yaml:10: resource value app.env.B.value {told}",
    ]


def test_a_base_value_that_nobody_sees(tidy: Workshop) -> None:
    tidy.write({"type/prod-var.yaml": "kind: ResourceConfig\nmetadata: {type: prod}\nlogs: {level: debug}\n"})
    (told,) = lint(tidy)
    assert told.startswith("base-var.yaml:4: setting logs.level is overridden in every cluster with the same value, ")
    assert told.endswith(" (also type/prod-var.yaml:3, type/test-var.yaml:3)")
    tidy.cluster("third", metadata="type: prod")
    tidy.write({"clusters/third/configuration-var.yaml": "kind: ResourceConfig\nlogs: {level: warn}\n"})
    assert lint(tidy) == []


def test_numbers_and_words_that_print_alike_are_not_equal(tidy: Workshop) -> None:
    tidy.write({
        "base-var.yaml": "kind: ResourceConfig\nlogs: {level: 1}\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\nlogs: {level: '1'}\n",
    })  # fmt: skip
    assert lint(tidy) == []


def test_resources_that_are_disabled_everywhere(tidy: Workshop) -> None:
    more = "app:\n  file: ./app/app.mustache\n  image_tag: shop/web\nold:\n  file: ./old.yaml\n  disable: true\n"
    tidy.resources(more)
    assert lint(tidy) == ["base-cluster.yaml:9: resource old is disabled in every cluster that has it"]
    tidy.cluster("west", "old: {disable: false}", metadata="type: prod")
    tidy.write({"resources/old.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: old}\n"})
    assert lint(tidy) == []
    tidy.cluster("west", "old: {disable: false}", metadata="type: prod, disable: true")
    assert len(lint(tidy)) == 1


def test_clusters_without_a_type_are_all_named(tidy: Workshop) -> None:
    for name in ("a", "b"):
        tidy.write({f"clusters/{name}/cluster.yaml": f"kind: ClusterNamespace\nmetadata: {{name: {name}}}\n"})
    assert lint(tidy) == [
        f"clusters/{name}/cluster.yaml:2: cluster {name} has no type: set metadata.type to one of the types"
        for name in ("a", "b")
    ]


def test_limits_do_not_make_findings(tidy: Workshop) -> None:
    limits = ({"CLUSTER_NAME": "east"}, {"CLUSTER_TYPE": "test"}, {"RESOURCE": "nothing"}, {"KIT_SHARD": "1/2"})
    assert [lint(tidy, **env) for env in limits] == [[], [], [], []]


def test_json_and_the_exit_code(tidy: Workshop) -> None:
    tidy.write({
        "type/demo-var.yaml": "kind: ResourceConfig\nmetadata: {type: demo}\n",
        "type/prod-var.yaml": "kind: ResourceConfig\nmetadata: {type: prod}\nlogs: {level: info}\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\n",
    })  # fmt: skip
    result = tidy.run("lint", "--format", "json", "--exit-code")
    assert result.code == 3
    unused, equal = json.loads(result.out)["findings"]
    text = "no cluster is of type demo"
    assert unused == {"kind": "unused-type", "text": text, "file": "type/demo-var.yaml", "line": 2, "also": []}
    assert equal["also"] == [{"file": "type/prod-var.yaml", "line": 3}]
    assert {unused["kind"], equal["kind"]} <= KINDS.keys()
    assert tidy.run("lint", "--format", "markdown").code == 2


def test_no_secret_is_needed_and_none_is_told(tidy: Workshop) -> None:
    """No key: what is encrypted stays so."""
    tidy.write({"base-var.yaml": "kind: ResourceConfig\nlogs: {level: 'codeship:v2:AAAA'}\nold: canary\n"})
    tidy.resources(
        "app:\n  file: ./app/app.mustache\n  image_tag: shop/web\n  env: [{name: KEY, external: true}]\n"
        "  password: canary\n"
    )
    tidy.cluster("east", "app: {password: canary}")
    told = lint(tidy)
    assert len(told) == 2
    assert "canary" not in "".join(told)
