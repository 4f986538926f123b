# SPDX-License-Identifier: MIT
"""The deployments repository over ssh: what it reads, what lands, and what of the machine it leaves alone."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pytest

from kit_image_deployer import Outcome, update_image
from tests.git.cutter import Cutter, pump
from tests.git.deployments import FILE, FILES, Deployments
from tests.git.hooks import MOVES_MEANWHILE
from tests.git.secure import Ssh


def big(repository: Deployments) -> None:
    """A file that cannot be packed smaller than 200 kB, beside what the edit needs, and one before it."""
    for number in range(2):
        data = random.Random(number).randbytes(200_000).hex()
        repository.repository.commit({"charts/large.txt": data})


@pytest.mark.parametrize(
    ("plain", "filters", "version", "at_most"),
    [(False, True, "v2", 60_000), (False, False, "v2", 350_000), (True, True, "v", 350_000)],
    ids=["filters", "no filters", "version 0"],
)
def test_an_update_lands_with_as_little_as_the_server_can_do(
    ssh: Ssh, plain: bool, filters: bool, version: str, at_most: int
) -> None:
    """Of the two commits of 200 kB each that are in the history, one is fetched where there are no filters."""
    big(ssh.deployments)
    ssh.deployments.repository.git("config", "uploadpack.allowFilter", str(filters).lower())
    before = ssh.deployments.commits()
    with Cutter(ssh.server.plain_port if plain else ssh.server.port) as relay:
        run = ssh.run(relay=relay)
        received = relay.to_us
    assert run.code == 0, run.log
    assert ssh.deployments.commits()[1:] == before
    assert ssh.deployments.repository.read(FILE) == FILES[FILE].replace("master-1", "master-2")
    ssh.deployments.check_history()
    assert received < at_most
    assert relay.connections == 1, "all conversations share a connection"
    assert set(ssh.asked()) == {f"git-upload-pack {version}", "git-receive-pack v"}
    if version == "v2":
        assert len(ssh.asked()) == 2, "one conversation for all that is read"


def test_an_update_lands_at_a_server_that_only_gives_everything(ssh: Ssh) -> None:
    """Version 0 without depth: a program before git takes the word out of what it says it can do."""
    big(ssh.deployments)
    before = ssh.deployments.commits()
    everything = ssh.server.make_key("-t", "ed25519")
    hide = "$|=1; while (sysread(STDIN, my $read, 65536)) { $read =~ s/ shallow / shallox /; syswrite(STDOUT, $read) }"
    script = f"/tmp/hide-{ssh.deployments.repository.name}"
    ssh.server.container.execute("sh", "-c", f"cat > {script}", stdin=hide)
    ssh.server.allow(everything, f'command="sh -c \\"$SSH_ORIGINAL_COMMAND\\" | perl {script}"')
    with Cutter(ssh.server.plain_port) as relay:
        run = ssh.run(relay=relay, KIT_GIT_SSH_KEY=everything.private)
    assert run.code == 0, run.log
    assert relay.to_us > 400_000, "both commits' files came"
    assert ssh.deployments.commits()[1:] == before
    ssh.deployments.check_history()


@pytest.mark.parametrize("plain", [False, True], ids=["version 2", "version 0"])
def test_nothing_to_do_and_a_dry_run(ssh: Ssh, plain: bool) -> None:
    before = ssh.deployments.commits()
    assert "would change" in ssh.run(plain=plain, COMMIT="false").log
    assert ssh.deployments.commits() == before
    assert ssh.run(plain=plain).code == 0
    assert "result=unchanged" in ssh.run(plain=plain).last
    assert len(ssh.deployments.commits()) == len(before) + 1


@pytest.mark.parametrize("branch", ["master", ""])
def test_a_lost_race_is_met_with_the_new_head(ssh: Ssh, branch: str) -> None:
    """git lists the refs once in a conversation, and would go on to tell the old one."""
    before = ssh.deployments.commits()
    ssh.deployments.repository.hook("pre-receive", MOVES_MEANWHILE)
    run = ssh.run(KIT_GIT_BRANCH=branch, KIT_DEADLINE="20")
    assert run.code == 0, run.log
    assert "attempt 2 follows" in run.log
    assert "attempt 3 follows" not in run.log
    assert len(ssh.deployments.commits()) == len(before) + 2


def test_writers_at_once_land_each(ssh: Ssh) -> None:
    """They write the same file: the last one's word stays, and none of the commits is lost."""
    before = ssh.deployments.commits()

    def write(number: int) -> Outcome:
        return update_image(
            ssh.server.url(ssh.deployments.repository, plain=bool(number % 2)),
            repository="shop/cart",
            branch="master",
            image=f"registry.example.com/shop/cart:{number}",
            commit=True,
            ssh_key=ssh.key.private,
            known_hosts=ssh.server.known_hosts(plain=bool(number % 2)),
        )

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(write, range(6)))
    assert {outcome.result for outcome in outcomes} == {"updated"}
    commits = ssh.deployments.commits()
    assert sorted(commits[: -len(before)]) == sorted(str(outcome.commit) for outcome in outcomes)
    ssh.deployments.check_history()


