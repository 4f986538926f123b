# SPDX-License-Identifier: MIT
"""All clusters of a run looked at side by side; one that cannot be reached keeps nobody from being seen."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit_core.console import Console
from kit_core.errors import Interrupted, KitError
from kit_deployer import parallel
from kit_deployer.inputs.reading import Inputs
from kit_deployer.options import Options
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.connection import connect
from kit_deployer.server.failures import Stopped
from kit_deployer.status.looking import look
from kit_deployer.status.model import ClusterStatus, FleetStatus


@dataclass(frozen=True, kw_only=True)
class Onlooker:
    """What looking at clusters needs of the world."""

    options: Options
    console: Console
    stop: threading.Event
    env: Mapping[str, str]
    ca_cert: Path | None
    secret_found: Callable[[str], None]

    def look_at(self, inputs: Sequence[Inputs]) -> FleetStatus:
        """The status of every cluster, by name."""
        workers = self.options.max_parallel
        try:
            return FleetStatus(tuple(parallel.each(self._one, inputs, workers=workers, name="kit-status")))
        except Stopped:
            raise Interrupted(15) from None

    def _one(self, inputs: Inputs) -> ClusterStatus:
        target = inputs.target
        try:
            connection = connect(
                target.kubeconfig,
                env=self.env,
                ca_cert=self.ca_cert,
                request_timeout=self.options.request_timeout,
                secret_found=self.secret_found,
            )
            try:
                cluster = Cluster(
                    target.name,
                    connection,
                    backoff=self.options.backoff,
                    stop=self.stop,
                    tell=lambda text: self.console.warning(text, cluster=target.name),
                    rate=self.options.requests_per_second,
                )
                return look(cluster, inputs, self.options)
            finally:
                connection.close()
        except KitError as error:
            self.console.error(error, cluster=target.name)
            # Nothing is ever touched by looking: what is wrong is the cluster, or its folder on it.
            code = error.exit_code if error.exit_code != 2 else KitError.exit_code
            return ClusterStatus(
                name=target.name,
                server=target.server,
                namespace=target.namespace,
                error=str(error),
                exit_code=code,
            )
