# SPDX-License-Identifier: MIT
"""KIT_SIGNING_KEY: what is pushed passes git's own `verify-commit`, whatever kind of key signed it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kit_image_deployer import update_image
from testbed.bed import Testbed
from testbed.container import Container
from tests.git.deployments import NEW, Deployments
from tests.git.pushing import Pusher

NAME, EMAIL = "Ada", "ada@example.com"
COMMITTER = {"CI_COMMITTER_NAME": NAME, "CI_COMMITTER_EMAIL": EMAIL}
PASSPHRASE = "canary-passphrase-73"


@dataclass
class Keys:
    """Keys made by ssh-keygen and gpg on the git server, below `folder`, and git that verifies with them there."""

    container: Container
    folder: str

    def ssh(self, kind: str, *options: str, passphrase: str = "") -> str:
        path = f"{self.folder}/ssh-{kind}{'-locked' if passphrase else ''}"
        self.run("ssh-keygen", "-q", "-t", kind, *options, "-N", passphrase, "-C", "kit", "-f", path, stdin="y\n")
        self.run("sh", "-c", f"""(printf '{EMAIL} namespaces="git" '; cat {path}.pub) >> {self.folder}/allowed""")
        return self.run("cat", path)

    def gpg(self, *arguments: str, passphrase: str = "") -> str:
        loopback = ("--pinentry-mode", "loopback", "--passphrase", passphrase)
        return self.run("gpg", "--batch", "--yes", "--quiet", *loopback, *arguments)

    def openpgp(self, name: str, algorithm: str, *, passphrase: str = "", subkey: str = "") -> str:
        """An armored secret key; with a `subkey`, the primary key's secret is not in it."""
        user = f"{NAME} ({name}) <{EMAIL}>"
        self.gpg("--quick-gen-key", user, algorithm, "sign,cert", "never", passphrase=passphrase)
        export = "--export-secret-keys"
        if subkey:
            listed = self.gpg("--with-colons", "--list-keys", f"={user}")
            found = re.search(r"^fpr:+([0-9A-F]+):", listed, re.MULTILINE)
            assert found is not None
            self.gpg("--quick-add-key", found[1], subkey, "sign", "never", passphrase=passphrase)
            export = "--export-secret-subkeys"
        return self.gpg("--armor", export, f"={user}", passphrase=passphrase)

    def run(self, *command: str, stdin: str | None = None, check: bool = True) -> str:
        done = self.container.execute("env", f"GNUPGHOME={self.folder}/gnupg", *command, stdin=stdin, check=check)
        return done.stdout

    def verify(self, deployments: Deployments) -> str:
        """What git says of the branch's head, which is empty where it does not call its signature good."""
        path = deployments.repository.path
        self.run("git", "-C", path, "fsck", "--strict")
        allowed = f"gpg.ssh.allowedSignersFile={self.folder}/allowed"
        head = deployments.repository.head()
        return self.run(
            "sh", "-c", f"git -C {path} -c {allowed} verify-commit --raw {head} 2>&1 || true",
        )  # fmt: skip


@pytest.fixture(scope="module")
def keys(bed: Testbed) -> Iterator[Keys]:
    folder = f"/tmp/keys-{os.getpid()}"
    made = Keys(bed.git.container, folder)
    made.run("mkdir", "-p", "-m", "700", f"{folder}/gnupg")
    # Half a second's work for every passphrase is what keeps guessers away; here it would only be waited for.
    made.run("sh", "-c", f"echo s2k-count 65536 > {folder}/gnupg/gpg-agent.conf")
    yield made
    made.run("gpgconf", "--kill", "all")
    made.run("rm", "-rf", folder)


SSH = [
    ("ed25519", (), ""),
    ("ed25519", (), PASSPHRASE),
    ("ecdsa", ("-b", "256"), ""),
    ("ecdsa", ("-b", "521"), PASSPHRASE),
    ("rsa", ("-b", "2048"), ""),
    ("rsa", ("-b", "3072", "-m", "PEM"), PASSPHRASE),
]


@pytest.mark.parametrize(("kind", "options", "passphrase"), SSH)
def test_a_commit_signed_with_an_ssh_key(
    deployments: Deployments, keys: Keys, kind: str, options: tuple[str, ...], passphrase: str
) -> None:
    key = keys.ssh(kind, *options, passphrase=passphrase)
    done = deployments.run(KIT_SIGNING_KEY=key, KIT_SIGNING_KEY_PASSPHRASE=passphrase, **COMMITTER)
    assert done.code == 0, done.log
    told = keys.verify(deployments)
    assert f'Good "git" signature for {EMAIL}' in told


OPENPGP = [
    ("ed25519", "", ""),
    ("ed25519", PASSPHRASE, ""),
    ("rsa2048", PASSPHRASE, ""),
    ("nistp256", "", ""),
    ("ed25519", "", "rsa2048"),
    ("rsa2048", PASSPHRASE, "ed25519"),
]


@pytest.mark.parametrize(("algorithm", "passphrase", "subkey"), OPENPGP)
def test_a_commit_signed_with_an_openpgp_key(
    deployments: Deployments, keys: Keys, algorithm: str, passphrase: str, subkey: str
) -> None:
    name = f"{algorithm} {subkey} {bool(passphrase)}"
    key = keys.openpgp(name, algorithm, passphrase=passphrase, subkey=subkey)
    done = deployments.run(KIT_SIGNING_KEY=key, KIT_SIGNING_KEY_PASSPHRASE=passphrase, **COMMITTER)
    assert done.code == 0, done.log
    told = keys.verify(deployments)
    assert "GOODSIG" in told
    assert f"{NAME} ({name})" in told


