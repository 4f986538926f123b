# SPDX-License-Identifier: MIT
"""Registries that want a password, over TLS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.bed import Testbed
from testbed.guarded import GuardedRegistry
from tests.git.deployments import FILE, Deployments
from tests.git.shelves import Registries, Shelf


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
