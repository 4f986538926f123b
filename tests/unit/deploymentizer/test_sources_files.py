# SPDX-License-Identifier: MIT
"""The source `files`, and the order of sources."""

import json

import pytest

from tests.unit.deploymentizer.sourced import FILES, seen, sources
from tests.unit.deploymentizer.workshop import KIT, Workshop


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".env", "A=one\nB=two # kept\nOWN=theirs\n"),
        ("", "A=one\nB=two # kept\nOWN=theirs\n"),
        (".yaml", "env:\n  A: one\n  B: 'two # kept'\n  OWN: theirs\n"),
        (".yml", "env:\n- {name: A, value: one}\n- {name: B, value: 'two # kept'}\n- {name: OWN, value: theirs}\n"),
        (".json", json.dumps({"env": {"A": "one", "B": "two # kept", "OWN": "theirs"}})),
    ],
)
def test_a_file_of_each_cluster_gives_variables(printing: Workshop, ending: str, content: str) -> None:
    sources(printing, FILES % (ending, ""))
    printing.write({f"env/east/app{ending}": content})
    result = printing.run()
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "A": "one", "B": "two # kept"}
    index = printing.index("east")
    assert index["secrets"] == {"app.yaml": ["/stringData/A", "/stringData/B"]}
    assert f"env/east/app{ending}" in index["files"]["app.yaml"]["inputs"]
    assert index["placeholders"] is False


def test_other_keys_of_a_file_are_laid_over_the_containers(printing: Workshop) -> None:
    printing.app(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{app.size}}-{{app.deep.b}}'}\n", "  deep: {b: 1}\n"
    )
    sources(printing, FILES % (".yaml", ""))
    printing.write({"env/east/app.yaml": "size: 0644\ndeep: {a: 2}\n"})
    result = printing.run()
    assert result.code == 0, result.log
    assert "name: '420-1'" in result.files["east/app.yaml"]


def test_the_names_in_a_path(printing: Workshop) -> None:
    printing.resources(
        "app: {file: ./app/app.mustache, containers: {app: {primary: true}, side: {name: app-side, primary: false}}}"
    )
    path = "./env/{type}/{cluster}/{resource}-{service}.env"
    sources(printing, f"sources: [{{kind: files, path: '{path}'}}]\n")
    printing.write({"env/test/east/app-app.env": "A=one\n", "env/test/east/app-app-side.env": "B=two\n"})
    result = printing.run()
    assert result.code == 0, result.log
    assert seen(result) == {"A": "one"}


def test_a_missing_file_names_source_cluster_and_container(printing: Workshop) -> None:
    sources(printing, FILES % (".env", ", name: settings"))
    result = printing.run()
    assert result.code == 2
    assert "env/east/app.env: A container's environment file is missing (source settings, container app)" in result.log
    assert "[east]" in result.log
    assert "optional: true" in result.log


def test_an_optional_file_may_be_missing(printing: Workshop) -> None:
    sources(printing, FILES % (".env", ", optional: true"))
    result = printing.run()
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine"}


def test_later_sources_win_over_earlier_ones_and_the_plugin_is_first(printing: Workshop) -> None:
    sources(
        printing,
        "plugin: {path: x/file-config, options: {configPath: ./config}}\n"
        "sources:\n- {kind: files, name: one, path: one.env}\n- {kind: files, name: two, path: two.env}\n",
    )
    printing.write({
        "config/app/east-env.json": '{"env": [{"name": "A", "value": "plugin"}, {"name": "P", "value": "plugin"}]}',
        "one.env": "A=one\nB=one\nOWN=one\n",
        "two.env": "B=two\n",
    })  # fmt: skip
    result = printing.run()
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "A": "one", "P": "plugin", "B": "two"}
    assert list(seen(result)) == ["OWN", "A", "P", "B"]


def test_a_source_may_be_about_some_resources_only(printing: Workshop) -> None:
    printing.resources(
        "app: {file: ./app/app.mustache}\nweb-a: {file: ./web/web.mustache}\nworker: {file: ./web/worker.mustache}"
    )
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n  %s\n"
    printing.template(other % ("web", "{{#web-a.env}}{{name}}: {{value}}{{/web-a.env}}"), name="web/web.mustache")
    printing.template(
        other % ("worker", "{{#worker.env}}{{name}}: {{value}}{{/worker.env}}"), name="web/worker.mustache"
    )
    sources(printing, "sources: [{kind: files, path: all.env, resources: ['web-*', worker]}]\n")
    printing.write({"all.env": "A=one\n"})
    result = printing.run()
    assert result.code == 0, result.log
    assert seen(result) == {}
    assert "data:\n  A: one" in result.files["east/web.yaml"]
    assert "data:\n  A: one" in result.files["east/worker.yaml"]


