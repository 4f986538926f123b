# SPDX-License-Identifier: MIT
"""git's wire protocol, as far as a partial fetch and a push of one branch need it: messages, no connections.

Version 2 for reading (and 0 where the server knows no better), version 0 for pushing, as in git's
Documentation/gitprotocol-{common,v2,pack}. A `Read` returns exactly as many bytes as asked for, fewer at the end.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kit_image_deployer.faults import Fault

Read = Callable[[int], bytes]
Sink = Callable[[bytes], object]

UPLOAD_PACK: Final = "git-upload-pack"
RECEIVE_PACK: Final = "git-receive-pack"
FLUSH: Final = b"0000"
DELIMITER: Final = b"0001"
NOTHING: Final = b"0" * 40
_AGENT: Final = b"agent=kit-image-deployer"
_LONGEST_WORDS: Final = 10_000


@dataclass(frozen=True)
class Advertisement:
    """What a server says first: the protocol's version, its capabilities, and (in version 0) its refs."""

    version: int
    capabilities: Mapping[str, str]
    refs: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def head(self) -> bytes | None:
        """The ref that HEAD points to, where version 0 tells."""
        symref = self.capabilities.get("symref", "")
        return symref.removeprefix("HEAD:").encode() if symref.startswith("HEAD:") else None

    def can_fetch(self, feature: str) -> bool:
        """Whether fetching can do this ("filter", "shallow")."""
        if self.version == 2:
            return feature in self.capabilities.get("fetch", "").split()
        return feature in self.capabilities


@dataclass(frozen=True)
class Report:
    """The server's answer to a push: of the pack, of our ref (None: it said nothing), and what hooks printed."""

    unpacked: str | None
    refused: str | None
    accepted: bool
    words: str


def packet(data: bytes) -> bytes:
    """One line of the protocol: its length in four hexadecimal digits, then the data."""
    return f"{len(data) + 4:04x}".encode() + data


def packets(read: Read) -> Iterator[bytes]:
    """The lines up to the next flush or delimiter. Raises `Fault` where the connection ends before it."""
    while True:
        head = read(4)
        if head in {FLUSH, DELIMITER, b"0002"}:
            return
        if len(head) < 4:
            raise Fault("the connection ended in the middle of an answer")
        try:
            length = max(4, int(head, 16))
        except ValueError:
            raise Fault(f"the server's answer is not git's protocol (a line begins with {head!r})") from None
        data = read(length - 4)
        if len(data) < length - 4:
            raise Fault("the connection ended in the middle of an answer")
        if data.startswith(b"ERR "):
            raise ServerSaid(data[4:].decode("utf-8", "replace").strip())
        yield data


class ServerSaid(Exception):
    """The server ended the conversation with words of its own."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def read_advertisement(read: Read) -> Advertisement:
    """The beginning of every conversation."""
    lines = list(packets(read))
    if lines and lines[0].startswith(b"# service="):
        lines = lines[1:] or list(packets(read))
    if lines and lines[0].rstrip(b"\n") == b"version 1":
        lines = lines[1:]
    if lines and lines[0].rstrip(b"\n") == b"version 2":
        return Advertisement(2, _capabilities(line.rstrip(b"\n") for line in lines[1:]))
    first, _, words = (lines[0] if lines else b"").partition(b"\0")
    refs = {}
    for line in [first, *lines[1:]]:
        sha, _, name = line.rstrip(b"\n").partition(b" ")
        if name and sha not in {NOTHING, b"shallow"}:
            refs[name] = sha
    return Advertisement(0, _capabilities(words.rstrip(b"\n").split(b" ")), refs)


def _capabilities(words: Iterable[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, _, value = word.decode("utf-8", "replace").partition("=")
        if name == "symref" and not value.startswith("HEAD:"):
            continue
        found[name] = value
    return found


def _command(name: str, advertisement: Advertisement, arguments: Iterable[bytes]) -> bytes:
    lines = [packet(b"command=" + name.encode()), packet(_AGENT)]
    if "object-format" in advertisement.capabilities:
        lines.append(packet(b"object-format=" + advertisement.capabilities["object-format"].encode()))
    return b"".join([*lines, DELIMITER, *map(packet, arguments), FLUSH])


def ls_refs_request(advertisement: Advertisement, prefixes: Iterable[bytes]) -> bytes:
    """Ask (in version 2) for the refs that begin with one of the prefixes."""
    return _command("ls-refs", advertisement, [b"symrefs", *(b"ref-prefix " + prefix for prefix in prefixes)])


def read_refs(read: Read) -> tuple[dict[bytes, bytes], bytes | None]:
    """The answer to it: refs by name, and what HEAD points to."""
    refs: dict[bytes, bytes] = {}
    head = None
    for line in packets(read):
        sha, name, *attributes = line.rstrip(b"\n").split(b" ")
        refs[name] = sha
        for attribute in attributes:
            if name == b"HEAD" and attribute.startswith(b"symref-target:"):
                head = attribute.removeprefix(b"symref-target:")
    return refs, head


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to fetch: objects by id, without what is reachable from `have`.

    `filter` leaves out kinds of objects that are not themselves wanted (`tree:0`: trees and files, `blob:none`:
    files). `depth` cuts the history; `shallow` are commits in `have` whose history we lack.
    """

    want: Sequence[bytes]
    have: Sequence[bytes] = ()
    shallow: Sequence[bytes] = ()
    filter: str | None = None
    depth: int | None = None


