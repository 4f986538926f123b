# SPDX-License-Identifier: MIT
"""Containers: made, started, waited for, looked into, removed."""

import contextlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import Run
from kit_pipeline.engine.options import Options, host_options, ports


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A container to be made. `binds` are `host:container[:mode]`, `volumes` the container's own.

    `what` it is called in errors, `name` in the engine. `aliases` are its names in the network. `options` are keys of
    a service that the engine gets as they are. `files` are put into it before it starts, by their paths. `terminal`
    gives it one, and what is typed.
    """

    what: str
    image: str
    name: str
    command: Sequence[str] | None = None
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    binds: Sequence[str] = ()
    volumes: Sequence[str] = ()
    volumes_from: Sequence[str] = ()
    network: str | None = None
    aliases: Sequence[str] = ()
    options: Options = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    terminal: bool = False


def create(client: Client, run: Run, spec: Spec) -> str:
    """Make a container; its id. Raises `EngineError`, `InputError` for options that cannot be."""
    from docker.types import LogConfig

    options = spec.options
    with told(f"The container of {spec.what} was not made"):
        host = client.create_host_config(
            binds=list(spec.binds) or None,
            volumes_from=list(spec.volumes_from) or None,
            network_mode=spec.network,
            log_config=LogConfig(type="json-file"),  # which can be read again, whatever the engine's own default
            **host_options(options),
        )
        networking = None
        if spec.network:
            endpoint = client.create_endpoint_config(aliases=list(dict.fromkeys(spec.aliases)))
            networking = client.create_networking_config({spec.network: endpoint})
        made = client.create_container(
            spec.image,
            command=list(spec.command) if spec.command is not None else None,
            entrypoint=list(spec.entrypoint) if spec.entrypoint is not None else None,
            environment=dict(spec.environment),
            volumes=list(spec.volumes) or None,
            name=spec.name,
            labels=run.labels,
            host_config=host,
            networking_config=networking,
            user=options.get("user"),
            working_dir=options.get("working_dir"),
            hostname=options.get("hostname"),
            domainname=options.get("domainname"),
            ports=ports(options) or None,
            tty=spec.terminal,
            stdin_open=spec.terminal,
        )
        if spec.files:
            client.put_archive(made["Id"], "/", _packed(spec.files))
        return str(made["Id"])


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(mode="w", fileobj=packed) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def start(client: Client, container: str, what: str) -> None:
    """Start it. Raises `EngineError`, in the engine's words (a program that is not there, a port that is taken)."""
    with told(f"{what} did not start"):
        client.start(container)


def wait(client: Client, container: str) -> int:
    """Wait until it has ended; its exit code. Raises `EngineError`."""
    with told("The container's end was not seen"):
        return int(client.wait(container, timeout=None)["StatusCode"])


def state(client: Client, container: str) -> Mapping[str, Any]:
    """What the engine knows of its state: `Status`, `ExitCode`, `OOMKilled`, `Health`. Raises `EngineError`."""
    with told("The container's state is not known"):
        found: Mapping[str, Any] = client.inspect_container(container)["State"]
        return found


def inspected(client: Client, container: str) -> Mapping[str, Any]:
    """Everything that the engine says of it. Raises `EngineError`."""
    with told("The container is not known"):
        found: Mapping[str, Any] = client.inspect_container(container)
        return found


def file_in(client: Client, container: str, path: str, *, most: int = 1_000_000) -> bytes | None:
    """A file of a container, also of one that has ended; None where there is none. Raises `EngineError`."""
    packed = bytearray()
    try:
        with told(f"{path} was not read"):
            stream, _ = client.get_archive(container, path)
            for chunk in stream:
                packed += chunk
                if len(packed) > most:
                    raise EngineError(f"{path} was not read", why=f"it is larger than {most} bytes")
    except EngineError as error:
        if error.missing:
            return None
        raise
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.next()
        content = archive.extractfile(member) if member else None
        return content.read() if content else None


def remove(client: Client, container: str) -> None:
    """End and remove it with the volumes of its own, if it is still there."""
    with contextlib.suppress(EngineError), told("no"):
        client.remove_container(container, v=True, force=True)


def end(client: Client, container: str) -> None:
    """End it at once, if it still runs."""
    with contextlib.suppress(EngineError), told("no"):
        client.kill(container)