def test_values_may_lie_deeper_in_a_file(printing: Workshop) -> None:
    sources(printing, FILES % (".json", ", values: /data/0/a~1b"))
    printing.write({"env/east/app.json": '{"data": [{"a/b": {"A": "one", "N": 1.0, "T": true}}]}'})
    assert seen(printing.run()) == {"OWN": "mine", "A": "one", "N": "1", "T": "true"}


@pytest.mark.parametrize(
    ("ending", "content", "why"),
    [
        (".env", "A=1\ncanary\n", "env/east/app.env:2: this is no line of an env file"),
        (".yaml", "- canary\n", "env/east/app.yaml: it is no map"),
        (".yaml", "env: canary\n", "has an `env` that is neither a list nor a map"),
        (".yaml", "env: [{value: canary}]\n", "it has an entry without a name in `env`, number 1"),
        (".yaml", "env: {A: {b: canary}}\n", "it says A is a map or a list"),
        (".yaml", "env: {A: }\n", "it says A is nothing"),
        (".yaml", "env: {A: canary\n", "env/east/app.yaml:2:1: malformed YAML"),
        (".json", '{"env": "canary', "env/east/app.json: the file is no JSON (line 1, column 9)"),
        (".json", "[" * 100_000, "env/east/app.json: the file is no JSON"),
        (".json", '{"a": ' * 600 + "1" + "}" * 600, "env/east/app.json: the file is nested too deeply"),
        (".json", "", "env/east/app.json: the file is empty"),
    ],
)
def test_a_file_that_holds_something_else_says_where_and_not_what(
    printing: Workshop, ending: str, content: str, why: str
) -> None:
    sources(printing, FILES % (ending, ""))
    printing.write({f"env/east/app{ending}": content})
    result = printing.run()
    assert result.code == 2, result.log
    assert why in result.log
    assert "(source files, container app)" in result.log
    assert "canary" not in result.log


def test_a_name_cannot_lead_out_of_the_path(printing: Workshop) -> None:
    sources(printing, FILES % (".env", ""))
    printing.resources("app: {file: ./app/app.mustache, name: ../../kit}")
    result = printing.run()
    assert result.code == 2
    assert "{service} would become '../../kit'" in result.log


# What is written in kit.yaml


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sources: {kind: files}\n", "kit.yaml:8: sources must be a list"),
        ("sources: [files]\n", "kit.yaml:8: a source must be a map with a kind"),
        ("sources:\n- {path: x}\n", "kit.yaml:9: a source must be a map with a kind"),
        ("sources:\n- {kind: files}\n", "kit.yaml:9: a source of kind files needs path"),
        ("sources:\n- kind: files\n  path: x\n  optionl: true\n", "kit.yaml:11: unknown key optionl in a source"),
        ("sources:\n- kind: files\n  path: x\n  optional: ja\n", "optional of a source must be true or false"),
        ("sources:\n- kind: files\n  path: '{clustr}'\n", "kit.yaml:10: {clustr} is not known: it stands in {clustr}"),
        ("sources:\n- {kind: file, path: x}\n", "kit.yaml:9: unknown key path in a source of kind file"),
        ("sources:\n- {kind: file}\n", "kit.yaml:9: a source of kind file is not known"),
        ("sources:\n- {kind: files, path: a}\n- {kind: files, path: b}\n", "kit.yaml:10: two sources are called files"),
        ("sources:\n- {kind: exec, command: ls}\n", "kit.yaml:9: command of a source must be a list of texts"),
        ("sources:\n- {kind: exec, command: [ls], timeout: 0}\n", "timeout of a source must be a number of seconds"),
        ("sources:\n- {kind: http, url: 'ftp://x'}\n", "kit.yaml:9: url is no http(s) address without a password"),
        ("sources:\n- {kind: http, url: 'http://u:canary@x'}\n", "url is no http(s) address without a password"),
        ("sources:\n- {kind: http, url: 'http://x', method: PUT}\n", "method of a source must be GET or POST"),
        ("sources:\n- {kind: http, url: 'http://x', headers: {A: {file: b}}}\n", "headers of a source must be a map"),
        ("sources:\n- {kind: http, url: 'http://x', headers: {A: {env: NONE}}}\n",
         "kit.yaml:9: header A has no value: the environment variable NONE is not set"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_list_is_told_with_its_line(printing: Workshop, text: str, why: str) -> None:
    sources(printing, text)
    result = printing.run()
    assert result.code == 2, result.log
    assert why in result.log
    assert "canary" not in result.log


def test_no_cluster_is_written_where_a_source_reads(printing: Workshop) -> None:
    kit = KIT.replace("./generated", "./env")
    printing.write({"kit.yaml": kit + FILES % (".env", ""), "env/east/app.env": "A=one\n"})
    result = printing.run()
    assert result.code == 2
    assert "cluster east would be written into the sources" in result.log
