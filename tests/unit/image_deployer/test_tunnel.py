# SPDX-License-Identifier: MIT
"""Which proxy holds for ssh and git://, and which cannot be used."""

import socket
import threading

import pytest

from kit_core.errors import InputError
from kit_image_deployer.connections.tunnel import connected, proxy_of
from kit_image_deployer.faults import NoAnswer

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, None),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"all_proxy": PROXY}, PROXY),
        ({"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY}, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "git.example.com"}, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "example.com:2222"}, None),
        ({"ALL_PROXY": PROXY, "NO_PROXY": "example.com:22"}, PROXY),
    ],
)
def test_the_proxy_for_ssh(env: dict[str, str], expected: str | None) -> None:
    assert proxy_of("ssh", "git.example.com", 2222, env) == expected


def test_an_address_instead_of_a_name() -> None:
    env = {"ALL_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8,fd00::/8"}
    assert proxy_of("ssh", "10.1.2.3", 22, env) is None
    assert proxy_of("git", "fd00::1", 9418, env) is None
    assert proxy_of("git", "fe00::1", 9418, env) == PROXY


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://me:canary@127.0.0.1:9", "https://me:canary@127.0.0.1:9", "http://me:can/ary@127.0.0.1:9",
        "http://me:canary@proxy..example:9",
    ],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_not_shown(proxy: str) -> None:
    with pytest.raises(InputError, match=r"the proxy's address cannot be used.*NO_PROXY") as caught:
        connected("host", 22, proxy, where="ssh://host/x", seconds=1)
    assert "ary" not in str(caught.value)


def test_a_name_that_is_looked_up_without_an_end_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that nor the one address after the other that it has may outlast the time."""
    answered = threading.Event()

    def look_up(*_arguments: object, **_named: object) -> object:
        answered.wait(30)
        raise OSError("too late")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(NoAnswer, match="no connection in time"):
        connected("git.example.com", 22, None, where="ssh://git.example.com/x", seconds=0.05)
    assert not answered.is_set()
    answered.set()
