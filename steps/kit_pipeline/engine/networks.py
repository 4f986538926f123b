# SPDX-License-Identifier: MIT
"""A network a step, in which its containers find each other by their services' names.

Making and removing one takes longer than most containers. So a network whose containers are all gone goes to the next
step: an empty network is as good as a new one, and a run in which nothing stands side by side makes one.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import Run

_EVERY: Final = 1.0
_LONGEST: Final = 600.0
_ALL_TAKEN: Final = "address pool"
"""The engine's addresses are enough for some thirty networks, of everybody (its own words for their end)."""


class Networks:
    """The networks of a run. May be used from several threads."""

    def __init__(self, client: Client, run: Run, stop: threading.Event) -> None:
        self._client, self._run, self._stop = client, run, stop
        self._lock = threading.Condition()
        self._free: list[str] = []

    @contextlib.contextmanager
    def one(self, step: str) -> Iterator[str]:
        """A network that nobody else is in, as long as the context lasts; its id. Raises `EngineError`."""
        network = self._take(step)
        try:
            yield network
        finally:
            self._give_back(network)

    def close(self) -> None:
        """Remove those that are free."""
        with self._lock:
            free, self._free = self._free, []
        for network in free:
            _remove(self._client, network)

    def _take(self, step: str) -> str:
        waited = 0.0
        while True:
            with self._lock:
                if self._free:
                    return self._free.pop()
            try:
                return self._create(step)
            except EngineError as error:
                # Steps of ours, or somebody else's, will give theirs back.
                if _ALL_TAKEN not in (error.why or "") or waited >= _LONGEST or self._stop.is_set():
                    raise
            with self._lock:
                self._lock.wait(_EVERY)
            waited += _EVERY

    def _create(self, step: str) -> str:
        with told("The step's network was not made", hint="`docker network prune` removes those that nobody uses."):
            made = self._client.create_network(
                self._run.called(step), driver="bridge", labels=self._run.labels, check_duplicate=False
            )
            return str(made["Id"])

    def _give_back(self, network: str) -> None:
        if self._stop.is_set() or not self._empty(network):
            _remove(self._client, network)
            return
        with self._lock:
            self._free.append(network)
            self._lock.notify()

    def _empty(self, network: str) -> bool:
        """Whether it is there with nobody in it: a container may have got in that is not ours."""
        try:
            with told("no"):
                return not self._client.inspect_network(network).get("Containers")
        except EngineError:
            return False


def _remove(client: Client, network: str) -> None:
    with contextlib.suppress(EngineError), told("no"):
        client.remove_network(network)
