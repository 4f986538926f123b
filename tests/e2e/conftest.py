# SPDX-License-Identifier: MIT
"""The example shop, deployed once to a testbed by the images themselves; each test begins from how it was then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.stage import set_up
from images.build import build_all
from testbed.bed import Testbed
from testbed.docker import docker
from tests.e2e.shop import Shop, places


@pytest.fixture(scope="session")
def opened_shop(bed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop in namespaces of its own, all cluster folders deployed."""
    work = tmp_path_factory.mktemp("shop")
    images = build_all(lambda _: None)
    stage = set_up(bed, work, images=images, progress=lambda _: None, places=places())
    shop = Shop(stage)
    try:
        shop.restore()
        yield shop
    finally:
        shop.close()


@pytest.fixture
def shop(opened_shop: Shop) -> Shop:
    """The shop as it was first deployed, whatever the test before did to it."""
    opened_shop.restore()
    return opened_shop


@pytest.fixture
def images(shop: Shop) -> Iterator[str]:
    """kit's images in the engine, by the names that the examples' files have here; the part before them."""
    registry = shop.stage.bed.registry.outside
    names = {f"{registry}/{name}:0.1": image for name, image in shop.stage.pipeline.images.items()}
    for name, image in names.items():
        docker("tag", image, name)
    yield registry
    docker("image", "rm", "--no-prune", *names, check=False)
