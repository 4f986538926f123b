# SPDX-License-Identifier: MIT
"""`explain`: for each value of a view the file and line that set it, and those that it overrode."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.shop import EXAMPLES
from kit_core.yamlio import load_document
from kit_deploymentizer import Deploymentizer, DeploymentizerSettings
from kit_deploymentizer.explain.origins import Place, merge_traced, traced
from kit_deploymentizer.explain.places import Explained
from kit_deploymentizer.inputs.reading import YamlFile
from kit_deploymentizer.rendering.merge import merge
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

SHOP = EXAMPLES / "deployments-repo"


def explained(folder: Path, cluster: str, name: str, **settings: Any) -> dict[str, Explained]:
    step = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml"), **settings), env={}, cwd=folder)
    return {one.name: one for one in step.explain(cluster, name)}


def told(one: Explained) -> list[tuple[Any, str]]:
    """What set it and what it overrode: the value and where."""
    return [(setter.value, setter.told) for setter in (one.setter, *one.overrode)]


def shop() -> list[tuple[str, str]]:
    step = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml")), env={}, cwd=SHOP)
    return [(cluster.name, name) for cluster in step.repository.clusters for name in cluster.resources]


@pytest.mark.parametrize(("cluster", "resource"), shop())
def test_every_value_of_the_example_repository_has_its_place(cluster: str, resource: str) -> None:
    values = explained(SHOP, cluster, resource)
    assert values
    for name, one in values.items():
        if name.endswith(".gitRef"):
            assert one.setter.told == "KIT_COMMIT_ID, which is not set"
            continue
        if name == "payment-provider.env.0.value":
            assert told(one) == [("***", "the environment variable PAYMENT_KEY")]
            continue
        for setter in (one.setter, *one.overrode):
            assert setter.place, name
            line = (SHOP / setter.place.name).read_text("utf-8").splitlines()[setter.place.line - 1]
            key = next(step for step in reversed(one.path) if isinstance(step, str))
            if name in {"name", f"{resource}.name", f"{resource}.resourceName"}:
                assert line.strip() == f"{resource}:", name  # its name is the resource's
            else:
                assert f"{key}:" in line, name
                assert str(setter.value).lower() in line.lower(), name


def test_a_value_names_every_file_that_had_a_say(workshop: Workshop) -> None:
    workshop.write({
        "base-var.yaml": "kind: ResourceConfig\nreplicas: 1\nlist:\n  - a\n  - b\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\nreplicas: 2\n",
        "clusters/east/configuration-var.yaml": "kind: ResourceConfig\nlist: [c]\nreplicas:\n  3\n",
    })  # fmt: skip
    workshop.app(CONFIG_MAP)
    east = explained(workshop.folder, "east", "app")
    assert told(east["replicas"]) == [
        (3, "clusters/east/configuration-var.yaml:3"),
        (2, "type/test-var.yaml:3"),
        (1, "base-var.yaml:2"),
    ]
    assert told(east["list.0"]) == [("c", "clusters/east/configuration-var.yaml:2"), ("a", "base-var.yaml:4")]
    assert told(east["list.1"]) == [("b", "base-var.yaml:5")]


def test_a_map_in_the_place_of_a_value_overrides_it_and_so_the_other_way(workshop: Workshop) -> None:
    workshop.write({
        "base-var.yaml": "kind: ResourceConfig\na: 1\nb: {c: {d: 2}}\n",
        "clusters/east/configuration-var.yaml": "kind: ResourceConfig\na: {x: 3, y: 4}\nb: null\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\nb: {c: 5}\n",
    })  # fmt: skip
    workshop.app(CONFIG_MAP)
    east = explained(workshop.folder, "east", "app")
    for name, value in (("a.x", 3), ("a.y", 4)):
        assert told(east[name]) == [(value, "clusters/east/configuration-var.yaml:2"), (1, "base-var.yaml:2")]
    assert told(east["b.c"]) == [(5, "type/test-var.yaml:3"), ({"d": 2}, "base-var.yaml:3")]


def test_environment_entries_are_told_one_by_one(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  env: [{name: A, value: 1}, {name: B, value: 2}]\n")
    workshop.cluster("east", "app: {env: [{name: B, value: 3}, {name: C, value: 4}]}")
    east = explained(workshop.folder, "east", "app")
    assert told(east["app.env.1.value"]) == [(3, "clusters/east/cluster.yaml:4"), (2, "base-cluster.yaml:6")]
    assert told(east["app.env.2.value"]) == [(4, "clusters/east/cluster.yaml:4")]
    result = workshop.run("explain", "east", "app", "app.env.B")
    assert result.out.splitlines()[1].split() == ["app.env.1.value", "3", "clusters/east/cluster.yaml:4"]
    assert result.out.splitlines()[2].split() == ["overrode", "2", "base-cluster.yaml:6"]


def test_a_merge_key_leads_to_the_map_that_is_merged(workshop: Workshop) -> None:
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nx: &x\n  a: 1\n  b: 2\ny:\n  <<: *x\n  b: 3\n"})
    workshop.app(CONFIG_MAP)
    east = explained(workshop.folder, "east", "app")
    assert told(east["y.a"]) == [(1, "base-var.yaml:3")]
    assert told(east["y.b"]) == [(3, "base-var.yaml:7")]


def test_what_a_deployment_adds_names_its_setting(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"base-var.yaml": "kind: ResourceConfig\ndeployment: {id: none, kept: 1}\n"})
    east = explained(
        workshop.folder, "east", "app", resource="app", deploy_id="7", fast_rollback=True, commit_id="1234567"
    )
    assert told(east["deployment.id"]) == [("7", "DEPLOY_ID"), ("none", "base-var.yaml:2")]
    assert told(east["deployment.fastRollback"]) == [(True, "FAST_ROLLBACK")]
    assert told(east["deployment.kept"]) == [(1, "base-var.yaml:2")]
    assert told(east["app.gitRef"]) == [("1234567", "KIT_COMMIT_ID")]


def test_values_of_a_source_are_not_shown_and_name_their_file(workshop: Workshop) -> None:
    workshop.write({
        "kit.yaml": KIT + "plugin: {path: x/file-config, options: {configPath: config}}\n",
        "config/app/east-env.json": '{"env": [{"name": "A", "value": "canary"}, {"name": "B", "value": "canary2"}],'
        ' "replicas": 4}',
    })  # fmt: skip
    workshop.app(CONFIG_MAP, "  replicas: 1\n  env: [{name: B, value: mine}]\n")
    result = workshop.run("explain", "east", "app")
    assert result.code == 0, result.log
    assert "canary" not in result.out + result.log
    east = explained(workshop.folder, "east", "app")
    source = "file-config (config/app/east-env.json)"
    assert told(east["app.env.1.value"]) == [("***", source)]
    assert told(east["app.env.0.value"]) == [("mine", "base-cluster.yaml:7"), ("***", source)]
    assert told(east["app.replicas"]) == [(4, source), (1, "base-cluster.yaml:6")]


def test_literals_that_look_like_credentials_are_not_shown(workshop: Workshop) -> None:
    workshop.write({
        "base-var.yaml": "kind: ResourceConfig\ndb: {password: canary1, secretName: shown}\n",
        "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\ndb: {password: canary2}\n",
    })  # fmt: skip
    workshop.app(CONFIG_MAP, "  env: [{name: API_TOKEN, value: canary3}]\n")
    for form in ("text", "json"):
        result = workshop.run("explain", "east", "app", "--format", form)
        assert "canary" not in result.out
        assert "shown" in result.out


def test_passwords_within_a_text_are_not_shown(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    text = "kind: ResourceConfig\nurl: https://me:canary@host/x\nconf: |\n  password = canary\n  user = me\n"
    workshop.write({"base-var.yaml": text})
    for form in ("text", "json"):
        result = workshop.run("explain", "east", "app", "--format", form)
        assert "https://me:***@host/x" in result.out
        assert "user = me" in result.out
        assert "canary" not in result.out


def test_numbers_that_json_does_not_have_are_texts(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"base-var.yaml": "kind: ResourceConfig\na: .inf\nb: .nan\n"})
    result = workshop.run("explain", "east", "app", "--format", "json")
    values = json.loads(result.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))["values"]
    assert [one["value"] for one in values if one["name"] in {"a", "b"}] == ["Infinity", "NaN"]


def test_as_json_for_programs(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nday: 2016-01-01\nnone: {}\n"})
    result = workshop.run("explain", "east", "app", "day", "--format=json")
    assert json.loads(result.out) == {
        "cluster": "east",
        "resource": "app",
        "values": [
            {
                "name": "day",
                "path": ["day"],
                "value": "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)",
                "file": "base-var.yaml",
                "line": 2,
                "column": 1,
                "overrode": [],
            }
        ],
    }
    assert explained(workshop.folder, "east", "app")["none"].setter.value == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("eats", "app"), "there is no cluster eats. Is east meant?"),
        (("east", "ap"), "cluster east: there is no resource ap. Is app meant?"),
        (("east", "app", "app.enw"), "the template sees no app.enw"),
        (("east",), "RESOURCE is missing"),
        (("east", "app", "--format", "markdown"), "explain writes text or JSON"),
    ],
)
def test_what_is_not_there_is_told(workshop: Workshop, arguments: tuple[str, ...], words: str) -> None:
    workshop.app(CONFIG_MAP)
    result = workshop.run("explain", *arguments)
    assert result.code == 2
    assert words in result.log
    assert result.out == ""


def test_explaining_writes_nothing_and_does_not_ask_for_external_values(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  image_tag: shop/app\n  env: [{name: KEY, external: true}]\n")
    workshop.write({"images/shop/app/master.yaml": "# newest\nimage: shop/app:1\n"})
    result = workshop.run("explain", "east", "app")
    assert (result.code, result.files) == (0, {}), result.log
    assert "images/shop/app/master.yaml:2" in result.out
    assert "the environment variable KEY" in result.out


def test_a_view_that_cannot_be_made_is_the_renders_error(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  image_tag: shop/app\n")
    result = workshop.run("explain", "east", "app")
    assert result.code == 2
    assert "base-cluster.yaml:4: image_tag shop/app has no image of branch master" in result.log


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["env", "name", "a", "b"]), inner),
    max_leaves=12,
)


@given(base=VALUES, over=VALUES)
def test_the_traced_merge_is_the_merge(base: Any, over: Any) -> None:
    files = [YamlFile(Path(name), name, value) for name, value in (("base", base), ("over", over))]
    below, above = (traced(file.value, Place(file, ())) for file in files)
    for key in ("", "env"):
        assert merge_traced(below, above, key).value == merge(base, over, key)


def test_positions_of_merged_keys_in_a_list_of_maps() -> None:
    text = "a: &a {x: 1}\nb: &b\n  w: 2\n  x: 3\nc:\n  <<: [*a, *b]\n"
    document = load_document(text, name="f")
    assert document.value["c"] == {"x": 1, "w": 2}
    assert document.key_position("c", "x").line == 1
    assert document.key_position("c", "w").line == 3
    assert document.key_position("c", "z").line == 5


@pytest.mark.parametrize(("ending", "shown"), [("mustache", "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)"),
                                               ("j2", "2016-01-01T00:00:00+00:00")])  # fmt: skip
def test_a_date_is_shown_as_the_template_prints_it(workshop: Workshop, ending: str, shown: str) -> None:
    workshop.template(
        CONFIG_MAP.replace("{{{", "{{").replace("}}}", "}}") + "data: {a: '{{ day }}'}\n", name=f"a.{ending}"
    )
    workshop.resources(f"app: {{file: a.{ending}}}")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nday: 2016-01-01\n"})
    assert f"a: '{shown}'" in workshop.run().files["east/a.yaml"]
    for form in ("text", "json"):
        assert shown in workshop.run("explain", "east", "app", "day", "--format", form).out


def test_what_only_a_program_knows_is_said_to_be_left_out(workshop: Workshop) -> None:
    """Nobody takes an `env` without it for all that there is."""
    workshop.app(CONFIG_MAP, "  env: [{name: A, value: 1}]\n")
    kit = (workshop.folder / "kit.yaml").read_text()
    workshop.write({"kit.yaml": kit + "sources: [{kind: exec, name: vault, command: [./values]}]\n"})
    result = workshop.run("explain", "east", "app", "app.env")
    assert result.code == 0, result.log
    assert "app.env.0.value  1" in result.out
    assert "warning" in result.log
    assert "vault" in result.log
    assert "left out" in result.log
