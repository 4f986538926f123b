# SPDX-License-Identifier: MIT
"""KIT_VERIFY_IMAGE and KIT_PIN_DIGEST against real registries: open, with a password over TLS, with a token service."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from testbed import guarded
from testbed.bed import Testbed
from testbed.guarded import GuardedRegistry
from testbed.tokens import TokenService
from tests.git.conftest import FILE, OLD, Deployments, Run
from tests.git.pushing import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Pusher
from tests.git.relay import Exchange, Relay

TYPES = {"oci-index": OCI_INDEX, "oci": OCI_MANIFEST, "docker-list": DOCKER_LIST, "docker": DOCKER_MANIFEST}


@dataclass(frozen=True)
class Shelf:
    """A registry with one image of each type below `shop/cart` (and one that everybody may see), by tag."""

    host: str
    digests: Mapping[str, str]

    def reference(self, tag: str, repository: str = "shop/cart") -> str:
        return f"{self.host}/{repository}:{tag}"


def filled(host: str, pusher: Pusher, public: Pusher | None = None) -> Shelf:
    digests = {tag: pusher.image("shop/cart", tag, media_type) for tag, media_type in TYPES.items()}
    digests["public"] = (public or pusher).image("public/cart", "1")
    return Shelf(host, digests)


@pytest.fixture(scope="module")
def open_shelf(bed: Testbed) -> Shelf:
    return filled(bed.registry.outside, Pusher(f"http://{bed.registry.outside}"))


@pytest.fixture(scope="module")
def password_registry(bed: Testbed) -> Iterator[GuardedRegistry]:
    with guarded.with_password(bed.id, bed.image) as registry:
        yield registry


@pytest.fixture(scope="module")
def password_shelf(password_registry: GuardedRegistry) -> Shelf:
    basic = base64.b64encode(f"{password_registry.username}:{password_registry.password}".encode()).decode()
    tls = ssl.create_default_context(cadata=password_registry.certificate_authority)
    base = f"https://{password_registry.outside}"
    return filled(password_registry.outside, Pusher(base, {"Authorization": f"Basic {basic}"}, tls))


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenService]:
    with TokenService() as service:
        yield service


@pytest.fixture(scope="module")
def token_shelf(bed: Testbed, tokens: TokenService) -> Iterator[Shelf]:
    with guarded.with_tokens(bed.id, bed.image, realm=tokens.realm, certificate=tokens.certificate) as registry:
        pushers = [
            Pusher(
                f"http://{registry.outside}",
                {"Authorization": f"Bearer {tokens.token(f'repository:{name}:pull,push')}"},
            )
            for name in ("shop/cart", "public/cart")
        ]
        yield filled(registry.outside, *pushers)


@pytest.fixture(autouse=True)
def afresh(request: pytest.FixtureRequest) -> None:
    if "tokens" in request.fixturenames or "token_shelf" in request.fixturenames:
        service: TokenService = request.getfixturevalue("tokens")
        service.requests.clear()
        service.answers.clear()
        service.named = "token"


@pytest.fixture
def docker_config(tmp_path: Path) -> Any:
    """Writes a Docker configuration and returns its path."""

    def write(host: str, **entry: str) -> str:
        if "password" in entry and "username" in entry:
            pair = f"{entry.pop('username')}:{entry.pop('password')}"
            entry["auth"] = base64.b64encode(pair.encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: entry}}))
        return str(tmp_path / "config.json")

    return write


@dataclass
class Registries:
    """Runs the step on images of a shelf; nothing is pushed where it fails."""

    deployments: Deployments
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, image: str, **others: str) -> Run:
        return self.deployments.run(**{"IMAGE": image, "KIT_VERIFY_IMAGE": "true", **self.settings, **others})

    def refused(self, image: str, *words: str, code: int = 1, **others: str) -> Run:
        before = self.deployments.commits()
        run = self.run(image, DEBUG="true", **others)
        assert run.code == code, run.log
        for word in words:
            assert word in run.log, run.log
        assert self.deployments.commits() == before
        return run

    def written(self) -> str:
        return self.deployments.repository.read(FILE)


@pytest.fixture
def registries(deployments: Deployments) -> Registries:
    return Registries(deployments)


# What is there


@pytest.mark.parametrize("tag", TYPES)
def test_an_image_of_each_type_is_found_and_pinned(registries: Registries, open_shelf: Shelf, tag: str) -> None:
    image = open_shelf.reference(tag)
    run = registries.run(image, KIT_PIN_DIGEST="true")
    assert run.code == 0, run.log
    assert registries.written() == f"# the cart\nimage: {image}@{open_shelf.digests[tag]}  # written by its pipeline\n"


def test_verifying_alone_writes_the_reference_as_it_was_given(registries: Registries, open_shelf: Shelf) -> None:
    run = registries.run(open_shelf.reference("oci-index"))
    assert run.code == 0, run.log
    assert f"image: {open_shelf.reference('oci-index')}  #" in registries.written()
    assert open_shelf.digests["oci-index"] in run.log


def test_pinning_verifies_too(registries: Registries, open_shelf: Shelf) -> None:
    run = registries.refused(
        open_shelf.reference("gone"), f"{open_shelf.reference('gone')} is not there", "MANIFEST_UNKNOWN",
        KIT_VERIFY_IMAGE="false", KIT_PIN_DIGEST="true",
    )  # fmt: skip
    assert "Was it pushed" in run.log


def test_without_these_settings_no_registry_is_asked(registries: Registries) -> None:
    run = registries.deployments.run(IMAGE="registry.invalid/shop/cart:1")
    assert run.code == 0, run.log


def test_a_pinned_reference_stays_and_is_verified(registries: Registries, open_shelf: Shelf) -> None:
    image = f"{open_shelf.reference('oci')}@{open_shelf.digests['oci']}"
    assert registries.run(image, KIT_PIN_DIGEST="true").code == 0
    assert f"image: {image}  #" in registries.written()
    other = f"{open_shelf.reference('oci')}@sha256:{'0' * 64}"
    registries.refused(other, f"{other} is not there")


def test_a_dry_run_verifies_and_shows_what_would_be_written(registries: Registries, open_shelf: Shelf) -> None:
    registries.refused(open_shelf.reference("gone"), "is not there", COMMIT="false")
    run = registries.run(open_shelf.reference("oci"), COMMIT="false", KIT_PIN_DIGEST="true")
    assert run.code == 0
    assert f"+image: {open_shelf.reference('oci')}@{open_shelf.digests['oci']}" in run.log


def test_running_twice_makes_no_second_commit(registries: Registries, open_shelf: Shelf) -> None:
    assert registries.run(open_shelf.reference("oci"), KIT_PIN_DIGEST="true").code == 0
    again = registries.run(open_shelf.reference("oci"), KIT_PIN_DIGEST="true")
    assert "result=unchanged" in again.last


def test_of_several_images_one_that_is_missing_stops_all(registries: Registries, open_shelf: Shelf) -> None:
    there, gone = open_shelf.reference("oci"), open_shelf.reference("gone")
    before = registries.deployments.commits()
    images = f"shop/cart@master={there}\nshop/web@master={gone}"
    run = registries.deployments.run(IMAGE="", DOCKER_REPO="", KIT_IMAGES=images, KIT_VERIFY_IMAGE="true")
    assert run.code == 1, run.log
    assert f"{gone} is not there" in run.log
    assert registries.deployments.commits() == before
    images = f"shop/cart@master={there}\nshop/web@master={there}"
    with Relay(f"http://{open_shelf.host}") as relay:
        host = relay.url.removeprefix("http://")
        images = images.replace(open_shelf.host, host)
        run = registries.deployments.run(IMAGE="", DOCKER_REPO="", KIT_IMAGES=images, KIT_PIN_DIGEST="true")
        assert run.code == 0, run.log
        assert [method for method, _ in relay.requests] == ["HEAD"], "one image is asked for once"
    assert f"@{open_shelf.digests['oci']}" in registries.written()


# Passwords


def test_a_password_over_tls(
    registries: Registries,
    password_registry: GuardedRegistry,
    password_shelf: Shelf,
    docker_config: Any,
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.pem").write_text(password_registry.certificate_authority)
    registries.settings["KIT_CA_CERT"] = str(tmp_path / "ca.pem")
    path = docker_config(password_shelf.host, username="kit", password=password_registry.password)
    run = registries.run(password_shelf.reference("docker-list"), KIT_DOCKER_CONFIG=path, KIT_PIN_DIGEST="true")
    assert run.code == 0, run.log
    assert password_shelf.digests["docker-list"] in registries.written()
    assert password_registry.password not in run.log
    registries.refused(password_shelf.reference("gone"), "is not there", "MANIFEST_UNKNOWN", KIT_DOCKER_CONFIG=path)
    found = registries.run(password_shelf.reference("oci"), DOCKER_CONFIG=str(tmp_path))
    assert found.code == 0, "Docker's own variable names the folder"


def test_wrong_and_missing_passwords(
    registries: Registries,
    password_registry: GuardedRegistry,
    password_shelf: Shelf,
    docker_config: Any,
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.pem").write_text(password_registry.certificate_authority)
    registries.settings["KIT_CA_CERT"] = str(tmp_path / "ca.pem")
    image = password_shelf.reference("oci")
    registries.refused(
        image,
        "the registry asks for credentials for shop/cart",
        "there is no Docker configuration",
        "KIT_DOCKER_CONFIG",
    )
    path = docker_config("other.example.com", username="kit", password="canary-other")
    registries.refused(image, f"{path} has none for {password_shelf.host}", KIT_DOCKER_CONFIG=path)
    path = docker_config(password_shelf.host, username="kit", password="canary-wrong")
    run = registries.refused(
        image, "refused the credentials for shop/cart", "UNAUTHORIZED", f"They come from {path}", KIT_DOCKER_CONFIG=path
    )
    assert "canary" not in run.log
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {password_shelf.host: "nowhere"}}))
    registries.refused(image, "docker-credential-nowhere, which is not here", KIT_DOCKER_CONFIG=path)


def test_a_certificate_is_checked_wherever_the_registry_is(
    registries: Registries, password_registry: GuardedRegistry, password_shelf: Shelf, docker_config: Any
) -> None:
    path = docker_config(password_shelf.host, username="kit", password=password_registry.password)
    host = password_shelf.host
    for plain in ("", host):
        registries.refused(
            password_shelf.reference("oci"), "certificate cannot be trusted", "KIT_CA_CERT",
            KIT_DOCKER_CONFIG=path, KIT_INSECURE_REGISTRIES=plain,
        )  # fmt: skip


@pytest.mark.parametrize("options", [{"user": "4711:4711", "read_only": True}, {}])
def test_the_image_with_a_mounted_configuration(
    bed: Testbed,
    built_image: str,
    deployments: Deployments,
    password_registry: GuardedRegistry,
    password_shelf: Shelf,
    docker_config: Any,
    tmp_path: Path,
    options: dict[str, Any],
) -> None:
    (tmp_path / "ca.pem").write_text(password_registry.certificate_authority)
    inside = f"{password_registry.container.part}:5000"
    config = Path(docker_config(inside, username="kit", password=password_registry.password))
    config.chmod(0o644 if options else 0o600)
    tmp_path.chmod(0o755)
    image = password_shelf.reference("oci-index").replace(password_shelf.host, inside)
    settings = deployments.settings(
        KIT_GIT_URL=deployments.repository.url_inside, IMAGE=image, KIT_PIN_DIGEST="true",
        KIT_DOCKER_CONFIG="/docker", KIT_CA_CERT="/docker/ca.pem",
    )  # fmt: skip
    done = bed.run(built_image, env=settings, volumes=[f"{tmp_path}:/docker:ro"], **options)
    assert done.returncode == 0, done.stderr
    assert f"image: {image}@{password_shelf.digests['oci-index']}" in deployments.repository.read(FILE)


# Tokens


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


# Registries that behave badly


def relayed(relay: Relay, shelf: Shelf, tag: str) -> str:
    return shelf.reference(tag).replace(shelf.host, relay.url.removeprefix("http://"))


def test_a_registry_that_is_overloaded_is_asked_again(registries: Registries, open_shelf: Shelf) -> None:
    def busy(exchange: Exchange) -> bool:
        if len(relay.requests) > 3:
            return False
        exchange.answer(429 if len(relay.requests) == 1 else 502, Retry_After="0")
        return True

    with Relay(f"http://{open_shelf.host}", meddle=busy) as relay:
        run = registries.run(relayed(relay, open_shelf, "oci"))
        assert run.code == 0, run.log
        assert "answered 429" in run.log
        relay.requests.clear()
        registries.refused(relayed(relay, open_shelf, "oci"), "gave up after 2 failed attempts", RETRIES="1")


@pytest.mark.parametrize("status", [404, 405, 403])
def test_a_registry_that_does_not_know_head(registries: Registries, open_shelf: Shelf, status: int) -> None:
    def refuse(exchange: Exchange) -> bool:
        if exchange.method == "HEAD":
            exchange.answer(status)
        return exchange.method == "HEAD"

    with Relay(f"http://{open_shelf.host}", meddle=refuse) as relay:
        run = registries.run(relayed(relay, open_shelf, "docker-list"), KIT_PIN_DIGEST="true")
        assert run.code == 0, run.log
    assert open_shelf.digests["docker-list"] in registries.written()


def test_a_registry_that_tells_no_digest_is_read(registries: Registries, open_shelf: Shelf) -> None:
    def plain(exchange: Exchange) -> bool:
        answer = exchange.forward()
        body = b"" if exchange.method == "HEAD" else answer.data
        exchange.answer(200, body=body, Content_Type=answer.headers["Content-Type"])
        return True

    with Relay(f"http://{open_shelf.host}", meddle=plain) as relay:
        image = relayed(relay, open_shelf, "oci")
        run = registries.run(image, KIT_PIN_DIGEST="true")
        assert run.code == 0, run.log
        assert f"{image}@{open_shelf.digests['oci']}" in registries.written()


def test_a_registry_that_answers_with_another_image(registries: Registries, open_shelf: Shelf) -> None:
    def other(exchange: Exchange) -> bool:
        exchange.answer(200, Docker_Content_Digest=f"sha256:{'1' * 64}", Content_Type=OCI_MANIFEST)
        return True

    with Relay(f"http://{open_shelf.host}", meddle=other) as relay:
        pinned = f"{relayed(relay, open_shelf, 'oci')}@{open_shelf.digests['oci']}"
        registries.refused(pinned, "answered with another image")


def test_something_that_is_no_registry(registries: Registries, open_shelf: Shelf) -> None:
    def page(exchange: Exchange) -> bool:
        exchange.answer(200, body=b"<html>", Content_Type="text/html")
        return True

    with Relay(f"http://{open_shelf.host}", meddle=page) as relay:
        registries.refused(relayed(relay, open_shelf, "oci"), "this is no registry", "text/html")


def test_an_answer_without_end_is_not_read_to_its_end(registries: Registries, open_shelf: Shelf) -> None:
    def flood(exchange: Exchange) -> bool:
        exchange.answer(200, body=b'{"schemaVersion": 2}'.ljust(5 << 20), Content_Type=OCI_MANIFEST)
        return True

    with Relay(f"http://{open_shelf.host}", meddle=flood) as relay:
        registries.refused(relayed(relay, open_shelf, "oci"), "answered with more than 4 MB", KIT_PIN_DIGEST="true")


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


@pytest.mark.parametrize("place", ["https://[::1", "http://host:port/", "http://host:99999/", "http://a b/", "//"])
def test_a_redirect_to_what_is_no_address(registries: Registries, open_shelf: Shelf, place: str) -> None:
    def away(exchange: Exchange) -> bool:
        exchange.answer(307, Location=place)
        return True

    with Relay(f"http://{open_shelf.host}", meddle=away) as relay:
        registries.refused(relayed(relay, open_shelf, "oci"), "redirects")


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


def test_plain_http_is_for_this_machine_and_for_hosts_that_are_named(
    registries: Registries, open_shelf: Shelf, bed: Testbed
) -> None:
    # Another name of this machine, which is not taken for it.
    address = f"0.0.0.0:{bed.registry.outside.rpartition(':')[2]}"
    Pusher(f"http://{address}").image("shop/plain", "1")
    image = f"{address}/shop/plain:1"
    run = registries.refused(image, "does not speak TLS there", "KIT_INSECURE_REGISTRIES")
    assert "follows in" not in run.log, "nothing that passes by itself"
    assert registries.run(image, KIT_INSECURE_REGISTRIES=address).code == 0


def test_a_proxy_is_used(registries: Registries, open_shelf: Shelf) -> None:
    def answer(exchange: Exchange) -> bool:
        exchange.answer(200, Docker_Content_Digest=f"sha256:{'1' * 64}", Content_Type=OCI_MANIFEST)
        return True

    with Relay(f"http://{open_shelf.host}", meddle=answer) as proxy:
        run = registries.run(
            "registry.invalid/shop/cart:1", HTTP_PROXY=proxy.url, HTTPS_PROXY=proxy.url, NO_PROXY="127.0.0.1",
            KIT_INSECURE_REGISTRIES="registry.invalid",
        )  # fmt: skip
        assert run.code == 0, run.log
        assert ("HEAD", "git-upload-pack") in proxy.requests


def test_a_setting_that_names_no_configuration(registries: Registries, open_shelf: Shelf, tmp_path: Path) -> None:
    image = open_shelf.reference("oci")
    gone = str(tmp_path / "gone.json")
    registries.refused(image, "there is no Docker configuration", gone, code=2, KIT_DOCKER_CONFIG=gone)
    registries.refused(image, "KIT_INSECURE_REGISTRIES", code=2, KIT_INSECURE_REGISTRIES="http://registry")
    assert OLD in registries.written()