def test_without_a_key_nothing_is_signed(deployments: Deployments, keys: Keys) -> None:
    assert deployments.run(**COMMITTER).code == 0
    assert keys.verify(deployments) == ""


def test_every_commit_of_a_race_is_signed(deployments: Deployments, keys: Keys) -> None:
    """The signature is of the commit that lands, not of the attempt that lost."""
    repository = deployments.repository
    repository.hook(
        "pre-receive",
        "#!/bin/sh\n[ -e raced ] && exit 0\ntouch raced\nunset GIT_QUARANTINE_PATH\n"
        "new=$(git -c user.name=a -c user.email=a@b commit-tree -p master -m other 'master^{tree}')\n"
        "git update-ref refs/heads/master $new\n",
    )
    done = deployments.run(KIT_SIGNING_KEY=keys.ssh("ed25519"), **COMMITTER)
    assert done.code == 0, done.log
    assert "someone else pushed first" in done.log
    assert 'Good "git" signature' in keys.verify(deployments)


def mangled(key: str) -> str:
    lines = key.splitlines()
    middle = len(lines) // 2
    return "\n".join([*lines[:middle], lines[middle][::-1], *lines[middle + 1 :]])


@pytest.mark.parametrize("commit", ["true", "false"])
def test_a_key_that_cannot_be_used_stops_before_anything_is_touched(
    deployments: Deployments, keys: Keys, commit: str
) -> None:
    ssh, locked = keys.ssh("ed25519"), keys.ssh("ed25519", passphrase=PASSPHRASE)
    openpgp = keys.openpgp(f"refused {commit}", "ed25519")
    closed = keys.openpgp(f"closed {commit}", "ed25519", passphrase=PASSPHRASE)
    public = keys.gpg("--armor", "--export", f"={NAME} (refused {commit}) <{EMAIL}>")
    before = deployments.commits()
    for key, passphrase, words in [
        (locked, "", "KIT_SIGNING_KEY is protected by a passphrase"),
        (locked, "canary-wrong", "KIT_SIGNING_KEY_PASSPHRASE does not open KIT_SIGNING_KEY"),
        (closed, "", "KIT_SIGNING_KEY is protected by a passphrase"),
        (closed, "canary-wrong", "KIT_SIGNING_KEY_PASSPHRASE does not open KIT_SIGNING_KEY"),
        (keys.run("cat", f"{keys.folder}/ssh-ed25519.pub"), "", "it is a public key"),
        (public, "", "it is a public key"),
        (mangled(ssh), "", "KIT_SIGNING_KEY cannot be used: it is damaged"),
        (mangled(openpgp), "", "KIT_SIGNING_KEY cannot be used"),
        ("canary", "", "it does not begin with a line -----BEGIN"),
        ("-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----", "", "it begins with CERTIFICATE"),
    ]:
        done = deployments.run(
            KIT_SIGNING_KEY=key, KIT_SIGNING_KEY_PASSPHRASE=passphrase, KIT_GIT_URL="http://127.0.0.1:1/x.git",
            COMMIT=commit, DEBUG="true", **COMMITTER,
        )  # fmt: skip
        assert done.code == 2, done.log
        assert words in done.log
        assert "canary" not in done.log
        assert key.splitlines()[len(key.splitlines()) // 2] not in done.log
    assert deployments.commits() == before


def test_a_key_with_a_passphrase_that_is_not_needed(deployments: Deployments, keys: Keys) -> None:
    for key in (keys.ssh("ed25519"), keys.openpgp("needless", "ed25519")):
        done = deployments.run(KIT_SIGNING_KEY=key, KIT_SIGNING_KEY_PASSPHRASE="needless", COMMIT="false", **COMMITTER)
        assert done.code == 0, done.log


def test_keys_that_lost_their_line_ends_on_the_way(deployments: Deployments, keys: Keys) -> None:
    windows = "\r\n  " + keys.ssh("ed25519").strip().replace("\n", " \r\n")
    assert deployments.run(KIT_SIGNING_KEY=windows, **COMMITTER).code == 0
    assert 'Good "git" signature' in keys.verify(deployments)


@pytest.mark.parametrize("kind", ["ssh", "openpgp"])
def test_the_image_signs_under_any_user_on_a_read_only_disk(
    bed: Testbed, built_image: str, deployments: Deployments, keys: Keys, kind: str
) -> None:
    if kind == "ssh":
        key = keys.ssh("ed25519", passphrase=PASSPHRASE)
    else:
        key = keys.openpgp("image", "rsa2048", passphrase=PASSPHRASE)
    settings = deployments.settings(
        KIT_GIT_URL=deployments.repository.url_inside, KIT_SIGNING_KEY=key, KIT_SIGNING_KEY_PASSPHRASE=PASSPHRASE,
        IMAGE=NEW, **COMMITTER,
    )  # fmt: skip
    done = bed.run(built_image, env=settings, user="4711:4711", read_only=True)
    assert done.returncode == 0, done.stderr
    assert re.search("GOODSIG|Good .git. signature", keys.verify(deployments))


def test_the_library_signs_and_pins_too(bed: Testbed, deployments: Deployments, keys: Keys) -> None:
    repository = deployments.repository
    digest = Pusher(f"http://{bed.registry.outside}").image("shop/library", "1")
    outcome = update_image(
        repository.url_outside,
        username=repository.username,
        password=repository.password,
        repository="shop/cart",
        branch="master",
        image=f"{bed.registry.outside}/shop/library:1",
        author=NAME,
        email=EMAIL,
        pin_digest=True,
        signing_key=keys.ssh("ed25519"),
        commit=True,
    )
    assert outcome.image == f"{bed.registry.outside}/shop/library:1@{digest}"
    assert 'Good "git" signature' in keys.verify(deployments)
