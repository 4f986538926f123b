# SPDX-License-Identifier: MIT
"""git over ssh: one connection to the server, on which each conversation is a channel of its own.

asyncssh is the client: pure Python, so that it works under any uid and without an ssh program (OpenSSH refuses to run
under a uid that has no name). Nothing of the user's own configuration is read: no ~/.ssh, no agent.
"""

import asyncio
import getpass
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from kit_core.errors import KitError, WorkError
from kit_image_deployer.connections.tunnel import connected, proxy_of
from kit_image_deployer.faults import Fault
from kit_image_deployer.git.eventloop import GOODBYE_SECONDS, Loop
from kit_image_deployer.git.hostkeys import Known, KnownHosts, fingerprint
from kit_image_deployer.git.place import Place
from kit_image_deployer.git.sshlib import asyncssh
from kit_image_deployer.git.stream import Channel
from kit_image_deployer.git.wire import RECEIVE_PACK

_LOGIN_SECONDS: Final = 60.0
_LEAST_SECONDS: Final = 0.1
_KEEPALIVE_SECONDS: Final = 15
_KEEPALIVES: Final = 3
_LONGEST_WORDS: Final = 2000
_DEFAULT_USER: Final = "git"


@dataclass(frozen=True)
class SshAccess:
    """How to get in: our key, the servers' keys, the proxies."""

    key: asyncssh.SSHKey
    hosts: KnownHosts
    env: Mapping[str, str]


class SshServer:
    """See `stream.Server`."""

    def __init__(self, place: Place, user: str | None, access: SshAccess) -> None:
        self._place = place
        self._user = user or _DEFAULT_USER
        self._access = access
        self._loop: Loop | None = None
        self._connection: asyncssh.SSHClientConnection | None = None

    @property
    def where(self) -> str:
        """See `stream.Server`."""
        return self._place.url

    def open(self, service: str, *, version: int, seconds: float) -> Channel:
        """See `stream.Server`."""
        self._loop = self._loop or Loop()
        until = time.monotonic() + min(_LOGIN_SECONDS, seconds)
        used = self._connection is not None and not self._connection.is_closed()
        if not used:
            self._connection = self._connect(self._loop, until)
        assert self._connection is not None
        command = f"{service} {quoted(self._place.path)}"
        # Of servers that let the variable pass, version 2 is had; others speak version 0.
        env = {"GIT_PROTOCOL": f"version={version}"} if version else {}
        try:
            with _faults():
                session = self._connection.open_session(command=command, env=env, encoding=None)
                return _SshChannel(self._loop, *self._loop.run(session, _left(until)))
        except Fault:
            self._disconnect()
            if not used:
                raise
            # The old connection's end is no fault.
            return self.open(service, version=version, seconds=_left(until))

    def _connect(self, loop: Loop, until: float) -> asyncssh.SSHClientConnection:
        place = self._place
        known = self._access.hosts.of(place.host, place.port)
        proxy = proxy_of("ssh", place.host, place.port, self._access.env)
        connection = connected(place.host, place.port, proxy, where=self.where, seconds=_left(until))
        gate = _Gate()
        try:
            with _faults():
                return loop.run(self._log_in(connection, known, gate, _left(until)), _left(until))
        except asyncssh.HostKeyNotVerifiable:
            connection.close()
            raise known.stranger(gate.offered, self.where) from None
        except asyncssh.PermissionDenied:
            connection.close()
            raise self._not_let_in(gate.banner) from None
        except asyncssh.KeyExchangeFailed as error:
            connection.close()
            why = error.reason[:_LONGEST_WORDS]
            raise WorkError(
                "the server and we have no way of encrypting in common", where=self.where, why=why
            ) from None
        except BaseException:
            connection.close()
            raise

    async def _log_in(
        self, connection: socket.socket, known: Known, gate: "_Gate", seconds: float
    ) -> asyncssh.SSHClientConnection:
        _name_for_nobody()
        opened = await asyncssh.connect(
            self._place.host, self._place.port, sock=connection, config=None, client_factory=lambda: gate,
            known_hosts=lambda *_: (known.trusted(known.keys), known.trusted(known.authorities), ()),
            server_host_key_algs=known.algorithms(), x509_trusted_certs=None, x509_trusted_cert_paths=None,
            username=self._user, client_keys=[self._access.key], preferred_auth="publickey", agent_path=None,
            password_auth=False, kbdint_auth=False, host_based_auth=False, gss_kex=False, gss_auth=False,
            disable_trivial_auth=True, login_timeout=seconds, keepalive_interval=_KEEPALIVE_SECONDS,
            keepalive_count_max=_KEEPALIVES,
        )  # fmt: skip
        shown = opened.get_server_host_key()
        if shown in known.revoked:  # of a certificate, asyncssh looks at the authority alone
            opened.abort()
            gate.offered = shown
            raise asyncssh.HostKeyNotVerifiable("the key in the server's certificate was revoked")
        return opened

    def _not_let_in(self, banner: str) -> KitError:
        key = fingerprint(self._access.key)
        said = f"; it says: {banner}" if banner else ""
        return WorkError(
            "the server refused the ssh key",
            where=self.where,
            why=f"permission denied for the user {self._user} with the key {key}{said}",
            hint="Check KIT_GIT_SSH_KEY and the address's user, and that the public half of this key is known there.",
        )

    def refusal(self, service: str, words: str) -> KitError:
        """See `stream.Server`."""
        writing = service == RECEIVE_PACK
        return WorkError(
            f"the server refused to {'push' if writing else 'read the repository'}",
            where=self.where,
            why=words,
            hint=f"Check KIT_GIT_URL, and that the key {fingerprint(self._access.key)} may "
            f"{'write to' if writing else 'read'} the repository; servers hide those that it may not see.",
        )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._loop is not None:
            with suppress(Exception):  # whatever it was, it is over
                self._loop.run(_hang_up(connection), GOODBYE_SECONDS)

    def close(self) -> None:
        """See `stream.Server`."""
        self._disconnect()
        if self._loop is not None:
            self._loop.close()
            self._loop = None


