# SPDX-License-Identifier: MIT
"""Encrypted values in the repository's own files, and in those of sources."""

import json
from collections.abc import Mapping

import pytest

from kit_core.envfile import encrypt, encrypt_value
from tests.unit.deploymentizer.sourced import FILES, KEY, OTHER, TEMPLATE, seen, sources
from tests.unit.deploymentizer.workshop import Workshop


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


def test_encrypted_values_stand_wherever_a_string_may(printing: Workshop) -> None:
    values = {"base": "canary-b", "type": "canary-t", "cluster": "canary-c", "env": "canary-e"}
    printing.resources(
        f"app:\n  file: ./app/app.mustache\n  env: [{{name: TOKEN, value: '{encrypt_value('canary-e', KEY)}'}}]"
    )
    printing.write(secret_files(values))
    result = printing.run(CODESHIP_AES_KEY=KEY.text, DEBUG="true")
    assert result.code == 0, result.log
    text = result.files["east/app.yaml"]
    assert text.split("data:\n")[1] == (
        "  base: 'canary-b'\n  type: 'canary-t'\n  cluster: 'canary-c'\n  plain: 'one'\n  TOKEN: 'canary-e'\n"
    )
    assert printing.index("east")["secrets"] == {
        "app.yaml": ["/data/TOKEN", "/data/base", "/data/cluster", "/data/type"]
    }
    assert "canary" not in result.log


def test_an_encrypted_value_merges_as_one_value(printing: Workshop) -> None:
    printing.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{{a}}}-{{{b}}}-{{{c}}}'}\n")
    printing.write({
        "base-var.yaml": f"kind: ResourceConfig\na: {encrypt_value('one', KEY)}\nb: two\n"
        f"c: {encrypt_value('x', KEY)}\n",
        "type/test-var.yaml": f"kind: ResourceConfig\nmetadata: {{type: test}}\nb: {encrypt_value('three', KEY)}\n"
        "c: four\n",
    })  # fmt: skip
    result = printing.run(CODESHIP_AES_KEY=KEY.text)
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
    printing: Workshop, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    printing.write({"base-var.yaml": f"kind: ResourceConfig\ndb:\n  password: {value}\n"})
    result = printing.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 2
    assert why in result.log


def test_without_encrypted_values_no_key_is_looked_at(printing: Workshop) -> None:
    printing.write({"base-var.yaml": "kind: ResourceConfig\na: kit:v1 is how it begins\nb: see kit:v1:AAAA\n"})
    assert printing.run(CODESHIP_AES_KEY="no key").code == 0


def test_words_that_hide_nothing_are_not_masked(printing: Workshop) -> None:
    printing.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{{nothing}}}'}\n")
    printing.write({"base-var.yaml": f"kind: ResourceConfig\nflag: {encrypt_value('true', KEY)}\n"})
    result = printing.run("--validate", "off", CODESHIP_AES_KEY=KEY.text, KIT_LOG_FORMAT="json")
    assert result.code == 0
    assert "***" not in result.log


def test_values_in_files_of_sources_and_of_the_plugin_may_be_encrypted(printing: Workshop) -> None:
    sources(
        printing,
        "plugin: {path: x/file-config, options: {configPath: ./config}}\nsources: [{kind: files, path: one.env}]\n",
    )
    plugin = {"env": [{"name": "P", "value": encrypt_value("canary-p", KEY)}]}
    printing.write({
        "config/app/east-env.json": json.dumps(plugin),
        "one.env": f"A={encrypt_value('canary-a', KEY, form='jet 1')}\n",
    })  # fmt: skip
    result = printing.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "P": "canary-p", "A": "canary-a"}


@pytest.mark.parametrize("where", ["value", "file"])
def test_no_error_shows_what_was_decrypted(printing: Workshop, where: str) -> None:
    if where == "value":
        printing.app(TEMPLATE, f"  image_tag: '{encrypt_value('org/canary', KEY)}'\n")
    else:
        sources(printing, FILES % (".yaml", ""))
        printing.write({"env/east/app.yaml": encrypt(b"image_tag: org/canary\n", KEY).decode()})
    result = printing.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 2
    assert "image_tag *** has no image of branch master" in result.log
    assert "canary" not in result.log


@pytest.mark.parametrize("depth", [600, 100_000])
def test_a_file_of_the_plugin_that_is_nested_too_deeply(printing: Workshop, depth: int) -> None:
    sources(printing, "plugin: {path: x/file-config, options: {configPath: ./config}}\n")
    printing.write({"config/app/east-env.json": '{"a": ' * depth + "1" + "}" * depth})
    result = printing.run()
    assert result.code == 2
    assert "config/app/east-env.json: An environment file must hold a JSON object" in result.log
