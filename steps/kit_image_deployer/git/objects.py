# SPDX-License-Identifier: MIT
"""Git objects: read from packs that came over the wire, and made in memory. Ids are hexadecimal, in bytes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from kit_image_deployer.faults import Fault

COMMIT: Final = 1
TREE: Final = 2
BLOB: Final = 3
_IN_MEMORY: Final = 2 * 1024 * 1024


@dataclass(frozen=True)
class GitObject:
    """An object: its kind (`COMMIT`, `TREE`, `BLOB`), id and content."""

    kind: int
    sha: bytes
    content: bytes


class Objects:
    """What was fetched so far. Small packs are unpacked in memory, large ones stay in a temporary file."""

    def __init__(self) -> None:
        self._known: dict[bytes, GitObject] = {}
        self._packs: list[Any] = []
        self._open = ExitStack()

    def __contains__(self, sha: bytes) -> bool:
        return self.get(sha) is not None

    def get(self, sha: bytes) -> GitObject | None:
        """The object, or None where it was not fetched."""
        found = self._known.get(sha)
        if found is not None:
            return found
        for pack in self._packs:
            try:
                kind, content = pack.get_raw(sha)
            except KeyError:
                continue
            return GitObject(kind, sha, content)
        return None

    def add(self, objects: Iterable[GitObject]) -> None:
        """Keep objects that were made here."""
        self._known.update((item.sha, item) for item in objects)

    def new_pack(self) -> IO[bytes]:
        """A file to receive a pack into."""
        return self._open.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))

    def add_pack(self, file: IO[bytes]) -> list[bytes]:
        """Take in a received pack; returns the ids of its objects. Raises `Fault` where it is cut short or broken."""
        from dulwich.object_format import SHA1
        from dulwich.pack import MemoryPackIndex, Pack, PackData, UnpackedObjectIterator

        large = file.tell() > _IN_MEMORY
        file.flush()
        file.seek(0)
        try:
            data = PackData.from_file(file, SHA1)
            self._open.callback(data.close)
            data.check()
            if not large:
                found = [
                    GitObject(item.obj_type_num or 0, item.sha().hex().encode(), b"".join(item.obj_chunks or []))
                    for item in UnpackedObjectIterator.for_pack_data(data)
                ]
                self.add(found)
                return [item.sha for item in found]
            entries: Any = data.sorted_entries()
            pack = Pack.from_objects(data, MemoryPackIndex(entries, SHA1, data.get_stored_checksum()))
            self._open.callback(pack.close)
            self._packs.append(pack)
        except Exception as error:  # a broken pack breaks in many ways
            raise Fault(f"the pack that the server sent cannot be read ({type(error).__name__}: {error})") from error
        return [entry[0].hex().encode() for entry in entries]

    def close(self) -> None:
        """Close and remove temporary files."""
        self._packs.clear()
        self._open.close()


def pack_of(objects: Sequence[GitObject]) -> Iterator[bytes]:
    """The bytes of a pack that holds these objects."""
    from dulwich.object_format import SHA1
    from dulwich.pack import PackChunkGenerator, UnpackedObject

    records = (
        UnpackedObject(item.kind, sha=bytes.fromhex(item.sha.decode()), decomp_chunks=[item.content])
        for item in objects
    )
    return iter(PackChunkGenerator(SHA1, num_records=len(objects), records=records))
