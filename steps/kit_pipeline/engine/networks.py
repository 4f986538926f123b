# SPDX-License-Identifier: MIT
"""A network a step, in which its containers find each other by their services' names."""

import contextlib

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import Run


def create_network(client: Client, run: Run, step: str) -> str:
    """A network of its own for a step; its id. Raises `EngineError`."""
    with told("The step's network was not made"):
        made = client.create_network(run.called(step), driver="bridge", labels=run.labels, check_duplicate=False)
        return str(made["Id"])


def remove_network(client: Client, network: str) -> None:
    """Remove it, if it is still there."""
    with contextlib.suppress(EngineError), told("no"):
        client.remove_network(network)
