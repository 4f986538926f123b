# SPDX-License-Identifier: MIT
"""What carries git's messages to a server and back, whatever the address: http, ssh, git's own protocol."""

from contextlib import AbstractContextManager
from typing import Protocol

from kit_image_deployer.git.wire import Advertisement, Read


class Transport(Protocol):
    """Conversations with one repository. Every method may raise `Fault` (may pass) or a `KitError` (will not).

    A conversation over http is a row of requests that know nothing of each other; over ssh it is a connection with a
    memory. Whoever calls sees the former: where a new connection is needed, the transport makes it and reads past the
    server's first words by itself.
    """

    where: str
    """The repository's address without credentials, for messages."""
    parallel: bool
    """Whether two conversations may go on at once, in two threads."""

    def advertise(self, service: str) -> Advertisement:
        """The server's first words for `service` (`UPLOAD_PACK`, `RECEIVE_PACK`)."""
        ...

    def call(self, service: str, body: bytes, *, version: int) -> AbstractContextManager[Read]:
        """Send `body` to `service` in this version of the protocol; what is entered reads the answer."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
