# SPDX-License-Identifier: MIT
"""ssh and git addresses taken apart, as git takes them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_image_deployer.git.place import Place, is_place, place_of


@pytest.mark.parametrize(
    ("address", "scheme", "user", "host", "port", "path"),
    [
        ("ssh://git@host/team/repo.git", "ssh", "git", "host", 22, "/team/repo.git"),
        ("ssh://host:2222/repo", "ssh", None, "host", 2222, "/repo"),
        ("SSH://git@HOST/Repo", "ssh", "git", "host", 22, "/Repo"),
        ("git+ssh://git@host/repo", "ssh", "git", "host", 22, "/repo"),
        ("ssh://git@[2001:db8::1]:2222/repo", "ssh", "git", "2001:db8::1", 2222, "/repo"),
        ("ssh://git@[::1]/repo", "ssh", "git", "::1", 22, "/repo"),
        ("ssh://host/~/repo", "ssh", None, "host", 22, "~/repo"),
        ("ssh://host/~ada/repo", "ssh", None, "host", 22, "~ada/repo"),
        ("ssh://a%40b@host/with%20blank", "ssh", "a@b", "host", 22, "/with blank"),
        ("git@host:team/repo.git", "ssh", "git", "host", 22, "team/repo.git"),
        ("git@host:/srv/repo.git", "ssh", "git", "host", 22, "/srv/repo.git"),
        ("git@host:~ada/repo", "ssh", "git", "host", 22, "~ada/repo"),
        ("git@host:a@b/c%20d", "ssh", "git", "host", 22, "a@b/c%20d"),
        ("host:repo", "ssh", None, "host", 22, "repo"),
        ("git@[::1]:repo", "ssh", "git", "::1", 22, "repo"),
        ("git@[host:2222]:repo", "ssh", "git", "host", 2222, "repo"),
        ("git://host/repo.git", "git", None, "host", 9418, "/repo.git"),
        ("git://host:99/~ada/repo", "git", None, "host", 99, "~ada/repo"),
    ],
)  # fmt: skip
def test_addresses(address: str, scheme: str, user: str | None, host: str, port: int, path: str) -> None:
    assert is_place(address)
    found = place_of(address)
    assert (found.scheme, found.user, found.host, found.port, found.path) == (scheme, user, host, port, path)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ssh://git@host:22/team/repo.git", "ssh://host:22/team/repo.git"),
        ("git@host:team/repo.git", "host:team/repo.git"),
        ("git://host/repo", "git://host/repo"),
    ],
)
def test_messages_show_the_address_without_the_user(address: str, shown: str) -> None:
    assert place_of(address).url == shown


@pytest.mark.parametrize(
    "address", ["/srv/a.git", "./a:b", "a/b:c", "https://host/repo", "file:///srv/a.git", "repo.git", "ftp://h/x"]
)
def test_what_is_none(address: str) -> None:
    assert not is_place(address)


@pytest.mark.parametrize(
    "address",
    [
        "ssh://git:canary@host/repo", "git:canary@host:repo", "ssh://git@host", "ssh://git@host/", "ssh:///repo",
        "ssh://@host/repo", "ssh://git@host:canary/repo", "ssh://git@host:99999/repo", "ssh://git@host:0/repo",
        "ssh://-oProxyCommand=canary/repo", "-oProxyCommand=canary:repo", "git@host:-canary", "ssh://git@ho st/canary",
        "git@host:canary\nrepo", "ssh://ho%00st/canary", "git@host:", ":canary", "git@host..com:canary",
        f"git://{'h' * 64}/canary", f"ssh://git@{'h' * 64}.com/canary", "git://host/canary%ff", "git@host:canary\udcff",
        "git@h\udcff:canary",
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(InputError, match="KIT_GIT_URL") as caught:
        place_of(address)
    assert "canary" not in str(caught.value)


_NAME = st.text("abcxyz019._", min_size=1, max_size=12)
_PATH = st.lists(_NAME, min_size=1, max_size=4).map("/".join)


_HOST = st.lists(st.text("abcxyz019_", min_size=1, max_size=6), min_size=1, max_size=3).map(".".join)


@given(_NAME, _HOST, st.integers(1, 65_535), _PATH)
def test_both_forms_name_the_same(user: str, host: str, port: int, path: str) -> None:
    long, short = place_of(f"ssh://{user}@{host}:{port}/{path}"), place_of(f"{user}@[{host}:{port}]:/{path}")
    assert (long.user, long.host, long.port, long.path) == (short.user, short.host, short.port, short.path)
    assert (long.user, long.host, long.port, long.path) == (user, host, port, f"/{path}")


@given(st.text(max_size=40))
def test_anything_else_is_an_address_or_refused(text: str) -> None:
    for address in (text, f"ssh://{text}", f"git@{text}", f"git@host:{text}"):
        if is_place(address):
            try:
                found = place_of(address)
            except InputError:
                continue
            assert isinstance(found, Place)
            assert found.host
            assert not found.path.startswith("-")
            assert "\n" not in found.host + found.path
