# SPDX-License-Identifier: MIT
"""Which credentials a Docker configuration holds for a registry, in the many ways in which tools write them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError, WorkError
from kit_core.secrets import Secret
from kit_image_deployer.faults import Fault
from kit_image_deployer.registry.dockerconfig import Credential, DockerConfig, read_docker_config


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def config(content: Mapping[str, Any], **env: str) -> DockerConfig:
    return DockerConfig(path=Path("/c/config.json"), content=content, env=env)


def pair(found: Credential | None) -> tuple[str, str] | None:
    return (found.username, found.password.reveal()) if found and found.password else None


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("docker.io", "docker.io"),
        ("https://registry-1.docker.io/v2/", "docker.io"),
        ("registry.example.com", "registry.example.com"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("http://registry.example.com/v1/", "registry.example.com"),
        ("Registry.Example.com", "registry.example.com"),
        ("localhost:5000", "localhost:5000"),
        ("https://localhost:5000", "localhost:5000"),
    ],
)
def test_the_forms_of_a_key(key: str, registry: str) -> None:
    found = config({"auths": {"other.example.com": auth("x", "y"), key: auth("ada", "s:e")}})
    assert pair(found.credential(registry, "shop/cart")) == ("ada", "s:e")
    assert found.credential("registry.example.org", "shop/cart") is None


@pytest.mark.parametrize("port", ["localhost", "localhost:5001"])
def test_another_port_is_another_registry(port: str) -> None:
    assert config({"auths": {port: auth("ada", "s")}}).credential("localhost:5000", "cart") is None


def test_the_entry_that_names_most_of_the_path_wins() -> None:
    auths = {"r.io/shop": auth("shop", "1"), "r.io": auth("all", "2"), "r.io/shop/cart": auth("cart", "3")}
    found = config({"auths": auths})
    assert pair(found.credential("r.io", "shop/cart")) == ("cart", "3")
    assert pair(found.credential("r.io", "shop/cart/worker")) == ("cart", "3")
    assert pair(found.credential("r.io", "shop/cartoon")) == ("shop", "1")
    assert pair(found.credential("r.io", "tools")) == ("all", "2")


@given(user=st.text(alphabet=st.characters(exclude_characters=":", exclude_categories=["Cs"])), password=st.text(
    alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))  # fmt: skip
def test_a_password_of_any_characters(user: str, password: str) -> None:
    found = config({"auths": {"r.io": auth(user, password)}}).credential("r.io", "a")
    assert pair(found) == (user, password)


def test_the_other_fields_of_an_entry() -> None:
    entries = {
        "plain.io": {"username": "ada", "password": "s"},
        "padded.io": {"auth": base64.b64encode(b"ada:s\0\0").decode()},
        "identity.io": {**auth("00000000-0000-0000-0000-000000000000", ""), "identitytoken": "long"},
        "token.io": {"registrytoken": "jwt"},
        "empty.io": {},
        "email.io": {"email": "ada@example.com"},
    }
    found = config({"auths": entries})
    assert pair(found.credential("plain.io", "a")) == pair(found.credential("padded.io", "a")) == ("ada", "s")
    identity = found.credential("identity.io", "a")
    assert identity is not None
    assert identity.identity_token == Secret("long")
    token = found.credential("token.io", "a")
    assert token is not None
    assert token.registry_token == Secret("jwt")
    assert found.credential("empty.io", "a") is found.credential("email.io", "a") is None
    assert "long" not in repr(identity)


def test_base64_in_lines_is_read_as_docker_reads_it() -> None:
    written = base64.b64encode(f"ada:{'s' * 100}".encode()).decode()
    entry = {"auth": f"{written[:76]}\n{written[76:]}\r\n"}
    assert pair(config({"auths": {"r.io": entry}}).credential("r.io", "a")) == ("ada", "s" * 100)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "canary\ud800"),
        ("username", "canary\udfff"),
        ("identitytoken", "\ud800canary"),
        ("registrytoken", "canary\r\nX-Other: 1"),
        ("registrytoken", "canarÿ"),
    ],
    ids=ascii,
)
def test_what_cannot_be_sent_is_named_and_not_shown(field: str, value: str) -> None:
    entry = {"username": "ada", "password": "s", field: value}
    with pytest.raises(InputError, match=f"`{field}` of r.io cannot be read") as raised:
        config({"auths": {"r.io": entry}}).credential("r.io", "a")
    assert "canar" not in str(raised.value)


@pytest.mark.parametrize("value", ["canary-no-base64!", base64.b64encode(b"canarynocolon").decode(), "4pyT/w=="])
def test_an_entry_that_cannot_be_read_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(InputError) as raised:
        config({"auths": {"r.io": {"auth": value}}}).credential("r.io", "a")
    assert "/c/config.json: `auth` of r.io cannot be read" in str(raised.value)
    assert value not in str(raised.value)


HELPER = """#!/bin/sh
[ "$1" = get ] || exit 9
read -r server || true
case "$server" in
  ecr.io) printf '{"ServerURL": "%s", "Username": "AWS", "Secret": "%s"}' "$server" "$HELP" ;;
  https://index.docker.io/v1/) printf '{"Username": "<token>", "Secret": "identity"}' ;;
  half.io) printf '{"Username": "ada", "Secret": {"canary": 1}}' ;;
  slow.io) exec sleep 30 ;;
  broken.io) printf 'no region is set'; exit 1 ;;
  strange.io) printf 'canary' ;;
  *) printf 'credentials not found in native keychain'; exit 1 ;;
