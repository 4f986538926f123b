# SPDX-License-Identifier: MIT
"""Paths as the engine knows them: it mounts the machine's folders, and we may run in a container of its own."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kit_core.errors import InputError
from kit_pipeline.engine.connect import Client


@dataclass(frozen=True)
class Paths:
    """What is mounted in our container: where, and which folder of the machine it is. Empty outside of containers."""

    mounts: tuple[tuple[PurePosixPath, str], ...] = ()
    contained: bool = False

    def on_machine(self, path: Path) -> str:
        """The machine's name of a path of ours. Raises `InputError` for one that only our container has."""
        absolute = PurePosixPath(str(path.absolute()))
        if not self.contained:
            return str(absolute)
        for point, source in sorted(self.mounts, key=lambda mount: -len(mount[0].parts)):
            if absolute.is_relative_to(point):
                return str(PurePosixPath(source) / absolute.relative_to(point))
        raise InputError(
            f"{path} cannot be mounted in another container",
            why="it lies in kit-pipeline's own container, and the engine mounts the machine's folders",
            hint='Mount the repository into kit-pipeline: -v "$PWD:$PWD" -w "$PWD".',
        )


def paths_of(client: Client, hostname: str, *, contained: bool) -> Paths:
    """The mounts of the container that we run in, if we do: Docker gives it its `hostname` for a name."""
    if not contained:
        return Paths()
    from docker.errors import APIError

    try:
        inspected = client.inspect_container(hostname)
    except APIError:
        return Paths()  # another machine's engine, or a container by another name: its folders are what they are
    mounts = tuple((PurePosixPath(mount["Destination"]), mount["Source"]) for mount in inspected["Mounts"])
    return Paths(mounts, contained=True)
