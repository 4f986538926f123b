# SPDX-License-Identifier: MIT
"""Who wants to know of a run while it goes on."""

from collections.abc import Sequence
from typing import Protocol

from kit_deployer.result import ClusterResult


class Listener(Protocol):
    """Told from many threads; must not raise, and must not make the deploy wait."""

    def begin(self, clusters: Sequence[str]) -> None:
        """The run begins with these clusters."""

    def began(self, name: str) -> None:
        """A resource of that name was applied to a cluster. Its first time is what matters."""

    def cluster_over(self, result: ClusterResult) -> None:
        """A cluster has come to its end."""


class Nobody:
    """Listens to nothing."""

    def begin(self, clusters: Sequence[str]) -> None:
        """See `Listener`."""

    def began(self, name: str) -> None:
        """See `Listener`."""

    def cluster_over(self, result: ClusterResult) -> None:
        """See `Listener`."""
