# SPDX-License-Identifier: MIT
"""Fixtures of what is compared with the original, and of services that answer as others' do."""

from collections.abc import Iterator

import pytest

from tests.compat.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """A service of somebody else."""
    with Service().running() as service:
        yield service
