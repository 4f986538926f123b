# SPDX-License-Identifier: MIT
"""What is fetched and sent, by what the server can do: filters, depth, or neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kit_image_deployer.git.wire import FLUSH, packet
from testbed.git import GitRepository
from tests.git.deployments import FILE, FILES, NEW, OLD, Deployments
from tests.git.relay import Exchange, Relay

OTHERS = {f"clusters/europe/{number:04}.yaml": f"number: {number}\n" * 50 for number in range(400)}


@dataclass
class Watch:
    """A relay's `meddle` that notes what is asked for; `able` changes what the server says it can do."""

    able: Callable[[bytes], bytes] = lambda line: line
    by_id: Callable[[set[bytes]], bool] = lambda _wanted: True
    wanted: set[bytes] = field(default_factory=set)
    arguments: list[bytes] = field(default_factory=list)
    pushed: list[bytes] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> bool:
        if exchange.method == "POST" and exchange.service == "git-receive-pack":
            self.pushed.append(exchange.body)
        if exchange.method == "GET" and exchange.service == "git-upload-pack":
            answer = exchange.forward()
            body = b"".join(map(self._line, lines_of(answer.data)))
            exchange.answer(200, body=body, Content_Type=answer.headers["Content-Type"])
            return True
        lines = lines_of(exchange.body) if exchange.service == "git-upload-pack" else []
        wants = {line[5:45] for line in lines if line.startswith(b"want ")}
        if wants:
            self.wanted |= wants
            self.arguments += [line for line in lines if line.startswith((b"filter ", b"deepen "))]
            if not self.by_id(wants):
                body = packet(b"ERR upload-pack: not our ref " + min(wants))
                exchange.answer(200, body=body, Content_Type="application/x-git-upload-pack-result")
                return True
        return False

    def _line(self, line: bytes) -> bytes:
        return packet(self.able(line)) if line else FLUSH


def lines_of(data: bytes) -> list[bytes]:
    """The protocol's lines, up to the pack if any; a flush or a delimiter is an empty one."""
    lines = []
    while data and data[:4] != b"PACK":
        length = int(data[:4], 16)
        lines.append(data[4:length])  # flush and delimiter have lengths of 0 and 1
        data = data[max(4, length) :]
    return lines


@pytest.fixture
def large(git_repository: Callable[..., GitRepository]) -> Deployments:
    repository = git_repository("partial", files={**FILES, **OTHERS})
    repository.commit({"clusters/europe/0000.yaml": "number: none\n"})
    return Deployments(repository)


def ids(deployments: Deployments, *paths: str) -> set[bytes]:
    """The ids of the commit at the head and of what is at these paths in it."""
    git = deployments.repository.git
    return {git("rev-parse", name).encode() for name in ("master", *(f"master:{path}" for path in paths))}


ON_THE_WAY = ("", "kit.yaml", "images", "images/shop", "images/shop/cart", FILE)


def test_with_filters_what_the_edit_needs_is_fetched_and_nothing_else(large: Deployments) -> None:
    needed, watch = ids(large, *ON_THE_WAY), Watch()
    with Relay(large.repository.url_outside, meddle=watch) as relay:
        assert large.run(KIT_GIT_URL=relay.url).code == 0
    assert watch.wanted == needed
    assert set(watch.arguments) == {b"filter tree:0", b"deepen 1"}
    assert relay.received < 5_000


def test_a_file_that_is_not_there_asks_for_no_more(large: Deployments) -> None:
    needed, watch = ids(large, "", "kit.yaml", "images", "images/shop"), Watch()
    with Relay(large.repository.url_outside, meddle=watch) as relay:
        assert large.run(KIT_GIT_URL=relay.url, DOCKER_REPO="shop/new/one").code == 0
    assert watch.wanted == needed
    assert large.repository.read("images/shop/new/one/master.yaml") == f"image: {NEW}\n"


def test_a_server_that_gives_branches_only_is_read_by_depth(large: Deployments) -> None:
    (head,) = ids(large)
    watch = Watch(by_id=lambda wanted: wanted == {head})
    with Relay(large.repository.url_outside, meddle=watch) as relay:
        assert large.run(KIT_GIT_URL=relay.url).code == 0
    assert b"deepen 1" in watch.arguments
    assert watch.arguments[-1] == b"deepen 1"  # without a filter
    large.check_history()


@pytest.mark.parametrize(
    ("server", "able"),
    [
        ("version 2", lambda line: line),
        ("version 2", lambda line: line.replace(b" shallow", b"").replace(b"=shallow", b"=")),
        ("version 0", lambda line: line),
        ("version 0", lambda line: line.replace(b" shallow ", b" ").replace(b" deepen-since deepen-not", b"")),
    ],
    ids=["version 2 by depth", "version 2 in full", "version 0 by depth", "version 0 in full"],
)
def test_servers_without_filters(
    large: Deployments, server: str, able: Callable[[bytes], bytes], request: pytest.FixtureRequest
) -> None:
    large.repository.git("config", "uploadpack.allowFilter", "false")
    before, watch = large.commits(), Watch(able=able)
    without = frozenset({"git-protocol"} if server == "version 0" else ())
    with Relay(large.repository.url_outside, meddle=watch, without=without) as relay:
        run = large.run(KIT_GIT_URL=relay.url)
        assert run.code == 0, run.log
        again = large.run(KIT_GIT_URL=relay.url)
    assert again.last.startswith("result=unchanged")
    assert large.commits()[1:] == before
    assert NEW in large.repository.read(FILE)
    depth = "by depth" in request.node.name
    assert set(watch.arguments) == ({b"deepen 1"} if depth else set())
    large.check_history()


