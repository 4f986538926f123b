# SPDX-License-Identifier: MIT
"""Which folders a container sees."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.files import read_bytes
from kit_pipeline.engine.access import SOCKET, certificates_of, socket_of
from kit_pipeline.engine.paths import Paths
from kit_pipeline.files.service import Service

_CERTIFICATES: Final = "/etc/docker/certificates"


def binds(service: Service, folder: Path, paths: Paths) -> list[str]:
    """The machine's folders, as the engine takes them. A folder that is not there is made, as it was there.

    Raises `InputError` for one that cannot be.
    """
    found = []
    for volume in service.volumes:
        if volume.host is None:
            continue
        mode = f":{volume.mode}" if volume.mode else ""
        if volume.host.startswith("/"):
            found.append(f"{volume.host}:{volume.container}{mode}")
            continue
        host = folder / volume.host
        if not host.exists():
            try:
                host.mkdir(parents=True, exist_ok=True)  # another step may be making it now
            except OSError as error:
                raise InputError(f"The volume {volume.host} of {service.name} cannot be made", why=str(error)) from None
        found.append(f"{paths.on_machine(host.resolve())}:{volume.container}{mode}")
    return found


def own_volumes(service: Service) -> list[str]:
    """The container's own folders, which end with it."""
    return [volume.container for volume in service.volumes if volume.host is None]


@dataclass(frozen=True)
class Access:
    """What lets a container use the engine. `files` are put into it, by their paths in it."""

    binds: Sequence[str] = ()
    volumes: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def engine_access(env: Mapping[str, str], paths: Paths) -> Access:
    """What `add_docker` gives a container: the engine's socket, or the variables that name it, and its certificates.

    The certificates are put into the container: the engine may be another machine's, which cannot mount ours. The
    variables are those of https://docs.docker.com/engine/security/protect-access. Raises `InputError`.
    """
    if (socket := socket_of(env)) is not None:
        with contextlib.suppress(InputError):  # not mounted from the machine: then it has the same place there
            socket = paths.on_machine(Path(socket))
        return Access(binds=[f"{socket}:{SOCKET}"])
    variables = {"DOCKER_HOST": env["DOCKER_HOST"]}
    folder = certificates_of(env)
    if folder is None:
        return Access(variables=variables)
    files = {
        f"{_CERTIFICATES}/{name}": read_bytes(Path(folder) / name, what="The engine's certificate")
        for name in ("ca.pem", "cert.pem", "key.pem")
    }
    variables["DOCKER_CERT_PATH"] = _CERTIFICATES
    if env.get("DOCKER_TLS_VERIFY"):
        variables["DOCKER_TLS_VERIFY"] = "1"
    return Access(volumes=[_CERTIFICATES], variables=variables, files=files)
