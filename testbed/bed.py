# SPDX-License-Identifier: MIT
"""The front: a testbed is started, used and removed as one thing."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed import cluster, git, leftovers, network, owner, registry
from testbed.cluster import Cluster
from testbed.container import LABEL, PART_LABEL, Container, network_name
from testbed.docker import Progress, docker, ensure_engine
from testbed.errors import TestbedError
from testbed.git import GitServer
from testbed.images import TESTBED, WORKLOAD, ensure_image
from testbed.registry import Registry

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Testbed:
    """A registry, a git server and clusters in a network of their own.

    Everything about it is read from Docker's labels, so a testbed can be used by other processes than the one that
    started it.
    """

    __test__ = False

    id: str
    image: str
    registry: Registry
    git: GitServer
    clusters: tuple[Cluster, ...]

    @classmethod
    def start(
        cls, clusters: int = 1, *, progress: Progress = print, detach: bool = False, logs: Path | None = None
    ) -> Testbed:
        """Start a testbed with a number of clusters, named cluster-a, cluster-b, …

        Whatever is missing is made first: the engine, the images. With `detach` it outlives this process. On failure
        and
        interruption everything is removed again; the logs of what had started are kept in `logs` (a folder of the
        system's
        temporary one), and the error names it.
        """
        ensure_engine(progress)
        leftovers.remove_leftovers(progress)
        image = ensure_image(TESTBED, progress)
        began = time.monotonic()
        bed = secrets.token_hex(3)
        holder = owner.DETACHED if detach else str(owner.current())
        progress(
            f"testbed {bed}: starting a registry, a git server and {clusters} cluster{'s' if clusters != 1 else ''}"
        )
        pool = ThreadPoolExecutor(max_workers=clusters + 2)
        try:
            network.create(bed, holder)
            started = _start_parts(pool, bed, image, clusters, progress)
        except BaseException as error:
            kept = keep_logs(bed, logs) if isinstance(error, TestbedError) else None
            # Twice: the first time ends what still waits for a part, the second takes what was just being started.
            leftovers.remove(bed)
            pool.shutdown(cancel_futures=True)
            leftovers.remove(bed)
            if kept:
                raise TestbedError(f"{error}\nThe logs are kept in {kept}") from error
            raise
        progress(f"testbed {bed}: ready after {time.monotonic() - began:.1f} s")
        return started

    @classmethod
    def attach(cls, bed: str) -> Testbed:
        """Return the running testbed of that id; raises TestbedError where there is none."""
        found = next((found for found in leftovers.find() if found.bed == bed), None)
        if found is None or not found.parts:
            raise TestbedError(f"there is no testbed {bed}; `python -m testbed status` lists those that run")
        stopped = [part.part for part in found.parts if not part.running]
        if stopped:
            raise TestbedError(
                f"testbed {bed} is broken: {', '.join(stopped)} stopped; `python -m testbed down {bed}` removes it"
            )
        image = docker("inspect", "--format", "{{.Config.Image}}", Container(bed, registry.PART).name).stdout.strip()
        names = [part.part for part in found.parts if part.part.startswith("cluster-")]
        return cls(
            bed, image, registry.attach(bed), git.attach(bed), tuple(cluster.attach(bed, name) for name in names)
        )

    @property
    def network(self) -> str:
        """The name of the Docker network."""
        return network_name(self.id)

    @property
    def cluster(self) -> Cluster:
        """The first cluster."""
        return self.clusters[0]

    def workload(self, tag: str = "1", repository: str = "shop/workload", **variables: str) -> str:
        """Push the workload program (see `testbed/workload`) as `repository:tag`, with VERSION=tag baked in.

        Other variables are baked in too. Returns the reference to put into a manifest.
        """
        return self.registry.build_version(ensure_image(WORKLOAD, lambda _: None), repository, tag, **variables)

    def run(
        self,
        image: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        volumes: Sequence[str] = (),
        user: str | None = None,
        read_only: bool = False,
        options: Sequence[str] = (),
        stdin: str | None = None,
        check: bool = False,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run an image in the testbed's network as a CI would (`docker run --rm`), and return exit code and output.

        `volumes` are `docker run --volume` values; `read_only` leaves only a tmpfs on /tmp writable; `options` go to
        `docker run` as they are. Past `timeout` seconds the container is removed and TestbedError raised.
        """
        name = f"kit-{self.id}-run-{secrets.token_hex(4)}"
        given = dict(env or {})
        command = [
            "run", "--rm", "--name", name, "--network", self.network,
            "--label", f"{LABEL}={self.id}", "--label", f"{PART_LABEL}=run",
            *(part for key in given for part in ("--env", key)),
            *(part for volume in volumes for part in ("--volume", volume)),
            *(["--user", user] if user else []),
            *(["--read-only", "--tmpfs", "/tmp"] if read_only else []),
            *(["--interactive"] if stdin is not None else []),
            *options, image, *arguments,
        ]  # fmt: skip
        try:
            return docker(*command, env={**os.environ, **given}, stdin=stdin, check=check, timeout=timeout)
        except BaseException:
            docker("rm", "--force", "--volumes", name, check=False)
            raise

    def down(self) -> None:
        """Remove everything of it."""
        leftovers.remove(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()


def keep_logs(bed: str, folder: Path | None = None) -> Path:
    """Write the logs of a testbed's parts into a folder (default: one in the system's temporary folder); returns it."""
    kept = folder or Path(tempfile.gettempdir()) / "kit-testbed-logs" / bed
    kept.mkdir(parents=True, exist_ok=True)
    for found in leftovers.find():
        if found.bed == bed:
            for part in found.parts:
                Container(bed, part.part).keep_logs(kept)
    return kept


def _start_parts(pool: ThreadPoolExecutor, bed: str, image: str, clusters: int, progress: Progress) -> Testbed:
    """The registry first, since nodes are told its name; then all the rest at once."""
    names = [f"cluster-{_LETTERS[number]}" for number in range(clusters)]
    git_server = pool.submit(git.start, bed, image)
    mode = pool.submit(cluster.may_be_privileged, image)
    images = registry.start(bed, image)
    privileged = mode.result()
    nodes = [
        pool.submit(
            cluster.start, bed, image, name,
            registry=images.inside, registry_names=images.outside, privileged=privileged,
        )
        for name in names
    ]  # fmt: skip
    for name, node in zip(names, nodes, strict=True):
        progress(f"testbed {bed}: {name} at {node.result().server_outside} is ready")
    return Testbed(bed, image, images, git_server.result(), tuple(node.result() for node in nodes))


def end_on_sigterm() -> None:
    """Let SIGTERM and a closed terminal end this process as Ctrl-C does, so that what it started is removed.

    For programs' entry points.
    """

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