@pytest.mark.parametrize("filters", ["true", "false"])
def test_what_the_server_has_is_not_sent(large: Deployments, filters: str) -> None:
    large.repository.git("config", "uploadpack.allowFilter", filters)
    watch = Watch()
    with Relay(large.repository.url_outside, meddle=watch) as relay:
        assert large.run(KIT_GIT_URL=relay.url).code == 0
    (push,) = watch.pushed
    pack = push[push.index(b"PACK") :]
    # The commit, the trees of the root, images, shop and cart, and the file.
    assert int.from_bytes(pack[8:12], "big") == 6
    assert len(push) < 2_000


@pytest.mark.parametrize("filters", ["true", "false"])
def test_after_a_lost_race_only_what_changed_is_fetched(large: Deployments, filters: str) -> None:
    large.repository.git("config", "uploadpack.allowFilter", filters)
    received: list[int] = []

    def race(exchange: Exchange) -> bool:
        if exchange.method == "POST" and exchange.service == "git-receive-pack":
            received.append(relay.received)
            if exchange.number == 1:
                large.repository.commit({"images/shop/web/master.yaml": "image: theirs\n"})
        return False

    with Relay(large.repository.url_outside, meddle=race) as relay:
        run = large.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    first, second = received
    assert second - first < 5_000
    assert large.repository.read("images/shop/web/master.yaml") == "image: theirs\n"
    large.check_history()


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize("what", ["goes back to an older commit's files", "begins a new history"])
def test_a_head_that_moves_elsewhere(large: Deployments, filters: str, what: str) -> None:
    repository = large.repository
    first = repository.head()
    repository.commit({FILE: "image: between\n", "images/shop/web/master.yaml": "image: between\n"})
    repository.git("config", "uploadpack.allowFilter", filters)
    theirs: list[str] = []

    def move(exchange: Exchange) -> bool:
        if exchange.method == "POST" and exchange.service == "git-receive-pack" and exchange.number == 1:
            parents = ["-p", "master"] if what.startswith("goes back") else []
            who = ("-c", "user.name=a", "-c", "user.email=a@b")
            theirs.append(repository.git(*who, "commit-tree", *parents, "-m", "x", f"{first}^{{tree}}"))
            repository.git("update-ref", "refs/heads/master", theirs[0])
        return False

    with Relay(repository.url_outside, meddle=move) as relay:
        run = large.run(KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert large.commits()[1] == theirs[0]
    assert repository.read(FILE) == FILES[FILE].replace(OLD, NEW)
    assert repository.read("images/shop/web/master.yaml") == FILES["images/shop/web/master.yaml"]
    large.check_history()


def test_push_options_reach_the_servers_hooks(deployments: Deployments) -> None:
    from kit_core.errors import InputError, WorkError
    from kit_core.secrets import Secret
    from kit_image_deployer.git.http import Access, HttpTransport
    from kit_image_deployer.git.objects import GitObject
    from kit_image_deployer.git.remote import SmartRemote
    from kit_image_deployer.git.tree import commit_object, root_of

    repository = deployments.repository
    access = Access(username=repository.username, password=Secret(repository.password))
    remote = SmartRemote(HttpTransport(repository.url_outside, access))

    def push(*options: str) -> GitObject:
        head = remote.head(None)
        tree = root_of(remote.checkout(head.commit))
        made = commit_object(tree=tree, parent=head.commit, author="a <a@b>", time=0, message="x")
        remote.push(head, made.sha, [made], options)
        return made

    before = deployments.commits()
    with pytest.raises(WorkError, match="the server takes no push options"):
        push("ci.skip")
    assert deployments.commits() == before
    remote.close()
    repository.git("config", "receive.advertisePushOptions", "true")
    note = f"{repository.path}/options"
    repository.hook(
        "pre-receive",
        f'#!/bin/sh\necho "$GIT_PUSH_OPTION_COUNT|$GIT_PUSH_OPTION_0|$GIT_PUSH_OPTION_1" > {note}\n',
    )
    remote = SmartRemote(HttpTransport(repository.url_outside, access))
    for wrong in ("a\nb", "a\0b", ""):
        with pytest.raises(InputError, match="push option"):
            push(wrong)
    made = push("ci.skip", "reviewer=grüße me")
    assert repository.container.execute("cat", note).stdout == "2|ci.skip|reviewer=grüße me\n"
    assert deployments.commits() == [made.sha.decode(), *before]
    remote.close()
