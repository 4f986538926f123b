# SPDX-License-Identifier: MIT
"""Which proxy holds for ssh and git://, and which cannot be used."""

import pytest

from kit_core.errors import InputError
from kit_image_deployer.connections.tunnel import connected, proxy_of

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
    "proxy", ["socks5://me:canary@127.0.0.1:9", "https://me:canary@127.0.0.1:9", "http://me:can/ary@127.0.0.1:9"]
)
def test_a_proxy_that_cannot_be_used_is_not_shown(proxy: str) -> None:
    with pytest.raises(InputError, match=r"the proxy's address cannot be used.*NO_PROXY") as caught:
        connected("host", 22, proxy, where="ssh://host/x", seconds=1)
    assert "ary" not in str(caught.value)
