# SPDX-License-Identifier: MIT
"""Deploying to real clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.cluster import Cluster
from tests.cluster.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def shop(desk: Desk, cluster: Cluster, namespace: str) -> Desk:
    """A desk with one target, `shop`, on a fresh namespace of the first cluster."""
    desk.target("shop", cluster.kubeconfig("shop", namespace, inside=False))
    return desk


@pytest.fixture(scope="session")
def image(workload_image: Callable[..., str]) -> str:
    """The workload program, version 1."""
    return workload_image("1")
