# SPDX-License-Identifier: MIT
"""The source `files`, the order of sources, and encrypted values in the repository's own files."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kit_core.envfile import Form, encrypt, encrypt_value
from kit_core.keys import Key
from tests.unit.deploymentizer.workshop import KIT, Result, Workshop

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(range(1, 33)))
TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n"
    "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n"
)
FILES = "sources: [{kind: files, path: 'env/{cluster}/{service}%s'%s}]\n"


def seen(result: Result, cluster: str = "east") -> dict[str, str]:
    """The variables that the template of one cluster saw."""
    lines = result.files[f"{cluster}/app.yaml"].split("stringData:\n")[1].splitlines()
    return {name.strip(): value.strip(" '") for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture
def workshop(workshop: Workshop) -> Workshop:
    """One cluster, one resource that prints its variables."""
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    workshop.app(TEMPLATE, "  env: [{name: OWN, value: mine}]\n")
    return workshop


def sources(workshop: Workshop, text: str) -> None:
    workshop.write({"kit.yaml": KIT + text})


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
def test_a_file_of_each_cluster_gives_variables(workshop: Workshop, ending: str, content: str) -> None:
    sources(workshop, FILES % (ending, ""))
    workshop.write({f"env/east/app{ending}": content})
    result = workshop.run()
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "A": "one", "B": "two # kept"}
    index = workshop.index("east")
    assert index["secrets"] == {"app.yaml": ["/stringData/A", "/stringData/B"]}
    assert f"env/east/app{ending}" in index["files"]["app.yaml"]["inputs"]
    assert index["placeholders"] is False


def test_other_keys_of_a_file_are_laid_over_the_containers(workshop: Workshop) -> None:
    workshop.app(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{app.size}}-{{app.deep.b}}'}\n", "  deep: {b: 1}\n"
    )
    sources(workshop, FILES % (".yaml", ""))
    workshop.write({"env/east/app.yaml": "size: 0644\ndeep: {a: 2}\n"})
    result = workshop.run()
    assert result.code == 0, result.log
    assert "name: '420-1'" in result.files["east/app.yaml"]


def test_the_names_in_a_path(workshop: Workshop) -> None:
    workshop.resources(
        "app: {file: ./app/app.mustache, containers: {app: {primary: true}, side: {name: app-side, primary: false}}}"
    )
    path = "./env/{type}/{cluster}/{resource}-{service}.env"
    sources(workshop, f"sources: [{{kind: files, path: '{path}'}}]\n")
    workshop.write({"env/test/east/app-app.env": "A=one\n", "env/test/east/app-app-side.env": "B=two\n"})
    result = workshop.run()
    assert result.code == 0, result.log
    assert seen(result) == {"A": "one"}


def test_a_missing_file_names_source_cluster_and_container(workshop: Workshop) -> None:
    sources(workshop, FILES % (".env", ", name: settings"))
    result = workshop.run()
    assert result.code == 2
    assert "env/east/app.env: A container's environment file is missing (source settings, container app)" in result.log
    assert "[east]" in result.log
    assert "optional: true" in result.log


def test_an_optional_file_may_be_missing(workshop: Workshop) -> None:
    sources(workshop, FILES % (".env", ", optional: true"))
    result = workshop.run()
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine"}


def test_later_sources_win_over_earlier_ones_and_the_plugin_is_first(workshop: Workshop) -> None:
    sources(
        workshop,
        "plugin: {path: x/file-config, options: {configPath: ./config}}\n"
        "sources:\n- {kind: files, name: one, path: one.env}\n- {kind: files, name: two, path: two.env}\n",
    )
    workshop.write({
        "config/app/east-env.json": '{"env": [{"name": "A", "value": "plugin"}, {"name": "P", "value": "plugin"}]}',
        "one.env": "A=one\nB=one\nOWN=one\n",
        "two.env": "B=two\n",
    })  # fmt: skip
    result = workshop.run()
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "A": "one", "P": "plugin", "B": "two"}
    assert list(seen(result)) == ["OWN", "A", "P", "B"]


def test_a_source_may_be_about_some_resources_only(workshop: Workshop) -> None:
    workshop.resources(
        "app: {file: ./app/app.mustache}\nweb-a: {file: ./web/web.mustache}\nworker: {file: ./web/worker.mustache}"
    )
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n  %s\n"
    workshop.template(other % ("web", "{{#web-a.env}}{{name}}: {{value}}{{/web-a.env}}"), name="web/web.mustache")
    workshop.template(
        other % ("worker", "{{#worker.env}}{{name}}: {{value}}{{/worker.env}}"), name="web/worker.mustache"
    )
    sources(workshop, "sources: [{kind: files, path: all.env, resources: ['web-*', worker]}]\n")
    workshop.write({"all.env": "A=one\n"})
    result = workshop.run()
    assert result.code == 0, result.log
    assert seen(result) == {}
    assert "data:\n  A: one" in result.files["east/web.yaml"]
    assert "data:\n  A: one" in result.files["east/worker.yaml"]


def test_values_may_lie_deeper_in_a_file(workshop: Workshop) -> None:
    sources(workshop, FILES % (".json", ", values: /data/0/a~1b"))
    workshop.write({"env/east/app.json": '{"data": [{"a/b": {"A": "one", "N": 1.0, "T": true}}]}'})
    assert seen(workshop.run()) == {"OWN": "mine", "A": "one", "N": "1", "T": "true"}


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
    workshop: Workshop, ending: str, content: str, why: str
) -> None:
    sources(workshop, FILES % (ending, ""))
    workshop.write({f"env/east/app{ending}": content})
    result = workshop.run()
    assert result.code == 2, result.log
    assert why in result.log
    assert "(source files, container app)" in result.log
    assert "canary" not in result.log


def test_a_name_cannot_lead_out_of_the_path(workshop: Workshop) -> None:
    sources(workshop, FILES % (".env", ""))
    workshop.resources("app: {file: ./app/app.mustache, name: ../../kit}")
    result = workshop.run()
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
def test_what_is_wrong_with_the_list_is_told_with_its_line(workshop: Workshop, text: str, why: str) -> None:
    sources(workshop, text)
    result = workshop.run()
    assert result.code == 2, result.log
    assert why in result.log
    assert "canary" not in result.log


def test_no_cluster_is_written_where_a_source_reads(workshop: Workshop) -> None:
    kit = KIT.replace("./generated", "./env")
    workshop.write({"kit.yaml": kit + FILES % (".env", ""), "env/east/app.env": "A=one\n"})
    result = workshop.run()
    assert result.code == 2
    assert "cluster east would be written into the sources" in result.log


# Encrypted files


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
@pytest.mark.parametrize("ending", [".env", ".env.encrypted", ".encrypted", ".yaml.enc", ".json"])
def test_an_encrypted_file_is_read_with_the_key(workshop: Workshop, form: Form, ending: str) -> None:
    text = {"yaml": "env: {A: canary-one}\n", "json": '{"env": {"A": "canary-one"}}'}
    plain = next((text[kind] for kind in text if kind in ending), "A=canary-one\n")
    sources(workshop, FILES % (ending, ", encrypted: true"))
    workshop.write({f"env/east/app{ending}": encrypt(plain.encode(), KEY, form=form).decode()})
    result = workshop.run("--config-checksum", CODESHIP_AES_KEY=KEY.text, DEBUG="true")
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "A": "canary-one"}
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/stringData/A"]}
    assert "canary" not in result.log
    assert KEY.text not in result.log
    on_disk = [path for path in workshop.folder.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]
    assert on_disk == [workshop.folder / "generated/east/app.yaml"]


def test_everything_in_an_encrypted_file_is_secret(workshop: Workshop) -> None:
    workshop.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {size: '{{app.size}}'}\n")
    sources(workshop, FILES % (".yaml", ""))
    workshop.write({"env/east/app.yaml": encrypt(b"size: canary-large\n", KEY).decode()})
    assert workshop.run(CODESHIP_AES_KEY=KEY.text).code == 0
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/data/size"]}


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, "env/east/app.env: There is no key"),
        ({"CODESHIP_AES_KEY": OTHER.text}, "env/east/app.env cannot be decrypted"),
        ({"CODESHIP_AES_KEY": "dG9vIHNob3J0"}, "env/east/app.env: CODESHIP_AES_KEY holds no key"),
    ],
)
@pytest.mark.parametrize("allowed", [True, False])
def test_what_cannot_be_decrypted_fails_the_run_also_where_failure_is_allowed(
    workshop: Workshop, env: dict[str, str], why: str, allowed: bool
) -> None:
    workshop.cluster("east", metadata=f"type: test, allowFailure: {str(allowed).lower()}")
    sources(workshop, FILES % (".env", ""))
    workshop.write({"env/east/app.env": encrypt(b"A=canary-one\n", KEY).decode()})
    result = workshop.run(**env)
    assert result.code == 2, result.log
    assert why in result.log
    assert "(source files, container app)" in result.log
    assert result.files == {}


def test_the_key_may_lie_beside_kit_yaml_or_in_a_file(workshop: Workshop, tmp_path: Path) -> None:
    sources(workshop, FILES % (".env", ""))
    workshop.write({"env/east/app.env": encrypt(b"A=canary-one\n", KEY).decode(), "codeship.aes": KEY.text + "\n"})
    assert workshop.run().code == 0
    (workshop.folder / "codeship.aes").rename(tmp_path / "key")
    assert workshop.run().code == 2
    assert workshop.run(CODESHIP_AES_KEY_FILE=str(tmp_path / "key")).code == 0
    assert workshop.run(KIT_CODESHIP_AES_KEY=KEY.text).code == 0


@pytest.mark.parametrize(("ending", "options"), [(".env", ", encrypted: true"), (".env.encrypted", "")])
def test_a_plain_file_that_must_be_encrypted_is_an_error(workshop: Workshop, ending: str, options: str) -> None:
    sources(workshop, FILES % (ending, options))
    workshop.write({f"env/east/app{ending}": "A=canary\n"})
    result = workshop.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 2
    assert "A file that must be encrypted is not" in result.log
    assert "canary" not in result.log


# Encrypted values


def secret_files(values: Mapping[str, str]) -> dict[str, str]:
    """Files that hold them encrypted, in every place a value may stand."""
    locked = {name: encrypt_value(value, KEY) for name, value in values.items()}
    return {
        "base-var.yaml": f"kind: ResourceConfig\ndb: {{password: '{locked['base']}'}}\n",
        "type/test-var.yaml": f"kind: ResourceConfig\nmetadata: {{type: test}}\nlist:\n- one\n- {locked['type']}\n",
        "clusters/east/configuration-var.yaml": f"kind: ResourceConfig\nfolded: >-\n  {locked['cluster'][:40]}\n"
        f"  {locked['cluster'][40:]}\n",
        "resources/app/app.mustache": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata:\n"
        "  base: '{{{db.password}}}'\n  type: '{{{list.1}}}'\n  cluster: '{{{folded}}}'\n  plain: '{{{list.0}}}'\n"
        "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n",
    }


def test_encrypted_values_stand_wherever_a_string_may(workshop: Workshop) -> None:
    values = {"base": "canary-b", "type": "canary-t", "cluster": "canary-c", "env": "canary-e"}
    workshop.resources(
        f"app:\n  file: ./app/app.mustache\n  env: [{{name: TOKEN, value: '{encrypt_value('canary-e', KEY)}'}}]"
    )
    workshop.write(secret_files(values))
    result = workshop.run(CODESHIP_AES_KEY=KEY.text, DEBUG="true")
    assert result.code == 0, result.log
    text = result.files["east/app.yaml"]
    assert text.split("data:\n")[1] == (
        "  base: 'canary-b'\n  type: 'canary-t'\n  cluster: 'canary-c'\n  plain: 'one'\n  TOKEN: 'canary-e'\n"
    )
    assert workshop.index("east")["secrets"] == {
        "app.yaml": ["/data/TOKEN", "/data/base", "/data/cluster", "/data/type"]
    }
    assert "canary" not in result.log


def test_an_encrypted_value_merges_as_one_value(workshop: Workshop) -> None:
    workshop.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{{a}}}-{{{b}}}-{{{c}}}'}\n")
    workshop.write({
        "base-var.yaml": f"kind: ResourceConfig\na: {encrypt_value('one', KEY)}\nb: two\n"
        f"c: {encrypt_value('x', KEY)}\n",
        "type/test-var.yaml": f"kind: ResourceConfig\nmetadata: {{type: test}}\nb: {encrypt_value('three', KEY)}\n"
        "c: four\n",
    })  # fmt: skip
    result = workshop.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 0, result.log
    assert "name: 'one-three-four'" in result.files["east/app.yaml"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (encrypt_value("canary", OTHER), "base-var.yaml:3: db.password cannot be decrypted: wrong key or damaged file"),
        ("kit:v1:AAAA", "base-var.yaml:3: db.password cannot be decrypted"),
        ("kit:v7:AAAA", "base-var.yaml:3: db.password is encrypted in a form that kit does not know"),
        ("codeship:v2:AAAA", "base-var.yaml:3: db.password cannot be decrypted: it is in the form codeship:v2"),
    ],
)
def test_a_value_that_cannot_be_decrypted_names_file_line_and_path(
    workshop: Workshop, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\ndb:\n  password: {value}\n"})
    result = workshop.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 2
    assert why in result.log


def test_without_encrypted_values_no_key_is_looked_at(workshop: Workshop) -> None:
    workshop.write({"base-var.yaml": "kind: ResourceConfig\na: kit:v1 is how it begins\nb: see kit:v1:AAAA\n"})
    assert workshop.run(CODESHIP_AES_KEY="no key").code == 0


def test_words_that_hide_nothing_are_not_masked(workshop: Workshop) -> None:
    workshop.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{{nothing}}}'}\n")
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\nflag: {encrypt_value('true', KEY)}\n"})
    result = workshop.run("--validate", "off", CODESHIP_AES_KEY=KEY.text, KIT_LOG_FORMAT="json")
    assert result.code == 0
    assert "***" not in result.log


def test_values_in_files_of_sources_and_of_the_plugin_may_be_encrypted(workshop: Workshop) -> None:
    sources(
        workshop,
        "plugin: {path: x/file-config, options: {configPath: ./config}}\nsources: [{kind: files, path: one.env}]\n",
    )
    plugin = {"env": [{"name": "P", "value": encrypt_value("canary-p", KEY)}]}
    workshop.write({
        "config/app/east-env.json": json.dumps(plugin),
        "one.env": f"A={encrypt_value('canary-a', KEY, form='jet 1')}\n",
    })  # fmt: skip
    result = workshop.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "P": "canary-p", "A": "canary-a"}


@pytest.mark.parametrize("where", ["value", "file"])
def test_no_error_shows_what_was_decrypted(workshop: Workshop, where: str) -> None:
    if where == "value":
        workshop.app(TEMPLATE, f"  image_tag: '{encrypt_value('org/canary', KEY)}'\n")
    else:
        sources(workshop, FILES % (".yaml", ""))
        workshop.write({"env/east/app.yaml": encrypt(b"image_tag: org/canary\n", KEY).decode()})
    result = workshop.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 2
    assert "image_tag *** has no image of branch master" in result.log
    assert "canary" not in result.log


@pytest.mark.parametrize("depth", [600, 100_000])
def test_a_file_of_the_plugin_that_is_nested_too_deeply(workshop: Workshop, depth: int) -> None:
    sources(workshop, "plugin: {path: x/file-config, options: {configPath: ./config}}\n")
    workshop.write({"config/app/east-env.json": '{"a": ' * depth + "1" + "}" * depth})
    result = workshop.run()
    assert result.code == 2
    assert "config/app/east-env.json: An environment file must hold a JSON object" in result.log
