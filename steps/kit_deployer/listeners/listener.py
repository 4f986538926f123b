# SPDX-License-Identifier: MIT
"""Who wants to know of a run while it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kit_deployer.objects import Json, Key
from kit_deployer.result import ClusterResult, RunResult


@dataclass(frozen=True, kw_only=True)
class Applied:
    """An object that a cluster took, as it was sent (never changed after that).

    `namespace` is the one that the cluster's kubeconfig names; `secrets` are JSON pointers that may lead to values from
    a secret source.
    """

    cluster: str
    namespace: str
    key: Key
    body: Json
    secrets: tuple[str, ...] = ()


class Listener(Protocol):
    """Told from many threads; must not raise, and must not make the deploy wait."""

    def begin(self, clusters: Sequence[str]) -> None:
        """The run begins with these clusters."""

    def began(self, name: str) -> None:
        """A resource of that name was applied to a cluster. Its first time is what matters."""

    def applied(self, applied: Applied) -> None:
        """A cluster took an object."""

    def cluster_over(self, result: ClusterResult) -> None:
        """A cluster has come to its end."""

    def over(self, result: RunResult) -> Sequence[str]:
        """The run has come to its end; here, and only here, may be waited, within limits.

        Returns what people should know of it, which the listener has told already.
        """


class Nobody:
    """Listens to nothing."""

    def begin(self, clusters: Sequence[str]) -> None:
        """See `Listener`."""

    def began(self, name: str) -> None:
        """See `Listener`."""

    def applied(self, applied: Applied) -> None:
        """See `Listener`."""

    def cluster_over(self, result: ClusterResult) -> None:
        """See `Listener`."""

    def over(self, result: RunResult) -> Sequence[str]:  # noqa: ARG002
        """See `Listener`."""
        return ()


class Several:
    """Tells all of several listeners."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def begin(self, clusters: Sequence[str]) -> None:
        """See `Listener`."""
        for listener in self._listeners:
            listener.begin(clusters)

    def began(self, name: str) -> None:
        """See `Listener`."""
        for listener in self._listeners:
            listener.began(name)

    def applied(self, applied: Applied) -> None:
        """See `Listener`."""
        for listener in self._listeners:
            listener.applied(applied)

    def cluster_over(self, result: ClusterResult) -> None:
        """See `Listener`."""
        for listener in self._listeners:
            listener.cluster_over(result)

    def over(self, result: RunResult) -> Sequence[str]:
        """See `Listener`."""
        return [text for listener in self._listeners for text in listener.over(result)]
