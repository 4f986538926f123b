# SPDX-License-Identifier: MIT
"""Conversations over connections with a memory: ssh (`ssh`) and git's own protocol (`gitserver`).

A server's first words come once a conversation; afterwards version 2 answers one command after the other, version 0 a
single one. `StreamTransport` hides that: it keeps what can be kept, and begins anew where it must.
"""

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol
from urllib.parse import unquote

from kit_core.errors import KitError, WorkError
from kit_image_deployer.faults import Fault
from kit_image_deployer.git.wire import FLUSH, RECEIVE_PACK, UPLOAD_PACK, Advertisement, Read, read_advertisement

_READ_SECONDS: Final = 60.0
# Near the deadline a conversation still gets this long; a push more, since its answer alone tells what became of it.
_LEAST_SECONDS: Final = 1.0
_LEAST_PUSH_SECONDS: Final = 10.0
_LONGEST_LINE: Final = 200
_LIST_REFS: Final = re.compile(rb"[0-9a-f]{4}command=ls-refs")
_HEXADECIMAL: Final = re.compile(rb"[0-9a-fA-F]{1,4}")
# Words with which a server ends a conversation that may go well another time.
_MAY_PASS: Final = re.compile(
    r"temporar|try again|retry|time-?d? ?out|too many|unavailable|internal (server )?error|overload|rate.?limit|busy"
    r"|maintenance|shutting down|starting up|connection (reset|closed|refused)|broken pipe|out of memory|cannot fork"
    r"|no space left|i/o error",
    re.IGNORECASE,
)


def may_pass(words: str, where: str) -> bool:
    """Whether what a server says at the end means that it may go well another time. Servers repeat the repository's
    name, which is no sign of anything: what `where` is made of does not count.
    """
    for name in sorted(re.split(r"[/:]", unquote(where)), key=len, reverse=True):
        if name:
            words = re.sub(rf"(?<![\w-]){re.escape(name.removesuffix('.git'))}(?![\w-])", "", words)
    return bool(_MAY_PASS.search(words))


class Channel(Protocol):
    """One conversation's two directions. Both methods raise `Fault` when the connection fails or time runs out."""

    def send(self, data: bytes, seconds: float) -> None:
        """Send all of it."""
        ...

    def receive(self, size: int, seconds: float) -> bytes:
        """What has come, at most `size` bytes; nothing at the end."""
        ...

    def words(self) -> str:
        """What the server said beside the protocol, and how its program ended; complete after the end only."""
        ...

    def close(self) -> None:
        """End it; never raises."""
        ...


class Server(Protocol):
    """Opens conversations about one repository."""

    @property
    def where(self) -> str:
        """The repository's address without credentials, for messages."""
        ...

    def open(self, service: str, *, version: int, seconds: float) -> Channel:
        """Begin one, asking for this version of the protocol. Raises `Fault` or a `KitError`."""
        ...

    def refusal(self, service: str, words: str) -> KitError:
        """The error for a conversation that the server ended, with these words, before it began."""
        ...

    def close(self) -> None:
        """Let go of connections; never raises."""
        ...


