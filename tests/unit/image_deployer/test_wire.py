# SPDX-License-Identifier: MIT
"""git's messages: read as git sends them, whole or cut short; and the objects in packs."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from dulwich.objects import Blob, Commit, Tree
from dulwich.pack import write_pack_objects
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_image_deployer.faults import Fault
from kit_image_deployer.git import tree, wire
from kit_image_deployer.git.objects import BLOB, COMMIT, TREE, GitObject, Objects, pack_of
from kit_image_deployer.git.remote import SmartRemote
from kit_image_deployer.git.repository import Head

A, B = b"a" * 40, b"b" * 40
REF = b"refs/heads/master"


def reader(*lines: bytes) -> wire.Read:
    return io.BytesIO(b"".join(lines)).read


def line(text: str | bytes) -> bytes:
    return wire.packet(text if isinstance(text, bytes) else text.encode())


def test_an_advertisement_of_version_2() -> None:
    told = wire.read_advertisement(
        reader(line("# service=git-upload-pack\n"), b"0000", line("version 2\n"), line("agent=git/2\n"),
               line("fetch=shallow filter\n"), line("object-format=sha1\n"), b"0000")
    )  # fmt: skip
    assert told.version == 2
    assert told.can_fetch("filter")
    assert told.can_fetch("shallow")
    assert not told.can_fetch("packfile-uris")


def test_an_advertisement_of_version_0() -> None:
    told = wire.read_advertisement(
        reader(line("# service=git-receive-pack\n"), b"0000",
               line(A + b" HEAD\0report-status symref=HEAD:refs/heads/master agent=x\n"), line(A + b" " + REF + b"\n"),
               b"0000")
    )  # fmt: skip
    assert told.version == 0
    assert told.refs == {b"HEAD": A, REF: A}
    assert told.head == REF
    assert "report-status" in told.capabilities


def test_an_empty_repository_advertises_no_refs() -> None:
    first = line(wire.NOTHING + b" capabilities^{}\0report-status\n")
    told = wire.read_advertisement(reader(first, b"0000"))
    assert told.refs == {}
    assert "report-status" in told.capabilities


@pytest.mark.parametrize("cut", range(1, 30))
def test_an_answer_that_ends_early_is_a_fault(cut: int) -> None:
    whole = line("first line\n") + line("second line\n") + b"0000"
    with pytest.raises(Fault, match="ended in the middle"):
        list(wire.packets(io.BytesIO(whole[:cut]).read))


def test_what_the_server_says_is_kept() -> None:
    with pytest.raises(wire.ServerSaid, match="access denied"):
        list(wire.packets(reader(line("ERR access denied\n"))))


def report(*lines: bytes, said: bytes = b"", band: bool = True) -> wire.Report:
    status = b"".join(lines) + b"0000"
    capabilities = {"report-status": "", **({"side-band-64k": ""} if band else {})}
    if not band:
        return wire.read_report(reader(status), capabilities, REF)
    halves = [line(b"\x01" + status[:7]), line(b"\x02" + said), line(b"\x01" + status[7:]), b"0000"]
    return wire.read_report(reader(*halves), capabilities, REF)


@pytest.mark.parametrize("band", [True, False])
def test_the_status_of_our_ref_is_read(band: bool) -> None:
    ok = line("unpack ok\n")
    assert report(ok, line(b"ok " + REF + b"\n"), band=band).accepted
    refused = report(ok, line(b"ng " + REF + b" pre-receive hook declined\n"), band=band)
    assert (refused.accepted, refused.refused) == (False, "pre-receive hook declined")
    other = report(ok, line("ok refs/heads/other\n"), line("ng refs/heads/third no\n"), band=band)
    assert (other.accepted, other.refused) == (False, None)
    assert report(line("unpack index-pack failed\n"), band=band).unpacked == "index-pack failed"


def test_what_hooks_print_is_kept() -> None:
    assert report(line("unpack ok\n"), said=b"frozen\r\nuntil Monday\n\n").words == "frozen\nuntil Monday"


def test_endless_words_of_a_hook_are_cut_short() -> None:
    many = [line(b"\x02" + b"x" * 60_000) for _ in range(50)]
    status = line(b"\x01" + line("unpack ok\n") + line(b"ok " + REF + b"\n") + b"0000")
    found = wire.read_report(reader(*many, status, b"0000"), {"report-status": "", "side-band-64k": ""}, REF)
    assert found.accepted
    assert len(found.words) == 10_000


def test_a_push_names_the_old_value_that_it_expects() -> None:
    body = wire.push_request({"report-status": "", "side-band-64k": "", "delete-refs": ""}, REF, A, B)
    first = next(wire.packets(io.BytesIO(body).read))
    assert first.startswith(A + b" " + B + b" " + REF + b"\0")
    assert set(first.split(b"\0")[1].split()[:2]) == {b"report-status", b"side-band-64k"}


def blobs(count: int) -> list[Blob]:
    return [Blob.from_string(b"content %d\n" % number * 40) for number in range(count)]


@pytest.mark.parametrize("limit", [10_000_000, 10])
def test_packs_are_read_from_memory_and_from_disk(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit_image_deployer.git.objects._IN_MEMORY", limit)
    made = blobs(50)
    objects = Objects()
    pack = objects.new_pack()
    from dulwich.object_format import SHA1

    write_pack_objects(pack, [(item, None) for item in made], object_format=SHA1, deltify=True)
    assert set(objects.add_pack(pack)) == {item.id for item in made}
    for item in made:
        found = objects.get(item.id)
        assert found == GitObject(BLOB, item.id, item.data)
    assert objects.get(A) is None
    objects.close()


def test_a_pack_that_is_cut_short_is_a_fault() -> None:
    whole = b"".join(pack_of([tree.git_object(BLOB, b"hello")]))
    for size in (0, 5, 12, len(whole) - 21, len(whole) - 5):
        objects = Objects()
        pack = objects.new_pack()
        pack.write(whole[:size])
        with pytest.raises(Fault):
            objects.add_pack(pack)
        objects.close()


names = st.text(st.sampled_from("ab-.0Zé/"), min_size=1, max_size=6).filter(
    lambda name: not name.startswith("/") and not name.endswith("/") and "//" not in name
)


@given(st.dictionaries(names.map(lambda name: name.replace("/", "")), st.booleans(), min_size=1))
def test_trees_are_written_as_git_writes_them(content: dict[str, bool]) -> None:
    made = Tree()
    entries: tree.Entries = {}
    for name, folder in content.items():
        if name:
            mode = 0o040000 if folder else 0o100644
            made.add(name.encode(), mode, A)  # type: ignore[arg-type]
            entries[name.encode()] = (mode, A)
    assert tree.serialized(entries) == made.as_raw_string()
    assert tree.parsed(made.as_raw_string()) == entries


def test_a_commit_is_written_as_git_writes_it() -> None:
    made = tree.commit_object(tree=A, parent=B, author="Ada <ada@example.com>", time=1700000000, message="Hello\n")
    read = Commit.from_string(made.content)
    assert (read.tree, read.parents, read.author, read.message) == (A, [B], b"Ada <ada@example.com>", b"Hello\n")
    assert read.id == made.sha
    assert tree.root_of(made.content) == A


def loader(objects: dict[bytes, bytes]) -> Callable[[bytes], bytes]:
    return objects.__getitem__


def test_a_changed_file_makes_new_trees_up_to_the_root() -> None:
    inner = tree.git_object(2, tree.serialized({b"x.yaml": (0o100755, A), b"y": (0o100644, B)}))
    root = tree.git_object(2, tree.serialized({b"images": (0o040000, inner.sha), b"kit.yaml": (0o100644, B)}))
    load = loader({inner.sha: inner.content, root.sha: root.content})
    made = tree.changed([(tree.find(load, root.sha, "images/x.yaml"), b"new")])
    by_id = {item.sha: item.content for item in made}
    top = tree.parsed(made[-1].content)
    assert top[b"kit.yaml"] == (0o100644, B)
    below = tree.parsed(by_id[top[b"images"][1]])
    assert below == {b"x.yaml": (0o100755, made[0].sha), b"y": (0o100644, B)}


@pytest.mark.parametrize(
    ("mode", "kind"), [(0o120000, "a symbolic link"), (0o160000, "a submodule"), (0o100644, "a file")]
)
def test_what_stands_in_the_way_is_named(mode: int, kind: str) -> None:
    root = tree.git_object(2, tree.serialized({b"images": (mode, A)}))
    with pytest.raises(InputError, match=f"images should be a folder and is {kind}"):
        tree.find(loader({root.sha: root.content}), root.sha, "images/x.yaml")


class Server:
    """Answers fetches of version 2 from some objects; with a filter, it leaves out files and folders asked for."""

    where = "https://git.example.com/x.git"
    parallel = False

    def __init__(self, *objects: GitObject, leaves_out: bool) -> None:
        self.objects = {item.sha: item for item in objects}
        self.leaves_out = leaves_out
        self.asked: list[list[bytes]] = []

    def advertise(self, _service: str) -> wire.Advertisement:
        return wire.Advertisement(2, {"fetch": "shallow filter"})

    @contextmanager
    def call(self, _service: str, body: bytes, *, version: int) -> Iterator[wire.Read]:
        assert version == 2
        if b"command=ls-refs" in body:
            yield reader(line(B + b" HEAD symref-target:" + REF + b"\n"), b"0000")
            return
        asked = list(wire.packets(io.BytesIO(body.partition(b"0001")[2]).read))
        self.asked.append(asked)
        found = [self.objects[item.removeprefix(b"want ")] for item in asked if item.startswith(b"want ")]
        if self.leaves_out and any(item.startswith(b"filter ") for item in asked):
            found = [item for item in found if item.kind == COMMIT]
        yield reader(line("packfile\n"), line(b"\x01" + b"".join(pack_of(found))), b"0000")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("leaves_out", [False, True])
def test_a_server_that_leaves_out_what_was_asked_for_is_asked_without_a_filter(leaves_out: bool) -> None:
    blob = tree.git_object(BLOB, b"content\n")
    root = tree.git_object(TREE, tree.serialized({b"kit.yaml": (0o100644, blob.sha)}))
    commit = tree.commit_object(tree=root.sha, parent=A, author="A <a@b>", time=0, message="x\n")
    server = Server(blob, root, commit, leaves_out=leaves_out)
    remote = SmartRemote(server)
    assert remote.head(None) == Head(REF, B)
    assert tree.root_of(remote.checkout(commit.sha)) == root.sha
    assert remote.load(blob.sha) == b"content\n"
    filtered = [b"filter tree:0" in asked for asked in server.asked]
    assert filtered == ([True, True, False, False] if leaves_out else [True, True, True])
    remote.close()


def test_push_options_stand_between_the_command_and_the_pack() -> None:
    able = {"report-status": "", "push-options": ""}
    plain = wire.push_request(able, REF, A, B)
    assert b"push-options" not in plain
    request = wire.push_request(able, REF, A, B, ["ci.skip", "grüße"])
    read = io.BytesIO(request).read
    (command,) = wire.packets(read)
    assert command.startswith(A + b" " + B + b" " + REF + b"\0")
    assert b" push-options" in command
    assert list(wire.packets(read)) == [b"ci.skip", "grüße".encode()]
    assert read() == b""
