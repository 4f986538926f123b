# SPDX-License-Identifier: MIT
"""Fixtures of the deploymentizer's unit tests."""

from pathlib import Path

import pytest

from tests.unit.deploymentizer.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A small deployments repository of its own."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return Workshop(folder)
