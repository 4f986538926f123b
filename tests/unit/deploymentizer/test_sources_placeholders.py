# SPDX-License-Identifier: MIT
"""KIT_PLACEHOLDERS: rendered, checked and marked without any secret, any key, any program or any network."""

import base64
import json
import re
from collections.abc import Mapping

import pytest

from kit_core.envfile import encrypt, encrypt_value
from kit_core.errors import InputError
from kit_core.keys import Key
from kit_deployer.inputs.index import read_index
from kit_deploymentizer.rendering.placeholders import placeholder
from tests.unit.deploymentizer.workshop import KIT, Workshop

KEY = Key(bytes(range(32)))
TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n  password: {{{db.password}}}\n"
    "{{#app.env}}\n  {{{name}}}: {{{value}}}\n{{/app.env}}\n"
)
SOURCES = """\
plugin: {path: x/file-config, options: {configPath: ./config}}
sources:
- {kind: files, name: plain, path: 'env/{service}.env'}
- {kind: files, name: locked, path: 'env/{service}.env.encrypted'}
- {kind: exec, command: [./ask]}
- {kind: http, url: 'http://127.0.0.1:9', headers: {Authorization: {env: NOT_SET}}}
"""
DIGEST = re.compile(":[0-9a-f]{8}$")
RUN = {"KIT_PLACEHOLDERS": "true", "PATH": "/usr/bin:/bin"}


@pytest.fixture
def workshop(workshop: Workshop) -> Workshop:
    """A repository whose values come from everywhere; the canaries are its secrets."""
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    workshop.app(
        TEMPLATE,
        "  size: 3\n  env:\n  - {name: OWN, value: mine}\n  - {name: TOKEN, external: true}\n"
        "  - {name: CERT, external: true, encoding: base64}\n",
    )
    plugin = {"size": 4, "env": [{"name": "P", "value": "canary-p"}, {"name": "Q", "valueFrom": {"a": "b"}}]}
    workshop.write({
        "kit.yaml": KIT + SOURCES,
        "base-var.yaml": f"kind: ResourceConfig\ndb: {{password: '{encrypt_value('canary-db', KEY)}'}}\n",
        "config/app/east-env.json": json.dumps(plugin),
        "env/app.env": "F=canary-f\n",
        "env/app.env.encrypted": encrypt(b"E=canary-e\n", KEY).decode(),
        "ask": "#!/bin/sh\ntouch asked\necho '{}'\n",
    })  # fmt: skip
    (workshop.folder / "ask").chmod(0o755)
    return workshop


def data(text: str) -> Mapping[str, str]:
    lines = text.split("stringData:\n")[1].splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_every_value_from_outside_is_named_and_nobody_is_asked(workshop: Workshop) -> None:
    result = workshop.run(TOKEN="canary-token", CODESHIP_AES_KEY=KEY.text, **RUN)
    assert result.code == 0, result.log
    found = {name: DIGEST.sub(":…", value) for name, value in data(result.files["east/app.yaml"]).items()}
    assert found == {
        "password": "encrypted:db.password:…",
        "OWN": "mine",
        "TOKEN": "external:TOKEN",
        "CERT": base64.b64encode(b"external:CERT").decode(),
        "P": "file-config:P:…",
        "Q": "",
        "F": "plain:F:…",
    }
    assert not (workshop.folder / "asked").exists()
    assert "canary" not in result.log + json.dumps(result.files)


@pytest.mark.parametrize(
    ("name", "content", "changed"),
    [
        ("env/app.env", "F=canary-other\n", {"F"}),
        ("env/app.env", "# a comment\nF=canary-f\n", set()),
        ("config/app/east-env.json", '{"env": [{"name": "P", "value": "canary-o"}, {"name": "Q"}]}', {"P"}),
        (
            "base-var.yaml",
            f"kind: ResourceConfig\ndb: {{password: '{encrypt_value('canary-o', KEY)}'}}\n",
            {"password"},
        ),
    ],
)
def test_what_changes_in_the_repository_is_seen_and_not_what_it_is(
    workshop: Workshop, name: str, content: str, changed: set[str]
) -> None:
    before = data(workshop.run(**RUN).files["east/app.yaml"])
    workshop.write({name: content})
    after = data(workshop.run(**RUN).files["east/app.yaml"])
    assert {key for key in before if before[key] != after[key]} == changed
    assert "canary" not in str(after)


def test_neither_key_nor_variables_nor_token_are_needed(workshop: Workshop) -> None:
    plugin = "plugin: {path: x/env-api-client-v3}\n"
    workshop.write({"kit.yaml": KIT + plugin + SOURCES.split("\n", 1)[1]})
    result = workshop.run("--validate", "error", **RUN)
    assert result.code == 0, result.log
    for name in ("env-api-client-v3", "exec", "http"):
        assert f"source {name} is not asked, so variables that only it knows are left out" in result.log
    assert "their names lie in encrypted files" in result.log


def test_the_output_is_marked_and_refused_by_the_deployer(workshop: Workshop) -> None:
    assert workshop.run(**RUN).code == 0
    index = workshop.index("east")
    assert (index["placeholders"], index["complete"]) == (True, True)
    assert index["secrets"] == {
        "app.yaml": ["/stringData/CERT", "/stringData/F", "/stringData/P", "/stringData/TOKEN", "/stringData/password"]
    }
    with pytest.raises(InputError, match="rendered with placeholders in place of secrets"):
        read_index(workshop.folder / "generated", "east")


def test_the_mark_stays_while_any_file_has_placeholders(workshop: Workshop) -> None:
    workshop.write({"kit.yaml": KIT})
    workshop.resources("app: {file: ./app/app.mustache, env: [{name: T, external: true}]}\nother: {svc: {name: o}}")
    env = {"CODESHIP_AES_KEY": KEY.text, "T": "canary-t"}
    assert workshop.run(**RUN).code == 0
    assert workshop.run(RESOURCE="other", **env).code == 0
    assert workshop.index("east")["placeholders"] is True
    assert workshop.run(**env).code == 0
    assert workshop.index("east")["placeholders"] is False
    assert workshop.run(RESOURCE="other", **RUN).code == 0
    assert workshop.index("east")["placeholders"] is True


@pytest.mark.parametrize("name", ["a b", "x'y\"z", "new\nline", "{{a}}", "<b>", "ümlaut", "a:b#c"])
def test_a_placeholder_is_valid_wherever_a_template_puts_it(name: str) -> None:
    import yaml

    from kit_deploymentizer.rendering.mustache import escape

    text = placeholder("external", name, "content")
    assert yaml.safe_load(f"a: {text}") == {"a": text}
    assert json.loads(f'"{text}"') == text
    assert escape(text) == text


def test_an_unknown_kind_is_told_all_the_same(workshop: Workshop) -> None:
    workshop.write({"kit.yaml": KIT + "sources: [{kind: execute}]\n"})
    result = workshop.run(**RUN)
    assert result.code == 2
    assert "kit.yaml:8: a source of kind execute is not known" in result.log
