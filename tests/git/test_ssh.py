# SPDX-License-Identifier: MIT
"""The deployments repository over ssh: who gets in, what it reads, and what is made of a connection that ends."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from kit_core.errors import WorkError
from kit_image_deployer import Outcome, update_image
from testbed.ssh import KeyPair, SshServer
from tests.git.conftest import FILE, FILES, NEW, Deployments, Run
from tests.git.cutter import Cutter, pump
from tests.git.test_racing import MOVES_MEANWHILE

AS_ASKED = 'exec sh -c \\"$SSH_ORIGINAL_COMMAND\\"'


@pytest.fixture(scope="session")
def key(ssh_server: SshServer) -> KeyPair:
    """A key that may do everything. The server tells in /tmp/asked what was asked, and in which version."""
    made = ssh_server.make_key("-t", "ed25519")
    tell = 'echo \\"$SSH_ORIGINAL_COMMAND v${GIT_PROTOCOL##*=}\\" >> /tmp/asked'
    ssh_server.allow(made, f'command="{tell}; {AS_ASKED}"')
    return made


@dataclass(frozen=True)
class Ssh:
    """The repository over ssh, with a key that may push and a server that is known."""

    deployments: Deployments
    server: SshServer
    key: KeyPair

    def settings(self, *, plain: bool = False, relay: Cutter | None = None) -> dict[str, str]:
        """For the port that lets GIT_PROTOCOL pass, the plain one, or a relay."""
        settings = {
            "KIT_GIT_URL": self.server.url(self.deployments.repository, plain=plain),
            "KIT_GIT_SSH_KEY": self.key.private,
            "KIT_GIT_SSH_KNOWN_HOSTS": self.server.known_hosts(plain=plain),
            "KIT_DEADLINE": "60",
        }
        if relay is not None:
            settings["KIT_GIT_URL"] = f"ssh://git@127.0.0.1:{relay.port}{self.deployments.repository.path}"
            settings["KIT_GIT_SSH_KNOWN_HOSTS"] = f"[127.0.0.1]:{relay.port} {self.server.host_key()}"
        return settings

    def run(self, *, plain: bool = False, relay: Cutter | None = None, **others: str) -> Run:
        """The step, in this process."""
        return self.deployments.run(**{**self.settings(plain=plain, relay=relay), **others})

    def asked(self) -> list[str]:
        """What was asked about this repository: service and version."""
        name = f"'{self.deployments.repository.path}'"
        lines = self.server.container.execute("cat", "/tmp/asked").stdout.splitlines()
        return [line.replace(f" {name}", "") for line in lines if name in line]


@pytest.fixture
def ssh(deployments: Deployments, ssh_server: SshServer, key: KeyPair) -> Ssh:
    return Ssh(deployments, ssh_server, key)


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


@pytest.mark.parametrize(
    "options", [["-t", "rsa", "-m", "PEM"], ["-t", "ecdsa", "-m", "PKCS8"], ["-t", "ed25519"]], ids=" ".join
)
def test_every_kind_of_key_with_a_passphrase(ssh: Ssh, options: list[str]) -> None:
    locked = ssh.server.make_key(*options, passphrase="canary-passphrase")
    ssh.server.allow(locked)
    key = locked.private.replace("\n", "\r\n").rstrip()
    run = ssh.run(KIT_GIT_SSH_KEY=key, KIT_GIT_SSH_KEY_PASSPHRASE="canary-passphrase", DEBUG="true")
    assert run.code == 0, run.log
    log = run.log
    for passphrase in ("", "another-canary-passphrase"):
        failed = ssh.run(KIT_GIT_SSH_KEY=key, KIT_GIT_SSH_KEY_PASSPHRASE=passphrase, DEBUG="true")
        assert failed.code == 2
        assert "KIT_GIT_SSH_KEY_PASSPHRASE" in failed.log
        log += failed.log
    assert "canary" not in log
    assert [line for line in locked.private.splitlines()[1:-1] if len(line) > 20 and line in log] == []


def test_an_unknown_server_is_refused_at_once_and_told_with_what_to_add(ssh: Ssh) -> None:
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"other.example.com {ssh.server.host_key()}")
    assert run.code == 1
    assert "the server's key is not known" in run.log
    assert "failed attempt" not in run.log
    line = run.log.partition("put `")[2].partition("`")[0]
    assert line == ssh.server.known_hosts(), run.log
    assert ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=line).code == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_server_with_another_key_is_refused_at_once(ssh: Ssh, kind: str) -> None:
    before = ssh.deployments.commits()
    known = " ".join(ssh.server.make_key("-t", kind).public.split()[:2])
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"[127.0.0.1]:{ssh.server.port} {known}")
    assert run.code == 1
    assert "is not the one that is known by this name" in run.log
    assert ssh.deployments.commits() == before
    assert ssh.asked() == []


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_any_of_the_servers_keys_serves(ssh: Ssh, kind: str) -> None:
    assert ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"[127.0.0.1]:{ssh.server.port} {ssh.server.host_key(kind)}").code == 0


def test_a_server_that_a_known_authority_vouches_for(ssh: Ssh) -> None:
    assert ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"@cert-authority *,[127.0.0.1]:* {ssh.server.authority()}").code == 0
    other = " ".join(ssh.server.make_key("-t", "ed25519").public.split()[:2])
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"@cert-authority *,[127.0.0.1]:* {other}")
    assert run.code == 1
    assert "is not the one that is known by this name" in run.log


@pytest.mark.parametrize("vouched", [False, True], ids=["known", "vouched for"])
def test_a_revoked_key_is_refused(ssh: Ssh, vouched: bool) -> None:
    """Also where a certificate that a known authority signed is for that key."""
    trusted = f"@cert-authority *,[127.0.0.1]:* {ssh.server.authority()}" if vouched else ssh.server.known_hosts()
    run = ssh.run(KIT_GIT_SSH_KNOWN_HOSTS=f"{trusted}\n@revoked * {ssh.server.host_key()}")
    assert run.code == 1
    assert "the server uses a key that was revoked" in run.log
    assert ssh.asked() == []


def test_a_key_that_the_server_does_not_know_is_refused_at_once(ssh: Ssh) -> None:
    stranger = ssh.server.make_key("-t", "ed25519")
    run = ssh.run(KIT_GIT_SSH_KEY=stranger.private)
    assert run.code == 1
    assert "the server refused the ssh key" in run.log
    assert "attempt" not in run.log
    fingerprint = run.log.partition("SHA256:")[2][:43]
    assert fingerprint in ssh.server.container.execute("ssh-keygen", "-lf", "-", stdin=stranger.public).stdout


def test_a_key_that_may_only_read(ssh: Ssh) -> None:
    path = ssh.deployments.repository.path
    reader = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(reader, f'command="git-upload-pack {path}"')
    assert ssh.run(KIT_GIT_SSH_KEY=reader.private, COMMIT="false").code == 0
    run = ssh.run(KIT_GIT_SSH_KEY=reader.private)
    assert run.code == 1
    assert "the server refused to push" in run.log
    assert "failed attempt" not in run.log


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ("ERROR: Permission to acme/deployments denied to deploy key", 1, "denied to deploy key"),
        ("ERROR: Repository not found.", 1, "Repository not found."),
        ("remote: ::error::not for you", 128, "not for you"),
    ],
)
def test_the_servers_words_of_refusal_are_told_at_once(ssh: Ssh, words: str, code: int, expected: str) -> None:
    refused = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(refused, f"command=\"echo '{words}' >&2; exit {code}\"")
    run = ssh.run(KIT_GIT_SSH_KEY=refused.private)
    assert run.code == 1
    assert expected in run.log
    assert "the server refused to read the repository" in run.log
    assert not [line for line in run.log.splitlines() if line.startswith("::")]
    assert "failed attempt" not in run.log


def test_a_server_that_is_busy_is_asked_again(ssh: Ssh) -> None:
    marker = f"/tmp/busy-{ssh.deployments.repository.name}"
    busy = ssh.server.make_key("-t", "ed25519")
    command = f"[ -e {marker} ] || {{ touch {marker}; echo Service temporarily unavailable >&2; exit 1; }}"
    ssh.server.allow(busy, f'command="{command}; {AS_ASKED}"')
    run = ssh.run(KIT_GIT_SSH_KEY=busy.private)
    assert run.code == 0, run.log
    assert "Service temporarily unavailable" in run.log


def test_no_repository_there(ssh: Ssh) -> None:
    run = ssh.run(KIT_GIT_URL=f"ssh://git@127.0.0.1:{ssh.server.port}/srv/git/gone.git")
    assert run.code == 1
    assert "does not appear to be a git repository" in run.log


def test_a_server_that_greets_on_the_wrong_channel(ssh: Ssh) -> None:
    noisy = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(noisy, f'command="echo Welcome to the server; {AS_ASKED}"')
    run = ssh.run(KIT_GIT_SSH_KEY=noisy.private)
    assert run.code == 1
    assert "the server does not speak git's protocol there: it says 'Welcome to the server'" in run.log


def test_a_hooks_refusal_is_told_in_its_words(ssh: Ssh) -> None:
    ssh.deployments.repository.hook("pre-receive", "#!/bin/sh\necho 'deploys are frozen' >&2\nexit 1\n")
    run = ssh.run()
    assert run.code == 1
    assert "deploys are frozen" in run.log


WAITING = """#!/bin/sh
[ -e first ] && exit 0
touch first
until [ -e go-on ]; do sleep 0.05; done
exit {code}
"""


@pytest.mark.parametrize(("hook", "code"), [("post-receive", 0), ("pre-receive", 1)])
def test_a_connection_cut_in_a_push_ends_in_one_commit(ssh: Ssh, hook: str, code: int) -> None:
    """Cut after the server has moved the branch, and before."""
    repository = ssh.deployments.repository
    before = ssh.deployments.commits()
    repository.hook(hook, WAITING.format(code=code))
    with Cutter(ssh.server.port) as relay:
        done = threading.Event()

        def cut() -> None:
            found = f"until [ -e {repository.path}/first ]; do sleep 0.05; done"
            ssh.server.container.execute("timeout", "30", "sh", "-c", found)
            relay.cut()
            ssh.server.container.execute("touch", f"{repository.path}/go-on")
            done.set()

        threading.Thread(target=cut).start()
        run = ssh.run(relay=relay)
        assert done.wait(30)
        assert relay.connections >= 2
    assert run.code == 0, run.log
    assert "result=updated" in run.last
    assert ssh.deployments.commits()[1:] == before
    ssh.deployments.check_history()


def test_a_server_that_is_away(ssh: Ssh) -> None:
    with Cutter(ssh.server.port) as relay:
        pass
    run = ssh.run(relay=relay, RETRIES="2", RETRY_INCREMENT="0.1")
    assert run.code == 1
    assert "gave up after 3 failed attempts: Connection refused" in run.log


def test_a_server_that_says_nothing_meets_the_deadline(ssh: Ssh) -> None:
    mute = ssh.server.make_key("-t", "ed25519")
    ssh.server.allow(mute, 'command="sleep 60"')
    run = ssh.run(KIT_GIT_SSH_KEY=mute.private, KIT_DEADLINE="2")
    assert run.code == 70
    assert "did not answer in time" in run.log


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


def test_the_library_says_what_went_wrong(ssh: Ssh) -> None:
    with pytest.raises(WorkError, match="the server's key is not known"):
        update_image(
            ssh.server.url(ssh.deployments.repository), repository="shop/cart", branch="master", image=NEW,
            ssh_key=ssh.key.private,
        )  # fmt: skip