class StreamTransport:
    """See `transport.Transport`. `remaining` tells how many seconds a request may take at most."""

    parallel = False

    def __init__(self, server: Server, remaining: Callable[[], float]) -> None:
        self.where = server.where
        self._server = server
        self._remaining = remaining
        self._ready: dict[str, _Conversation] = {}

    def advertise(self, service: str) -> Advertisement:
        """See `Transport`. Always new words: those of before may name refs that have moved."""
        self._end(self._ready.pop(service, None))
        conversation = self._begin(service)
        self._ready[service] = conversation
        return conversation.advertisement

    @contextmanager
    def call(self, service: str, body: bytes, *, version: int) -> Iterator[Read]:
        """See `Transport`."""
        conversation = self._asked(service, body)
        try:
            if conversation.advertisement.version != version:
                raise Fault("the server changed the protocol's version between two conversations")
            yield conversation.read
        except BaseException as error:
            conversation.close()
            if isinstance(error, Fault) and (words := conversation.words()) and words not in error.why:
                raise type(error)(f"{error.why}: {words}", retry_after=error.retry_after) from error
            raise
        if version == 2:
            self._ready[service] = conversation
        else:
            conversation.close()

    def _asked(self, service: str, body: bytes) -> "_Conversation":
        """A conversation in which `body` was sent. One that was kept may have ended meanwhile: a question (but never
        a push) is put again in a new one.
        """
        kept = self._ready.pop(service, None)
        listing = _LIST_REFS.match(body) is not None
        if kept is not None and listing and kept.listed:
            # git reads the refs once in a process, and would tell those of the first time again.
            self._end(kept)
            kept = None
        if kept is not None:
            kept.listed |= listing
            kept.extend(self._seconds(service))
            kept.send(body)
            if service == RECEIVE_PACK or kept.answers():
                return kept
            kept.close()
        conversation = self._begin(service)
        conversation.listed = listing
        conversation.send(body)
        return conversation

    def _seconds(self, service: str) -> float:
        return max(_LEAST_PUSH_SECONDS if service == RECEIVE_PACK else _LEAST_SECONDS, self._remaining())

    def _begin(self, service: str) -> "_Conversation":
        seconds = self._seconds(service)
        until = time.monotonic() + seconds
        channel = self._server.open(service, version=2 if service == UPLOAD_PACK else 0, seconds=seconds)
        try:
            return _Conversation(channel, until, self._first_words(service))
        except BaseException:
            channel.close()
            raise

    def _first_words(self, service: str) -> Callable[["_Conversation"], Advertisement]:
        def read(conversation: _Conversation) -> Advertisement:
            beginning = conversation.peek()
            if not beginning:
                words = conversation.words()
                if not words or may_pass(words, self.where):
                    raise Fault(f"the connection ended before the server's first words{words and ': '}{words}")
                raise self._server.refusal(service, words)
            if not _HEXADECIMAL.match(beginning):
                raise WorkError(
                    "the server does not speak git's protocol there",
                    where=self.where,
                    why=f"it says {conversation.line()!r}",
                    hint="Check KIT_GIT_URL: it should be the address that `git clone` takes.",
                )
            advertisement = read_advertisement(conversation.read)
            if service == RECEIVE_PACK and "report-status" not in advertisement.capabilities:
                raise self._server.refusal(service, "it answers, but not to git-receive-pack")
            return advertisement

        return read

    def _end(self, conversation: "_Conversation | None") -> None:
        if conversation is not None:
            with suppress(Fault):
                conversation.send(FLUSH)  # good-bye: a server logs a mere hanging-up as an error
            conversation.close()

    def close(self) -> None:
        """See `Transport`."""
        while self._ready:
            self._end(self._ready.popitem()[1])
        self._server.close()


class _Conversation(io.RawIOBase):
    """A channel, read through a buffer until its time is up."""

    def __init__(self, channel: Channel, until: float, first_words: "Callable[[_Conversation], Advertisement]") -> None:
        self._channel = channel
        self._until = until
        self._unsent: Fault | None = None
        self.listed = False
        """Whether the refs were asked for."""
        self._buffer = io.BufferedReader(self, 65_536)
        self.advertisement = first_words(self)

    def extend(self, seconds: float) -> None:
        """The time limit for what comes next."""
        self._until = time.monotonic() + seconds

    def send(self, data: bytes) -> None:
        """Send all of it. Where that fails, the server may have said why: the reader gets to see the failure."""
        try:
            self._channel.send(data, self._left())
        except Fault as fault:
            self._unsent = fault

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise Fault("the server's answer did not end in time")
        return min(left, _READ_SECONDS)

    def read(self, size: int = -1, /) -> bytes:
        """Exactly as many bytes as asked for, fewer at the end."""
        return self._buffer.read(size)

    def peek(self) -> bytes:
        """What is about to be read; nothing at the end."""
        return self._buffer.peek(1)

    def line(self) -> str:
        """A line of text, as far as it comes."""
        with suppress(Fault):
            return self._buffer.readline(_LONGEST_LINE).decode("utf-8", "replace").strip()
        return self.peek().decode("utf-8", "replace")

    def answers(self) -> bool:
        """Whether an answer has begun."""
        with suppress(Fault):
            return bool(self.peek())
        return False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What has come, without waiting for the buffer to be full."""
        data = self._channel.receive(len(buffer), self._left())
        if not data and self._unsent is not None:
            raise self._unsent
        buffer[: len(data)] = data
        return len(data)

    def words(self) -> str:
        """See `Channel`."""
        return self._channel.words()

    def close(self) -> None:
        """End it."""
        if not self.closed:
            super().close()
            self._channel.close()