def fetch_request(advertisement: Advertisement, wanted: Wanted) -> bytes:
    """Ask for a pack."""
    cut = [b"shallow " + sha for sha in wanted.shallow]
    cut += [b"deepen %d" % wanted.depth] if wanted.depth else []
    have = [b"have " + sha for sha in wanted.have]
    if advertisement.version == 2:
        filters = [b"filter " + wanted.filter.encode()] if wanted.filter else []
        want = [b"want " + sha for sha in wanted.want]
        return _command("fetch", advertisement, [b"no-progress", b"ofs-delta", *filters, *cut, *want, *have, b"done"])
    names = ["side-band-64k", "ofs-delta", "no-progress", *(["shallow"] if cut else [])]
    able = b" ".join(name.encode() for name in names if name in advertisement.capabilities)
    first, *others = wanted.want
    lines = [b"want " + first + b" " + able + b"\n", *(b"want " + sha + b"\n" for sha in others), *cut]
    return b"".join([*map(packet, lines), FLUSH, *map(packet, have), packet(b"done\n")])


def read_pack(read: Read, advertisement: Advertisement, wanted: Wanted, sink: Sink) -> None:
    """The answer to it: the pack's bytes go to `sink`."""
    if advertisement.version == 2:
        _skip_to_pack(read)
    else:
        _skip_acknowledgments(read, cut=wanted.depth is not None)
    if advertisement.version == 2 or "side-band-64k" in advertisement.capabilities:
        for _ in _data(packets(read), sink):
            pass
    else:
        while chunk := read(65_536):
            sink(chunk)


def _skip_to_pack(read: Read) -> None:
    while (section := _one_packet(read).rstrip(b"\n")) != b"packfile":
        if not section:
            raise Fault("the server's answer holds no pack")
        for _ in packets(read):
            pass


def _skip_acknowledgments(read: Read, *, cut: bool) -> None:
    if cut:  # where the history was cut
        for _ in packets(read):
            pass
    while _one_packet(read).rstrip().endswith((b"continue", b"common", b"ready")):
        pass


def _one_packet(read: Read) -> bytes:
    return next(iter(packets(read)), b"")


def _data(lines: Iterable[bytes], sink: Sink) -> Iterator[bytes]:
    """Split the bands: data to `sink`, progress is yielded. Raises `ServerSaid` for the third band's last words."""
    for line in lines:
        band, content = line[:1], line[1:]
        if band == b"\x01":
            sink(content)
        elif band == b"\x02":
            yield content
        elif band == b"\x03":
            raise ServerSaid(content.decode("utf-8", "replace").strip())


def push_request(
    capabilities: Mapping[str, str], ref: bytes, old: bytes, new: bytes, options: Sequence[str] = ()
) -> bytes:
    """What precedes the pack: move `ref` from `old`, and only from there, to `new`; then words for the hooks."""
    able = [name.encode() for name in ("report-status", "side-band-64k", "ofs-delta") if name in capabilities]
    if "object-format" in capabilities:
        able.append(b"object-format=sha1")
    said = [packet(option.encode()) for option in options]
    if said:
        able.append(b"push-options")
        said.append(FLUSH)
    return b"".join([packet(old + b" " + new + b" " + ref + b"\0 " + b" ".join([*able, _AGENT])), FLUSH, *said])


def read_report(read: Read, capabilities: Mapping[str, str], ref: bytes) -> Report:
    """The answer to it. A ref that the report does not mention was neither accepted nor refused."""
    said = bytearray()
    if "side-band-64k" in capabilities:
        status = bytearray()
        try:
            for progress in _data(packets(read), status.extend):
                said += progress[: _LONGEST_WORDS - len(said)]
        except ServerSaid as last:
            raise ServerSaid(f"{_text(said)}\n{last.words}".strip()) from None
        read = _reader(bytes(status))
        if not status:
            return Report(None, None, False, _text(said))
    lines = [line.rstrip(b"\n") for line in packets(read)]
    unpacked = refused = None
    accepted = False
    for line in lines:
        word, _, rest = line.partition(b" ")
        if word == b"unpack" and rest != b"ok":
            unpacked = rest.decode("utf-8", "replace")
        elif word == b"ng" and rest.partition(b" ")[0] == ref:
            refused = rest.partition(b" ")[2].decode("utf-8", "replace") or "refused"
        elif word == b"ok" and rest == ref:
            accepted = True
    return Report(unpacked, refused, accepted, _text(said))


def _reader(data: bytes) -> Read:
    from io import BytesIO

    return BytesIO(data).read


def _text(said: bytes | bytearray) -> str:
    lines = bytes(said).decode("utf-8", "replace").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())
