# SPDX-License-Identifier: MIT
"""Which folders a container sees."""

from collections.abc import Mapping
from pathlib import Path

from kit_core.errors import InputError
from kit_pipeline.engine.paths import Paths
from kit_pipeline.files.service import Service

_SOCKET = "/var/run/docker.sock"


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
                host.mkdir(parents=True)
            except OSError as error:
                raise InputError(f"The volume {volume.host} of {service.name} cannot be made", why=str(error)) from None
        found.append(f"{paths.on_machine(host.resolve())}:{volume.container}{mode}")
    return found


def own_volumes(service: Service) -> list[str]:
    """The container's own folders, which end with it."""
    return [volume.container for volume in service.volumes if volume.host is None]


def engine_access(env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """What `add_docker` gives a container: binds, and variables (https://docs.docker.com/engine/security/protect-access)."""
    host = env.get("DOCKER_HOST", "")
    if not host or host.startswith("unix://"):
        socket = host.removeprefix("unix://") or _SOCKET
        return [f"{socket}:{_SOCKET}"], {}
    variables = {"DOCKER_HOST": host}
    if not env.get("DOCKER_TLS_VERIFY"):
        return [], variables
    certificates = env.get("DOCKER_CERT_PATH") or str(Path.home() / ".docker")
    inside = "/etc/docker/certificates"
    return [f"{certificates}:{inside}:ro"], {**variables, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": inside}
