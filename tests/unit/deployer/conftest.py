# SPDX-License-Identifier: MIT
"""Fixtures of the deployer's unit tests."""

from pathlib import Path

import pytest

from tests.unit.deployer.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Folders of kubeconfigs and manifests, and runs on them."""
    return Desk(tmp_path)
