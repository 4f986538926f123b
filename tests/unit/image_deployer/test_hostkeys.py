# SPDX-License-Identifier: MIT
"""Which ssh servers are known: the forges' published keys, and the lines that the settings give."""

import base64
import hashlib
import hmac
from pathlib import Path

import asyncssh
import pytest

from kit_core.errors import InputError
from kit_image_deployer.git.hostkeys import FORGES, KnownHosts, fingerprint, given_lines

PUBLISHED = {
    # docs.github.com: "GitHub's SSH key fingerprints"
    "github.com": {
        "ssh-ed25519": "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
        "ecdsa-sha2-nistp256": "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
        "ssh-rsa": "SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
    },
    # docs.gitlab.com: "GitLab.com settings", "SSH host keys fingerprints"
    "gitlab.com": {
        "ssh-ed25519": "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
        "ecdsa-sha2-nistp256": "SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw",
        "ssh-rsa": "SHA256:ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ",
    },
    # support.atlassian.com: "Configure SSH and two-step verification"
    "bitbucket.org": {
        "ssh-ed25519": "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM",
        "ecdsa-sha2-nistp256": "SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0",
        "ssh-rsa": "SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E",
    },
}
KEY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


def line(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


def public(key: asyncssh.SSHKey) -> asyncssh.SSHKey:
    return asyncssh.import_public_key(line(key))


@pytest.mark.parametrize("host", PUBLISHED)
def test_the_forges_keys_are_those_that_they_publish(host: str) -> None:
    """Read by hand from the file, then as the program reads it."""
    found = {}
    for entry in FORGES.read_text().splitlines():
        if not entry.startswith("#"):
            names, kind, data = entry.split()
            if host in names.split(","):
                digest = hashlib.sha256(base64.b64decode(data)).digest()
                found[kind] = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    assert found == PUBLISHED[host]
    known = KnownHosts("").of(host, 22)
    assert {fingerprint(key) for key in known.keys} == {f"{kind} {print_}" for kind, print_ in found.items()}


def test_the_forges_other_ports() -> None:
    for host, other in (("github.com", "ssh.github.com"), ("gitlab.com", "altssh.gitlab.com")):
        assert KnownHosts("").of(other, 443).keys == KnownHosts("").of(host, 22).keys


def test_nobody_else_is_known() -> None:
    for host in ("example.com", "github.com.example.com", "xgithub.com", "git.gitlab.com"):
        known = KnownHosts("").of(host, 22)
        assert (known.keys, known.authorities) == ((), ())


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("git.example.com", "git.example.com", 22),
        ("a,git.example.com,b", "git.example.com", 22),
        ("*.example.com", "git.example.com", 22),
        ("[git.example.com]:2222", "git.example.com", 2222),
        ("git.example.com", "git.example.com", 2222),  # as with ssh, where there is none for the port
        ("::1", "::1", 22),
        ("[::1]:2222", "::1", 2222),
        ("Git.Example.COM", "git.example.com", 22),
        ("*.Example.com,[2001:DB8::1]:22", "git.example.com", 22),
        (hashed("git.example.com"), "git.example.com", 22),
        (hashed("[git.example.com]:2222"), "git.example.com", 2222),
    ],
)
def test_names(name: str, host: str, port: int) -> None:
    assert KnownHosts(f"# mine\r\n\n{name} {line(KEY)} a comment\r\n").of(host, port).keys == (public(KEY),)


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("git.example.com", "git.example.org", 22),
        ("[git.example.com]:2222", "git.example.com", 22),
        ("*.example.com,!git.example.com", "git.example.com", 22),
        (hashed("git.example.com"), "git.example.org", 22),
    ],
)
def test_other_names(name: str, host: str, port: int) -> None:
    assert KnownHosts(f"{name} {line(KEY)}").of(host, port).keys == ()