def _left(until: float) -> float:
    return max(_LEAST_SECONDS, until - time.monotonic())


def quoted(path: str) -> str:
    """The path as one word of the shell that a server may run; always in quotes, as servers without one expect it."""
    return "'" + path.replace("'", "'\\''").replace("!", "'\\!'") + "'"


class _Gate(asyncssh.SSHClient):
    """Keeps what the server shows while we log in, for the errors."""

    def __init__(self) -> None:
        self.offered: asyncssh.SSHKey | None = None
        self.banner = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Asked about keys that are not known; never lets one pass."""
        self.offered = key
        return False

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """The same for an authority that signed a server's key."""
        self.offered = key
        return False

    def auth_banner_received(self, msg: str, lang: str) -> None:  # noqa: ARG002
        """What the server says to those who are about to log in."""
        self.banner = " ".join(f"{self.banner} {msg}".split())[:_LONGEST_WORDS]


class _SshChannel:
    """A program on the server, talked to over a channel."""

    def __init__(
        self,
        loop: Loop,
        writer: asyncssh.SSHWriter[bytes],
        reader: asyncssh.SSHReader[bytes],
        aside: asyncssh.SSHReader[bytes],
    ) -> None:
        self._loop = loop
        self._writer = writer
        self._reader = reader
        self._channel = cast("asyncssh.SSHClientChannel[bytes]", writer.channel)
        self._said = bytearray()
        # Read all the time: a server that may say no more stops answering as well.
        self._listening = loop.start(self._listen(aside))

    async def _listen(self, aside: asyncssh.SSHReader[bytes]) -> None:
        with suppress(asyncssh.Error, OSError):
            while data := await aside.read(4096):
                self._said += data[: _LONGEST_WORDS - len(self._said)]

    def send(self, data: bytes, seconds: float) -> None:
        async def send() -> None:
            self._writer.write(data)
            await self._writer.drain()

        with _faults():
            self._loop.run(send(), seconds)

    def receive(self, size: int, seconds: float) -> bytes:
        async def receive() -> bytes:
            data = await self._reader.read(size)
            if not data:
                await self._channel.wait_closed()
            return data

        with _faults():
            data = self._loop.run(receive(), seconds)
            if not data and self._channel.get_exit_status() is None and not self._said:
                raise Fault("the connection was lost")
            return data

    def words(self) -> str:
        with suppress(Exception):
            self._listening(GOODBYE_SECONDS)
        said = "; ".join(line.strip() for line in self._said.decode("utf-8", "replace").splitlines() if line.strip())
        status = self._channel.get_exit_status()
        return said or (f"its program ended with exit code {status}" if status else "")

    def close(self) -> None:
        async def close() -> None:
            self._channel.abort()

        with suppress(Exception):
            self._loop.run(close(), GOODBYE_SECONDS)


async def _hang_up(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    try:
        await asyncio.wait_for(connection.wait_closed(), GOODBYE_SECONDS / 2)
    except TimeoutError:
        connection.abort()


def _name_for_nobody() -> None:
    """asyncssh asks for the local user's name and home, of which it makes nothing here: a uid may have neither."""
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        os.environ["LOGNAME"] = "kit"
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/nonexistent"


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (asyncssh.HostKeyNotVerifiable, asyncssh.PermissionDenied, asyncssh.KeyExchangeFailed):
        raise
    except TimeoutError as error:
        raise Fault("the server did not answer in time") from error
    except (asyncssh.DisconnectError, asyncssh.ChannelOpenError) as error:
        raise Fault(f"the ssh connection ended: {error.reason}"[:_LONGEST_WORDS]) from error
    except (asyncssh.Error, OSError) as error:
        raise Fault(str(error)[:_LONGEST_WORDS] or type(error).__name__) from error