esac
"""


@pytest.fixture
def helper(tmp_path: Path) -> str:
    program = tmp_path / "docker-credential-kit"
    program.write_text(HELPER)
    program.chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


def test_a_helper_is_asked(helper: str) -> None:
    found = config({"credHelpers": {"ecr.io": "kit"}, "auths": {"ecr.io": {}}}, PATH=helper, HELP="pass")
    assert pair(found.credential("ecr.io", "shop/cart")) == ("AWS", "pass")
    assert found.credential("other.io", "shop/cart") is None


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "Docker.IO"])
def test_a_helper_for_docker_hub_under_each_of_its_names(helper: str, key: str) -> None:
    found = config({"credHelpers": {key: "kit"}}, PATH=helper).credential("docker.io", "acme/cart")
    assert found is not None
    assert found.identity_token == Secret("identity")


def test_a_helper_that_is_none_means_the_file(helper: str) -> None:
    content = {"credsStore": "kit", "credHelpers": {"broken.io": ""}, "auths": {"broken.io": auth("ada", "s")}}
    assert pair(config(content, PATH=helper).credential("broken.io", "a")) == ("ada", "s")


def test_a_helper_gets_no_more_time_than_there_is(helper: str) -> None:
    with pytest.raises(Fault, match="docker-credential-kit did not end in time"):
        config({"credsStore": "kit"}, PATH=helper).credential("slow.io", "a", seconds=0.2)


def test_a_store_is_asked_for_every_registry(helper: str) -> None:
    found = config({"credsStore": "kit"}, PATH=helper, HELP="pass")
    assert pair(found.credential("ecr.io", "a")) == ("AWS", "pass")
    assert found.credential("unknown.io", "a") is None
    hub = found.credential("docker.io", "acme/cart")
    assert hub is not None
    assert hub.identity_token == Secret("identity")


def test_a_helper_that_fails_is_told_in_its_own_words(helper: str) -> None:
    found = config({"credsStore": "kit"}, PATH=helper)
    with pytest.raises(WorkError, match=r"docker-credential-kit failed for broken\.io: no region is set"):
        found.credential("broken.io", "a")
    for registry in ("strange.io", "half.io"):
        with pytest.raises(WorkError, match=f"did not answer with credentials for {registry}") as raised:
            found.credential(registry, "a")
        assert "canary" not in str(raised.value)


def test_a_helper_that_is_not_here() -> None:
    found = config({"credHelpers": {"ecr.io": "ecr-login"}}, PATH="/nowhere")
    with pytest.raises(WorkError) as raised:
        found.credential("ecr.io", "a")
    assert "docker-credential-ecr-login, which is not here" in str(raised.value)
    assert "Mount a configuration that holds them" in str(raised.value)
    beside = config({"credsStore": "desktop", "auths": {"r.io": auth("ada", "s")}}, PATH="/nowhere")
    assert pair(beside.credential("r.io", "a")) == ("ada", "s")


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    content = {"auths": {"r.io": auth("ada", "s")}}
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(content))
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / ".dockerconfigjson").write_text(json.dumps(content))
    file = tmp_path / ".docker" / "config.json"
    for path, env in [
        (file, {}),
        (file.parent, {}),
        (secret, {}),
        (None, {"DOCKER_CONFIG": str(file.parent), "HOME": "/nowhere"}),
        (None, {"HOME": str(tmp_path)}),
    ]:
        assert pair(read_docker_config(path, env).credential("r.io", "a")) == ("ada", "s")
    for env in ({}, {"HOME": "/nowhere"}, {"DOCKER_CONFIG": str(tmp_path)}):
        assert read_docker_config(None, env).path is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{\n canary", "it is no JSON: line 2"),
        ('["canary"]', "it is no Docker configuration"),
        ("[" * 100_000, "it is no JSON"),
        (f'{{"a": {"1" * 5000}}}', "it is no JSON"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        read_docker_config(file, {})
    assert f"{file}: {words}" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_a_setting_must_name_one_that_is_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "config.json"):
        with pytest.raises(InputError, match="there is no Docker configuration"):
            read_docker_config(path, {})


def test_mappings_that_are_none() -> None:
    with pytest.raises(InputError, match="`auths` is no mapping"):
        config({"auths": []} | {"auths": ["x"]}).credential("r.io", "a")