def test_authorities_and_revoked_keys() -> None:
    text = f"@cert-authority *.example.com {line(KEY)}\n@revoked * {line(OTHER)}\n[h]:2222 {line(RSA)}\n"
    known = KnownHosts(text).of("git.example.com", 22)
    assert (known.keys, known.authorities, known.revoked) == ((), (public(KEY),), (public(OTHER),))
    assert KnownHosts(text).of("h", 2222).revoked == (public(OTHER),), "a key revoked everywhere is so on every port"


def test_a_forges_key_can_be_revoked_and_another_added() -> None:
    key = KnownHosts("").of("github.com", 22).keys[0]
    known = KnownHosts(f"@revoked github.com {line(key)}\ngithub.com {line(KEY)}").of("github.com", 22)
    assert known.revoked == (key,)
    assert public(KEY) in known.keys


def test_a_server_is_asked_for_a_key_that_is_known() -> None:
    """Else it shows another of its keys, and is taken for somebody in between."""
    assert KnownHosts(f"h {line(RSA)}").of("h", 22).algorithms()[:2] == ["rsa-sha2-512", "rsa-sha2-256"]
    everything = KnownHosts("").of("h", 22).algorithms()
    assert everything[0] == "ssh-ed25519"
    assert not [name for name in everything if "cert" in name or name in {"ssh-rsa", "ssh-dss"}]
    assert "-cert-" in KnownHosts(f"@cert-authority h {line(KEY)}").of("h", 22).algorithms()[0]


def test_an_unknown_server_is_told_with_what_to_add() -> None:
    error = KnownHosts("").of("h", 2222).stranger(public(KEY), "ssh://h:2222/x")
    assert "the server's key is not known" in str(error)
    assert KEY.get_fingerprint() in str(error)
    assert f"put `[h]:2222 {line(KEY)}` into KIT_GIT_SSH_KNOWN_HOSTS" in str(error)


def test_a_server_with_another_key_is_told_with_both() -> None:
    error = KnownHosts(f"h {line(KEY)}").of("h", 22).stranger(public(OTHER), "h:x")
    assert "is not the one that is known by this name" in str(error)
    assert KEY.get_fingerprint() in str(error)
    assert OTHER.get_fingerprint() in str(error)
    revoked = KnownHosts(f"h {line(KEY)}\n@revoked h {line(KEY)}").of("h", 22).stranger(public(KEY), "h:x")
    assert "revoked" in str(revoked)


@pytest.mark.parametrize("text", ["just-a-name", "@revoked h", "@nonsense h ssh-ed25519 AAAA", f"|1|x {line(KEY)}"])
def test_a_line_of_another_form_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"line 2: KIT_GIT_SSH_KNOWN_HOSTS"):
        KnownHosts(f"h {line(KEY)}\n{text}\n")


@pytest.mark.parametrize("name", ["h", "@revoked *", "@cert-authority *.example.com", hashed("h")])
@pytest.mark.parametrize(
    "key",
    [line(KEY)[:40], "ssh-ed25519 not/base64", "ssh-ed25519", line(RSA).replace("ssh-rsa", "ssh-ed25519")],
    ids=["cut short", "no base64", "nothing", "another kind"],
)
def test_a_key_that_is_damaged_is_named(name: str, key: str) -> None:
    """A line that revokes would otherwise be lost in silence."""
    with pytest.raises(InputError, match=r"line 2: .*its ssh-ed25519 key cannot be read"):
        KnownHosts(f"h {line(KEY)}\n{name} {key}")


def test_a_kind_of_key_that_nobody_can_check_is_passed_over() -> None:
    assert KnownHosts(f"h sk-new-kind@example.com AAAA\nh {line(KEY)}").of("h", 22).keys == (public(KEY),)


def test_lines_and_a_file_are_read_beside_each_other(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(f"a {line(KEY)}")
    known = KnownHosts(given_lines(f"b {line(OTHER)}", tmp_path / "hosts"))
    assert (known.of("a", 22).keys, known.of("b", 22).keys) == ((public(KEY),), (public(OTHER),))
    assert given_lines(None, None).strip() == ""
    with pytest.raises(InputError, match="KIT_GIT_SSH_KNOWN_HOSTS_FILE cannot be read"):
        given_lines(None, tmp_path / "gone")
