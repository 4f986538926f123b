# SPDX-License-Identifier: MIT
"""Containers: made, started, listened to, waited for, removed."""

import contextlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import Run

_REST_SECONDS: Final = 2.0
_ERROR_STREAM: Final = 2


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A container to be made. `binds` are `host:container[:mode]`, `volumes` the container's own.

    `aliases` are its names in the network. `options` are keys of a service that the engine gets as they are.
    """

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
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


def create(client: Client, run: Run, spec: Spec) -> str:
    """Make a container; its id. Raises `EngineError`."""
    from docker.types import LogConfig

    options = spec.options
    host = client.create_host_config(
        binds=list(spec.binds) or None,
        volumes_from=list(spec.volumes_from) or None,
        network_mode=spec.network,
        log_config=LogConfig(type="json-file"),  # which can be read again, whatever the engine's own default
        **_host_options(options),
    )
    networking = None
    if spec.network:
        endpoint = client.create_endpoint_config(aliases=list(dict.fromkeys(spec.aliases)))
        networking = client.create_networking_config({spec.network: endpoint})
    with told(f"The container of {spec.image} was not made"):
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
            ports=list(options["expose"]) if "expose" in options else None,
        )
        return str(made["Id"])


def _host_options(options: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {
        "dns": "dns", "dns_search": "dns_search", "cap_add": "cap_add", "cap_drop": "cap_drop", "cpuset": "cpuset_cpus",
        "mem_limit": "mem_limit", "security_opt": "security_opt",
    }  # fmt: skip
    found = {ours: list(options[key]) if isinstance(options[key], tuple) else options[key]
             for key, ours in renamed.items() if key in options}  # fmt: skip
    if "cpu_shares" in options:
        found["cpu_shares"] = int(options["cpu_shares"])
    if "read_only" in options:
        found["read_only"] = str(options["read_only"]).lower() in {"true", "yes", "on", "1"}
    if "extra_hosts" in options:
        found["extra_hosts"] = dict(entry.split(":", 1) for entry in options["extra_hosts"])
    if options.get("restart", "no") != "no":
        name, _, count = str(options["restart"]).partition(":")
        found["restart_policy"] = {"Name": name, "MaximumRetryCount": int(count or 0)}
    return found


def start(client: Client, container: str, what: str) -> None:
    """Start it. Raises `EngineError`, in the engine's words (a program that is not there, a port that is taken)."""
    with told(f"{what} did not start"):
        client.start(container)


Hear = Callable[[bool, bytes], None]
"""Gets what a container prints: whether to its error stream, and the bytes."""


class Listener:
    """Hears a container from its start to its end, in a thread of its own.

    The engine sometimes keeps the connection open after the end (20.10 does). So its end is not waited for: what had
    not come when the container ended is read from its log.
    """

    def __init__(self, client: Client, container: str, hear: Hear) -> None:
        self._client, self._container, self._hear = client, container, hear
        self._lock = threading.Lock()
        self._got = {False: 0, True: 0}
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name=f"listen to {container[:12]}", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Once the container has ended: hear the rest of it, and no more."""
        self._thread.join(_REST_SECONDS)
        with self._lock:
            self._closed = True
        if not self._thread.is_alive():
            return
        for error in (False, True):
            with told("What the container printed last was not read"):
                whole: bytes = self._client.logs(self._container, stdout=not error, stderr=error)
            if rest := whole[self._got[error] :]:
                self._hear(error, rest)

    def _listen(self) -> None:
        with contextlib.suppress(Exception):  # the connection may end in any way when the container does
            for error, data in frames(self._client, self._container):
                self._take(error, data)

    def _take(self, error: bool, data: bytes) -> None:
        with self._lock:
            if self._closed:
                return
            self._got[error] += len(data)
            self._hear(error, data)


def frames(client: Client, container: str) -> Iterator[tuple[bool, bytes]]:
    """The container's log from its beginning, and as it grows: whether of the error stream, and the bytes.

    The frames are those of https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerAttach; the
    client's own `logs` does not tell the streams apart, and its `attach` may miss what came before it.
    """
    address = f"{client.base_url}/v{client.api_version}/containers/{container}/logs"
    options = {"stdout": 1, "stderr": 1, "follow": 1}
    with client.get(address, params=options, stream=True, timeout=None) as answer:
        answer.raise_for_status()
        while head := _exactly(answer.raw, 8):
            yield head[0] == _ERROR_STREAM, _exactly(answer.raw, int.from_bytes(head[4:8], "big"))


def _exactly(stream: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            return b""
        data += more
    return data


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


def file_in(client: Client, container: str, path: str, *, most: int = 1_000_000) -> bytes:
    """A file of a container, also of one that has ended. Raises `EngineError`."""
    with told(f"{path} was not written"):
        stream, _ = client.get_archive(container, path)
        packed = b""
        for chunk in stream:
            packed += chunk
            if len(packed) > most:
                raise EngineError(f"{path} is no file of logins", why=f"it is larger than {most} bytes")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.next()
        content = archive.extractfile(member) if member else None
        if content is None:
            raise EngineError(f"{path} is no file")
        return content.read()


def remove(client: Client, container: str) -> None:
    """End and remove it with the volumes of its own, if it is still there."""
    with contextlib.suppress(EngineError), told("no"):
        client.remove_container(container, v=True, force=True)


def end(client: Client, container: str) -> None:
    """End it at once, if it still runs."""
    with contextlib.suppress(EngineError), told("no"):
        client.kill(container)
