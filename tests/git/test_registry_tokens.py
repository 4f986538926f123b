# SPDX-License-Identifier: MIT
"""Registries that want a token of a service beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed import guarded
from testbed.tokens import TokenService
from tests.git.pushing import OCI_MANIFEST
from tests.git.relay import Exchange, Relay
from tests.git.shelves import Registries, Shelf, relayed


@pytest.mark.parametrize("named", ["token", "access_token"])
def test_a_token_for_a_password(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, docker_config: Any, named: str
) -> None:
    tokens.named = named
    path = docker_config(token_shelf.host, username=tokens.username, password=tokens.password)
    run = registries.run(token_shelf.reference("oci-index"), KIT_DOCKER_CONFIG=path, KIT_PIN_DIGEST="true")
    assert run.code == 0, run.log
    assert token_shelf.digests["oci-index"] in registries.written()
    (method, given, _), *others = tokens.requests
    assert not others
    assert method == "GET"
    assert given["scope"] == ["repository:shop/cart:pull"]
    assert given["service"] == [guarded.SERVICE]
    assert tokens.password not in run.log


def test_a_token_for_an_identity_token(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, docker_config: Any
) -> None:
    path = docker_config(token_shelf.host, identitytoken=tokens.identity)
    run = registries.run(token_shelf.reference("docker"), KIT_DOCKER_CONFIG=path)
    assert run.code == 0, run.log
    (method, given, authorization) = tokens.requests[0]
    assert (method, authorization) == ("POST", "")
    assert given["refresh_token"] == [tokens.identity]
    assert tokens.identity not in run.log


def test_a_public_image_needs_a_token_and_no_password(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, tmp_path: Path
) -> None:
    image = token_shelf.reference("1", "public/cart")
    assert registries.run(image).code == 0
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "desktop"}))
    run = registries.run(image, KIT_DOCKER_CONFIG=str(tmp_path))
    assert run.code == 0, "a helper that is not here does not matter"
    registries.refused(
        token_shelf.reference("oci"), "docker-credential-desktop, which is not here", KIT_DOCKER_CONFIG=str(tmp_path)
    )


def test_what_a_token_service_refuses(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, docker_config: Any
) -> None:
    image = token_shelf.reference("oci")
    registries.refused(image, "asks for credentials for shop/cart", "DENIED: incorrect username or password")
    path = docker_config(token_shelf.host, username=tokens.username, password="canary-wrong")
    run = registries.refused(image, "refused the credentials", "DENIED", str(path), KIT_DOCKER_CONFIG=path)
    assert "canary" not in run.log
    path = docker_config(token_shelf.host, username=tokens.username, password=tokens.password)
    tokens.answers.append((200, json.dumps({"token": tokens.token("repository:other:pull")}).encode(), {}))
    run = registries.refused(image, "refused the credentials", KIT_DOCKER_CONFIG=path)
    tokens.answers.append((200, b'{"access": 1}', {}))
    registries.refused(image, "gave no token", KIT_DOCKER_CONFIG=path)
    for unfit in ("canary\r\nX-Other: 1", "canarÿ", "\ud800", " "):
        tokens.answers.append((200, json.dumps({"token": unfit}).encode(), {}))
        run = registries.refused(image, "gave no token", KIT_DOCKER_CONFIG=path)
        assert "canar" not in run.log
    tokens.answers.append((401, json.dumps({"details": f"no {tokens.password}"}).encode(), {}))
    run = registries.refused(image, "no ***", KIT_DOCKER_CONFIG=path)
    assert tokens.password not in run.log


def test_an_overloaded_token_service_is_asked_again(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, docker_config: Any
) -> None:
    tokens.answers += [(429, b"", {"Retry-After": "0"}), (503, b"", {})]
    path = docker_config(token_shelf.host, username=tokens.username, password=tokens.password)
    run = registries.run(token_shelf.reference("oci"), KIT_DOCKER_CONFIG=path)
    assert run.code == 0, run.log
    assert "429" in run.log
    assert len(tokens.requests) == 3


def test_a_redirect_gets_no_credentials(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, docker_config: Any
) -> None:
    seen: list[str] = []

    def thief(exchange: Exchange) -> bool:
        seen.append(exchange.handler.headers.get("Authorization") or "")
        exchange.answer(200, Docker_Content_Digest=f"sha256:{'1' * 64}", Content_Type=OCI_MANIFEST)
        return True

    with Relay(f"http://{token_shelf.host}", meddle=thief) as other:

        def away(exchange: Exchange) -> bool:
            if not exchange.handler.headers.get("Authorization"):
                return False
            exchange.answer(307, Location=f"{other.url}{exchange.handler.path}")
            return True

        with Relay(f"http://{token_shelf.host}", meddle=away) as relay:
            image = relayed(relay, token_shelf, "oci")
            path = docker_config(relay.url.removeprefix("http://"), username=tokens.username, password=tokens.password)
            run = registries.run(image, KIT_DOCKER_CONFIG=path)
    assert run.code == 0, run.log
    assert seen == [""]


@pytest.mark.parametrize("realm", ["https://[::1", "http://host:port/", "http://host:99999/", "http://a..b/", "/token"])
def test_a_token_service_that_is_no_address(registries: Registries, open_shelf: Shelf, realm: str) -> None:
    def ask(exchange: Exchange) -> bool:
        exchange.answer(401, WWW_Authenticate=f'Bearer realm="{realm}"')
        return True

    with Relay(f"http://{open_shelf.host}", meddle=ask) as relay:
        registries.refused(relayed(relay, open_shelf, "oci"), "the registry names no token service")


def test_a_token_service_that_is_away_is_named(
    registries: Registries, token_shelf: Shelf, tokens: TokenService, docker_config: Any
) -> None:
    """It is not the registry that has to be looked at."""
    tokens.answers.append((503, b"", {}))
    path = docker_config(token_shelf.host, username=tokens.username, password=tokens.password)
    named = f"{tokens.realm.removesuffix('/token')} answered 503"
    registries.refused(token_shelf.reference("oci"), named, KIT_DOCKER_CONFIG=path, RETRIES="0")
