# SPDX-License-Identifier: MIT
"""Encrypted files of sources: read with the key, secret in all they hold, told where they cannot be."""

from pathlib import Path

import pytest

from kit_core.envfile import Form, encrypt
from tests.unit.deploymentizer.sourced import FILES, KEY, OTHER, seen, sources
from tests.unit.deploymentizer.workshop import Workshop


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
@pytest.mark.parametrize("ending", [".env", ".env.encrypted", ".encrypted", ".yaml.enc", ".json"])
def test_an_encrypted_file_is_read_with_the_key(printing: Workshop, form: Form, ending: str) -> None:
    text = {"yaml": "env: {A: canary-one}\n", "json": '{"env": {"A": "canary-one"}}'}
    plain = next((text[kind] for kind in text if kind in ending), "A=canary-one\n")
    sources(printing, FILES % (ending, ", encrypted: true"))
    printing.write({f"env/east/app{ending}": encrypt(plain.encode(), KEY, form=form).decode()})
    result = printing.run("--config-checksum", CODESHIP_AES_KEY=KEY.text, DEBUG="true")
    assert result.code == 0, result.log
    assert seen(result) == {"OWN": "mine", "A": "canary-one"}
    assert printing.index("east")["secrets"] == {"app.yaml": ["/stringData/A"]}
    assert "canary" not in result.log
    assert KEY.text not in result.log
    on_disk = [path for path in printing.folder.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]
    assert on_disk == [printing.folder / "generated/east/app.yaml"]


def test_everything_in_an_encrypted_file_is_secret(printing: Workshop) -> None:
    printing.app("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {size: '{{app.size}}'}\n")
    sources(printing, FILES % (".yaml", ""))
    printing.write({"env/east/app.yaml": encrypt(b"size: canary-large\n", KEY).decode()})
    assert printing.run(CODESHIP_AES_KEY=KEY.text).code == 0
    assert printing.index("east")["secrets"] == {"app.yaml": ["/data/size"]}


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
    printing: Workshop, env: dict[str, str], why: str, allowed: bool
) -> None:
    printing.cluster("east", metadata=f"type: test, allowFailure: {str(allowed).lower()}")
    sources(printing, FILES % (".env", ""))
    printing.write({"env/east/app.env": encrypt(b"A=canary-one\n", KEY).decode()})
    result = printing.run(**env)
    assert result.code == 2, result.log
    assert why in result.log
    assert "(source files, container app)" in result.log
    assert result.files == {}


def test_the_key_may_lie_beside_kit_yaml_or_in_a_file(printing: Workshop, tmp_path: Path) -> None:
    sources(printing, FILES % (".env", ""))
    printing.write({"env/east/app.env": encrypt(b"A=canary-one\n", KEY).decode(), "codeship.aes": KEY.text + "\n"})
    assert printing.run().code == 0
    (printing.folder / "codeship.aes").rename(tmp_path / "key")
    assert printing.run().code == 2
    assert printing.run(CODESHIP_AES_KEY_FILE=str(tmp_path / "key")).code == 0
    assert printing.run(KIT_CODESHIP_AES_KEY=KEY.text).code == 0


@pytest.mark.parametrize(("ending", "options"), [(".env", ", encrypted: true"), (".env.encrypted", "")])
def test_a_plain_file_that_must_be_encrypted_is_an_error(printing: Workshop, ending: str, options: str) -> None:
    sources(printing, FILES % (ending, options))
    printing.write({f"env/east/app{ending}": "A=canary\n"})
    result = printing.run(CODESHIP_AES_KEY=KEY.text)
    assert result.code == 2
    assert "A file that must be encrypted is not" in result.log
    assert "canary" not in result.log
