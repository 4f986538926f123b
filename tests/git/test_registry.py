# SPDX-License-Identifier: MIT
"""KIT_VERIFY_IMAGE and KIT_PIN_DIGEST against a real registry: what is found, what is written, what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.bed import Testbed
from tests.git.deployments import OLD
from tests.git.pushing import OCI_MANIFEST, Pusher
from tests.git.relay import Exchange, Relay
from tests.git.shelves import TYPES, Registries, Shelf


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
