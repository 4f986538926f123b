# SPDX-License-Identifier: MIT
"""Paths as the engine knows them: it mounts the machine's folders, and we may run in a container of its own.

Then a path of ours is the machine's only by what is mounted in our container, of which the engine tells once we know
which one it is. Nothing says that for certain: the kernel's files name a container or another one whose network we
share, and a host name may be anybody's. So each that is named is compared with what we see of ourselves.
"""

import os
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.mounts import SYSTEM, parse_mounts
from kit_pipeline.engine.connect import Client

_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_HOST_NAME: Final = re.compile(r"[0-9a-f]{12,64}")
_ENGINES_OWN: Final = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
_MARKS: Final = ("/.dockerenv", "/run/.containerenv")


@dataclass(frozen=True, kw_only=True)
class Here:
    """What is to be seen of our own process: /proc/self/mountinfo and cgroup, its host name, a container's mark."""

    mounts: str = ""
    cgroups: str = ""
    host_name: str = ""
    marked: bool = False

    @property
    def upper(self) -> str:
        """The folder that takes what is written to our root file system, where it is an overlay of several."""
        for line in self.mounts.splitlines():
            fields, _, rest = line.partition(" - ")
            if fields.split()[4:5] == ["/"] and (found := re.search(r"(?:^|[\s,])upperdir=([^,\s]+)", rest)):
                return found[1]
        return ""

    def names(self) -> Iterator[str]:
        """Ids that may be our container's, each once, the likeliest first."""
        lines = [line.split() for line in self.mounts.splitlines()]
        roots = [fields[3] for fields in lines if len(fields) > 4 and fields[4] in _ENGINES_OWN]
        found = [match for text in (*roots, *self.cgroups.splitlines()) for match in _ID.findall(text)[-1:]]
        if _HOST_NAME.fullmatch(self.host_name) and not any(name.startswith(self.host_name) for name in found):
            found.append(self.host_name)
        yield from dict.fromkeys(found)


def look_around(proc: Path = Path("/proc/self")) -> Here:
    """What is to be seen here; nothing where there is no Linux."""
    return Here(
        mounts=_text(proc / "mountinfo"),
        cgroups=_text(proc / "cgroup"),
        host_name=socket.gethostname(),
        marked=any(os.path.lexists(mark) for mark in _MARKS),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="surrogateescape")
    except OSError:
        return ""


@dataclass(frozen=True)
class Paths:
    """What the engine mounted in our container: where, and which folder of the machine it is (empty for what is no
    folder of it). `points` is where anything at all is mounted. Outside of containers all is as it is.
    """

    mounts: Mapping[PurePosixPath, str] = field(default_factory=dict)
    points: frozenset[PurePosixPath] = frozenset()
    contained: bool = False
    container: str = ""

    def on_machine(self, path: Path) -> str:
        """The machine's name of a path of ours. Raises `InputError` for one that only our container has."""
        if not self.contained:
            return str(path.absolute())
        real = PurePosixPath(os.path.realpath(path))
        for point in (real, *real.parents):
            if source := self.mounts.get(point):
                return str(PurePosixPath(source) / real.relative_to(point))
            if point in self.mounts or point in self.points:
                why = f"{point} is mounted in kit-pipeline's own container, and is no folder of the machine"
                break
        else:
            why = "it lies in kit-pipeline's own container, and the engine mounts the machine's folders"
        raise InputError(
            f"{path} cannot be mounted in another container",
            why=why,
            hint='Mount the repository into kit-pipeline: -v "$PWD:$PWD" -w "$PWD".',
        )


def paths_of(client: Client, here: Here) -> Paths:
    """The mounts of the container that we run in, if it is one of this engine's.

    In a container of another engine (of another machine, or of one that we are a service beside) paths are taken as
    they are: what is shared with it is shared under the same name.
    """
    ours = _ours(client, here)
    if ours is None:
        return Paths()
    mounts = {_real(mount["Destination"]): str(mount.get("Source") or "") for mount in ours["Mounts"]}
    return Paths(mounts, _points(here), contained=True, container=str(ours["Id"]))


def _ours(client: Client, here: Here) -> Mapping[str, Any] | None:
    from docker.errors import APIError

    for name in here.names():
        try:
            inspected: Mapping[str, Any] = client.inspect_container(name)
        except APIError:
            continue
        if _fits(inspected, here):
            return inspected
    if not (here.marked and here.upper):
        return None
    for running in client.containers():
        try:
            inspected = client.inspect_container(running["Id"])
        except APIError:  # it has ended
            continue
        if _upper(inspected) == here.upper:
            return inspected
    return None


def _fits(inspected: Mapping[str, Any], here: Here) -> bool:
    """Whether a container can be ours: it has our root file system, or where that cannot be told, mounts as here."""
    if here.upper and (upper := _upper(inspected)):
        return upper == here.upper
    theirs = {_real(mount["Destination"]) for mount in inspected["Mounts"]}
    return {point for point in theirs if not any(point.is_relative_to(root) for root in SYSTEM)} <= _points(here)


def _upper(inspected: Mapping[str, Any]) -> str:
    return str(((inspected.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir") or "")


def _points(here: Here) -> frozenset[PurePosixPath]:
    return frozenset(PurePosixPath(mount.point) for mount in parse_mounts(here.mounts))


def _real(path: str) -> PurePosixPath:
    """A path as the kernel names it: /var/run is a link in many images."""
    return PurePosixPath(os.path.realpath(path))
