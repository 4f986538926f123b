# SPDX-License-Identifier: MIT
"""Conversations over connections with a memory: what is kept, what is begun anew, what an end means."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kit_core.errors import KitError, WorkError
from kit_image_deployer.faults import Fault
from kit_image_deployer.git.stream import StreamTransport
from kit_image_deployer.git.wire import FLUSH, RECEIVE_PACK, UPLOAD_PACK, ServerSaid, packet, packets

V2 = packet(b"version 2\n") + packet(b"ls-refs\n") + packet(b"fetch=filter\n") + FLUSH
REF = b"1" * 40 + b" refs/heads/master"
V0 = packet(REF + b"\0report-status shallow\n") + FLUSH
ANSWER = packet(b"done\n") + FLUSH
REQUEST = packet(b"command=x") + FLUSH


@dataclass
class FakeChannel:
    """Says `greeting`, then an answer for each request; ends where there is none left."""

    greeting: bytes
    answers: list[bytes]
    said: str = ""
    end: Callable[[], bytes] = lambda: b""
    sent: list[bytes] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self._coming = io.BytesIO(self.greeting)

    def send(self, data: bytes, seconds: float) -> None:
        assert seconds > 0
        self.sent.append(data)
        if data != FLUSH and self.answers:
            self._coming = io.BytesIO(self.answers.pop(0))

    def receive(self, size: int, seconds: float) -> bytes:
        assert seconds > 0
        return self._coming.read(min(size, 7)) or self.end()

    def words(self) -> str:
        return self.said

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeServer:
    channels: list[FakeChannel]
    opened: list[tuple[str, int]] = field(default_factory=list)
    closed: bool = False
    where: str = "ssh://host/x"

    def open(self, service: str, *, version: int, seconds: float) -> FakeChannel:
        assert seconds > 0
        self.opened.append((service, version))
        return self.channels[len(self.opened) - 1]

    def refusal(self, service: str, words: str) -> KitError:
        return WorkError(f"refused {service}", why=words)

    def close(self) -> None:
        self.closed = True


def transport(*channels: FakeChannel, remaining: float = 60) -> tuple[StreamTransport, FakeServer]:
    server = FakeServer(list(channels))
    return StreamTransport(server, lambda: remaining), server


def ask(conversations: StreamTransport, service: str = UPLOAD_PACK, version: int = 2) -> list[bytes]:
    with conversations.call(service, REQUEST, version=version) as read:
        return list(packets(read))


def test_version_2_is_one_conversation() -> None:
    channel = FakeChannel(V2, [ANSWER, ANSWER])
    conversations, server = transport(channel)
    assert conversations.advertise(UPLOAD_PACK).version == 2
    assert [ask(conversations), ask(conversations)] == [[b"done\n"], [b"done\n"]]
    conversations.close()
    assert server.opened == [(UPLOAD_PACK, 2)]
    assert channel.sent == [REQUEST, REQUEST, FLUSH]
    assert channel.closed
    assert server.closed


def test_refs_are_asked_for_once_in_a_conversation() -> None:
    """git keeps those that it read first, and whoever lost a race would lose it for ever."""
    first, second = FakeChannel(V2, [ANSWER, ANSWER]), FakeChannel(V2, [ANSWER])
    conversations, server = transport(first, second)
    conversations.advertise(UPLOAD_PACK)
    for request in (b"command=ls-refs", b"command=fetch", b"command=ls-refs"):
        with conversations.call(UPLOAD_PACK, packet(request) + packet(b"agent=x") + FLUSH, version=2) as read:
            assert list(packets(read)) == [b"done\n"]
        assert len(server.opened) == (1 if len(first.sent) < 3 else 2)
    assert first.sent[-1] == FLUSH
    assert first.closed


def test_version_0_is_a_conversation_for_each_question() -> None:
    first, second = FakeChannel(V0, [ANSWER]), FakeChannel(V0, [ANSWER])
    conversations, server = transport(first, second)
    assert conversations.advertise(UPLOAD_PACK).refs == {b"refs/heads/master": b"1" * 40}
    ask(conversations, version=0)
    ask(conversations, version=0)
    assert len(server.opened) == 2
    assert (first.sent, second.sent) == ([REQUEST], [REQUEST])
    assert first.closed
    assert second.closed


def test_asked_again_a_server_tells_its_refs_anew() -> None:
    old, new = FakeChannel(V0, []), FakeChannel(V0.replace(b"1" * 40, b"2" * 40), [ANSWER])
    conversations, _ = transport(old, new)
    conversations.advertise(UPLOAD_PACK)
    assert conversations.advertise(UPLOAD_PACK).refs == {b"refs/heads/master": b"2" * 40}
    assert old.sent == [FLUSH]
    assert old.closed


def test_a_conversation_that_ended_meanwhile_is_begun_anew() -> None:
    conversations, server = transport(FakeChannel(V2, [ANSWER, b""]), FakeChannel(V2, [ANSWER]))
    conversations.advertise(UPLOAD_PACK)
    assert [ask(conversations), ask(conversations)] == [[b"done\n"], [b"done\n"]]
    assert len(server.opened) == 2


def test_a_push_is_never_sent_twice() -> None:
    """Whether it arrived is not known, and not for the transport to find out."""
    lost, other = FakeChannel(V0, [b""], said="the disk is full"), FakeChannel(V0, [ANSWER])
    conversations, server = transport(lost, other)
    conversations.advertise(RECEIVE_PACK)
    with pytest.raises(Fault, match="the disk is full"):
        ask(conversations, RECEIVE_PACK, version=0)
    assert len(server.opened) == 1
    assert lost.closed
    assert ask(conversations, RECEIVE_PACK, version=0) == [b"done\n"]


def test_what_was_not_read_to_its_end_is_not_used_again() -> None:
    conversations, server = transport(FakeChannel(V2, [packet(b"ERR no\n") + ANSWER]), FakeChannel(V2, [ANSWER]))
    conversations.advertise(UPLOAD_PACK)
    with pytest.raises(ServerSaid):
        ask(conversations)
    assert ask(conversations) == [b"done\n"]
    assert len(server.opened) == 2


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("ERROR: Repository not found.", WorkError),
        ("fatal: '/x' does not appear to be a git repository", WorkError),
        ("sh: git-upload-pack: not found", WorkError),
        ("fatal: '/srv/retry-x.git' does not appear to be a git repository", WorkError),
        ("FATAL: R any busy/retry-x ada DENIED by fallthru", WorkError),
        ("retry-x is busy, try again", Fault),
        ("remote: Internal server error", Fault),
        ("Service temporarily unavailable", Fault),
        ("Too many connections, try again later", Fault),
        ("", Fault),
    ],
)
def test_what_a_server_says_before_it_hangs_up(said: str, error: type[Exception]) -> None:
    channel = FakeChannel(b"", [], said=said)
    server = FakeServer([channel], where="ssh://host/busy/retry-x.git")
    conversations = StreamTransport(server, lambda: 60)
    with pytest.raises(error, match=said or "ended before"):
        conversations.advertise(UPLOAD_PACK)
    assert channel.closed


def test_an_end_in_the_middle_is_a_fault_with_the_servers_words() -> None:
    conversations, _ = transport(FakeChannel(V2, [ANSWER[:6]], said="out of memory"))
    conversations.advertise(UPLOAD_PACK)
    with pytest.raises(Fault, match="middle of an answer: out of memory"):
        ask(conversations)


def test_another_program_than_receive_pack() -> None:
    """A key that may only read gets upload-pack, whatever it asks for."""
    conversations, _ = transport(FakeChannel(packet(REF + b"\0shallow\n") + FLUSH, []))
    with pytest.raises(WorkError, match="refused git-receive-pack"):
        conversations.advertise(RECEIVE_PACK)


def test_no_git_at_all() -> None:
    conversations, _ = transport(FakeChannel(b"Welcome!\r\nBye.\r\n", []))
    with pytest.raises(WorkError, match=r"does not speak git's protocol there: it says 'Welcome!'"):
        conversations.advertise(UPLOAD_PACK)


def test_time_that_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little comes, and however often."""
    monkeypatch.setattr("kit_image_deployer.git.stream._LEAST_SECONDS", 0.05)
    conversations, _ = transport(FakeChannel(V2, [b"ffff"], end=lambda: b"a"), remaining=0)
    conversations.advertise(UPLOAD_PACK)
    with pytest.raises(Fault, match="did not end in time"):
        ask(conversations)


def test_a_failure_to_send_gives_way_to_what_the_server_says() -> None:
    class Deaf(FakeChannel):
        def send(self, data: bytes, seconds: float) -> None:
            super().send(data, seconds)
            raise Fault("broken pipe")

    talking, mute = Deaf(V2, [packet(b"ERR too large\n")]), Deaf(V2, [b""])
    conversations, _ = transport(talking, mute, mute)
    conversations.advertise(UPLOAD_PACK)
    with pytest.raises(ServerSaid, match="too large"):
        ask(conversations)
    with pytest.raises(Fault, match="broken pipe"):
        ask(conversations)
