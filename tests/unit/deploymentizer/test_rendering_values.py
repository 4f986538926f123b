# SPDX-License-Identifier: MIT
"""The original's semantics of external values, files and plugins, rule by rule."""

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, SEEN, Workshop, seen


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
