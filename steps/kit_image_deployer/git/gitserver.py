# SPDX-License-Identifier: MIT
"""Servers that speak git's own protocol over TCP (`git daemon`), which checks neither who we are nor who they are."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from kit_core.errors import KitError, WorkError
from kit_image_deployer.connections.tunnel import connected, proxy_of
from kit_image_deployer.faults import Fault
from kit_image_deployer.git.place import Place
from kit_image_deployer.git.stream import Channel
from kit_image_deployer.git.wire import RECEIVE_PACK, packet


@dataclass(frozen=True)
class GitServer:
    """A server that speaks git's own protocol (gitprotocol-pack(5), "Git Transport"), which knows no users."""

    place: Place
    env: Mapping[str, str]

    @property
    def where(self) -> str:
        """The address, for messages."""
        return self.place.url

    def open(self, service: str, *, version: int, seconds: float) -> Channel:
        """See `Server`."""
        host, port = self.place.host, self.place.port
        proxy = proxy_of("git", host, port, self.env)
        channel = _Socket(connected(host, port, proxy, where=self.where, seconds=seconds))
        named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        wanted = f"\0version={version}\0" if version else ""
        channel.send(packet(f"{service} {self.place.path}\0host={named}\0{wanted}".encode()), seconds)
        return channel

    def refusal(self, service: str, words: str) -> KitError:
        """See `Server`."""
        doing = "push" if service == RECEIVE_PACK else "read the repository"
        hint = "git:// knows no users; most servers only let read over it. Use the https or ssh address."
        return WorkError(f"the server refused to {doing}", where=self.where, why=words, hint=hint)

    def close(self) -> None:
        """See `Server`."""


class _Socket:
    """A TCP connection as a channel."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes, seconds: float) -> None:
        with _faults():
            self._connection.settimeout(seconds)
            self._connection.sendall(data)

    def receive(self, size: int, seconds: float) -> bytes:
        with _faults():
            self._connection.settimeout(seconds)
            return self._connection.recv(size)

    def words(self) -> str:
        return ""

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Fault("the server did not answer in time") from error
    except OSError as error:
        raise Fault(error.strerror or str(error)) from error
