# SPDX-License-Identifier: MIT
"""KIT_VERIFY_IMAGE and KIT_PIN_DIGEST: images are looked up in their registries before anything is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kit_core.network import tls_context
from kit_core.secrets import Secret
from kit_image_deployer.change import ImageUpdate
from kit_image_deployer.patience import Waiting
from kit_image_deployer.registry.client import RegistryAccess, insecure_hosts, resolve_all
from kit_image_deployer.registry.dockerconfig import DockerConfig, read_docker_config
from kit_image_deployer.registry.reference import pinned, taken_apart


@dataclass(frozen=True, kw_only=True)
class ImageCheck:
    """How images are looked up; with `pin`, their digests are written as well. See `image_check`."""

    pin: bool
    config: DockerConfig
    insecure: frozenset[str]
    ca_cert: Path | None
    secret_found: Callable[[Secret], object]

    def applied(
        self, updates: Sequence[ImageUpdate], *, waiting: Waiting, tell: Callable[[str], object]
    ) -> tuple[ImageUpdate, ...]:
        """The updates as they are to be written. Raises `WorkError` where an image is not in its registry."""
        access = RegistryAccess(
            config=self.config,
            tls=tls_context(self.ca_cert),
            env=self.config.env,
            remaining=waiting.remaining,
            insecure=self.insecure,
            secret_found=self.secret_found,
        )
        found = resolve_all([item.image for item in updates], access=access, waiting=waiting, tell=tell)
        if not self.pin:
            return tuple(updates)
        return tuple(replace(item, image=pinned(item.image, found[item.image].digest)) for item in updates)


def image_check(
    images: Sequence[str],
    *,
    verify: bool,
    pin: bool,
    docker_config: Path | None,
    insecure: Sequence[str],
    ca_cert: Path | None,
    env: Mapping[str, str],
    secret_found: Callable[[Secret], object] = lambda _secret: None,
) -> ImageCheck | None:
    """The check of `images` that the settings ask for, or None. Raises `InputError` before any registry is asked.

    `env` holds proxies and what tells Docker's configuration; `secret_found` is told of credentials that are read.
    """
    if not (verify or pin) or not images:
        return None
    for image in images:
        taken_apart(image)
    return ImageCheck(
        pin=pin,
        config=read_docker_config(docker_config, env),
        insecure=insecure_hosts(insecure),
        ca_cert=ca_cert,
        secret_found=secret_found,
    )
