# SPDX-License-Identifier: MIT
"""Registries that behave badly: asked again, or told in a sentence, and no credentials go astray."""

from __future__ import annotations

import pytest

from tests.git.pushing import OCI_MANIFEST
from tests.git.relay import Exchange, Relay
from tests.git.shelves import Registries, Shelf, relayed


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


@pytest.mark.parametrize("place", ["https://[::1", "http://host:port/", "http://host:99999/", "http://a b/", "//"])
def test_a_redirect_to_what_is_no_address(registries: Registries, open_shelf: Shelf, place: str) -> None:
    def away(exchange: Exchange) -> bool:
        exchange.answer(307, Location=place)
        return True

    with Relay(f"http://{open_shelf.host}", meddle=away) as relay:
        registries.refused(relayed(relay, open_shelf, "oci"), "redirects")