def test_nothing_of_the_users_own_ssh_is_read(ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither ~/.ssh nor an agent lends a key or vouches for a server."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", f"{tmp_path}/agent")
    home = tmp_path / ".ssh"
    home.mkdir()
    (home / "known_hosts").write_text(ssh.server.known_hosts())
    (home / "id_ed25519").write_text(ssh.key.private)
    (home / "config").write_text("Host *\n  Ciphers aes128-cbc\n")
    assert "the server's key is not known" in ssh.run(KIT_GIT_SSH_KNOWN_HOSTS="").log
    stranger = ssh.server.make_key("-t", "ed25519")
    assert "refused the ssh key" in ssh.run(KIT_GIT_SSH_KEY=stranger.private).log
    assert ssh.run().code == 0


WATCHED = """
import os, sys
def watch(event, arguments):
    if event in {"subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system"}:
        print("WATCHED", event, arguments, flush=True)
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        print("WATCHED", arguments[0], flush=True)
sys.addaudithook(watch)
from kit_image_deployer.cli import main
main()
"""


def test_no_program_is_started_and_no_file_written(ssh: Ssh) -> None:
    """So no command line, no environment of a child and no disk ever has the key."""
    env = {**ssh.deployments.process()[1], **ssh.settings(), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", WATCHED], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("WATCHED") and "/dev/null" not in line] == []


def test_through_a_proxy(ssh: Ssh) -> None:
    """ALL_PROXY's; the server is asked for by its name, and its key is looked up by it."""
    with Proxy() as proxy:
        url = f"http://me:canary@127.0.0.1:{proxy.port}"
        assert ssh.run(ALL_PROXY=url).code == 0
        assert proxy.asked == [(f"127.0.0.1:{ssh.server.port}", "Basic bWU6Y2FuYXJ5")]
        assert "result=unchanged" in ssh.run(ALL_PROXY=url, NO_PROXY="127.0.0.1", HTTPS_PROXY=url).last
        assert len(proxy.asked) == 1
        proxy.answer = "403 Forbidden"
        refused = ssh.run(ALL_PROXY=url)
        assert refused.code == 1
        assert "the proxy refused the connection: 403 Forbidden" in refused.log
        assert "canary" not in refused.log


class Proxy:
    """An http proxy that can do CONNECT and nothing else."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer = "200 Connection established"
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += here.recv(1)
            first, *lines = head.decode().split("\r\n")
            target = first.split()[1]
            given = dict(line.split(": ", 1) for line in lines if line)
            self.asked.append((target, given.get("Proxy-Authorization", "")))
            answer = f"HTTP/1.1 {self.answer}\r\n\r\n".encode()
            if not self.answer.startswith("200"):
                here.sendall(answer)
                here.close()
                continue
            host, _, port = target.rpartition(":")
            there = socket.create_connection((host, int(port)))
            here.sendall(
                answer + there.recv(4096)
            )  # the server speaks first, and may come in one piece with the answer
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=pump, args=(source, sink), daemon=True).start()
