# SPDX-License-Identifier: MIT
"""From the settings to the repository's address, and to whom the password is given."""

from pathlib import Path

import pytest

from kit_core.errors import InputError, KitError, WorkError
from kit_core.secrets import Secret
from kit_image_deployer.git.address import Address, address_of, open_remote


def given(
    git_url: str | None = None,
    username: str | None = None,
    password: Secret | None = None,
    github_url: str | None = None,
    user: str | None = None,
    repo: str | None = None,
    token: Secret | None = None,
) -> Address | None:
    return address_of(
        git_url=git_url, username=username, password=password, github_url=github_url, github_user=user,
        github_repo=repo, github_token=token,
    )  # fmt: skip


PASSWORD, TOKEN = Secret("password"), Secret("token")
GITHUB = "https://github.com/acme/deployments.git"


@pytest.mark.parametrize(
    ("found", "url", "username", "password", "setting"),
    [
        (given("https://g/x.git", "me", PASSWORD), "https://g/x.git", "me", PASSWORD, "KIT_GIT_PASSWORD"),
        (given("https://g/x.git", None, PASSWORD), "https://g/x.git", "x-access-token", PASSWORD, "KIT_GIT_PASSWORD"),
        (given("https://me:p%40s@g:8/x"), "https://g:8/x", "me", Secret("p@s"), "the credentials in KIT_GIT_URL"),
        (given("https://t0ken@g/x"), "https://g/x", "t0ken", Secret(""), "the credentials in KIT_GIT_URL"),
        (given("https://me@g/x.git", None, PASSWORD), "https://g/x.git", "me", PASSWORD, "KIT_GIT_PASSWORD"),
        (given("https://g/x.git"), "https://g/x.git", None, None, "KIT_GIT_PASSWORD"),
        (given(user="acme", repo="deployments", token=TOKEN), GITHUB, "x-access-token", TOKEN, "GITHUB_AUTH_TOKEN"),
        (given(repo="acme/deployments.git", token=TOKEN), GITHUB, "x-access-token", TOKEN, "GITHUB_AUTH_TOKEN"),
        (given(user="a", repo="b", github_url="https://ghe/"), "https://ghe/a/b.git", None, None, "GITHUB_AUTH_TOKEN"),
        (given(user="acme", repo="deployments", password=PASSWORD), GITHUB, "x-access-token", PASSWORD,
         "KIT_GIT_PASSWORD"),
        (given(GITHUB, token=TOKEN), GITHUB, "x-access-token", TOKEN, "GITHUB_AUTH_TOKEN"),
        (given("https://other/x.git", token=TOKEN), "https://other/x.git", None, None, "KIT_GIT_PASSWORD"),
        (given("/srv/x.git"), "/srv/x.git", None, None, "KIT_GIT_PASSWORD"),
    ],
)  # fmt: skip
def test_the_address_and_its_password(
    found: Address | None, url: str, username: str | None, password: Secret | None, setting: str
) -> None:
    assert found == Address(url=url, username=username, password=password, setting=setting)
    assert "token" not in repr(found).replace("x-access-token", "")


@pytest.mark.parametrize("found", [given(), given(user="acme"), given(repo="deployments"), given(token=TOKEN)])
def test_no_address(found: Address | None) -> None:
    assert found is None


def test_addresses_of_other_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="an address of this kind cannot be used"):
        open_remote(Address(url="ftp://g/x"), ca_cert=None, env={}, remaining=lambda: 1)


@pytest.mark.parametrize("url", ["ssh://git@g/x.git", "git@g:x.git", "host:path"])
def test_an_ssh_address_wants_a_key(url: str) -> None:
    address = given(url, password=PASSWORD, token=TOKEN)
    assert address is not None
    assert address.password is None, "it is for https"
    with pytest.raises(InputError, match=r"no key for the ssh address.*KIT_GIT_SSH_KEY_FILE"):
        open_remote(address, ca_cert=None, env={}, remaining=lambda: 1)


@pytest.mark.parametrize(("url", "user"), [("ssh://me@g/x", "me"), ("ssh://g/x", "you"), ("me@g:x", "me")])
def test_who_logs_in_over_ssh(url: str, user: str) -> None:
    address = given(url, "you")
    assert address is not None
    assert address.username == user
    assert "me" not in address.url


def test_the_github_settings_stay_https() -> None:
    address = address_of(
        git_url=None, username=None, password=None, github_user="a", github_repo="b", ssh_key=Secret("key")
    )
    assert address is not None
    assert address.url == "https://github.com/a/b.git"


def test_git_addresses_need_nothing() -> None:
    address = given("git://g/x.git", "me", PASSWORD)
    assert address is not None
    assert (address.username, address.password) == (None, None)
    open_remote(address, ca_cert=None, env={}, remaining=lambda: 1).close()


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    for url in (str(tmp_path), f"file://{tmp_path}", str(tmp_path / "gone")):
        with pytest.raises(WorkError, match=r"there is no git repository.*without https://"):
            open_remote(Address(url=url), ca_cert=None, env={}, remaining=lambda: 1)


@pytest.mark.parametrize(
    "url",
    [
        "ssh://me:canary@host/x.git",
        "ssh://me:can/ary@host/canary@host/x.git",
        "htps://me:canary@host/x.git",
        "htps://canary@host/x.git",
        "https:/me:canary@host/x.git",
        "me:canary@host:x.git",
        "m_e:can/canary@host/x.git",
    ],
)
def test_a_password_in_an_address_that_cannot_be_used_is_not_shown(url: str) -> None:
    with pytest.raises(KitError, match="KIT_GIT_URL") as caught:
        use(url)
    assert "canary" not in str(caught.value)


def use(url: str) -> None:
    found = given(url)
    assert found is not None
    assert "canary" not in repr(found)
    open_remote(found, ca_cert=None, env={}, remaining=lambda: 1.0)


def test_a_token_in_the_query_is_refused_and_not_shown() -> None:
    with pytest.raises(InputError, match="KIT_GIT_PASSWORD") as caught:
        given("https://g/x.git?private_token=canary")
    assert "canary" not in str(caught.value)


def test_blanks_around_an_address_do_not_count() -> None:
    assert given(" https://g/x.git\n") == given("https://g/x.git")


@pytest.mark.parametrize("path", ["/srv/a:b@c.git", "./a@b.git", "file:///srv/a@b.git"])
def test_a_path_stays_as_it_is(path: str) -> None:
    assert given(path) == Address(url=path)


@pytest.mark.parametrize(
    "proxy", ["socks5://me:canary@127.0.0.1:9", "http://me:canary@127.0.0.1:99999", "http://me:can/ary@127.0.0.1:9"]
)
def test_a_proxy_that_cannot_be_used(proxy: str) -> None:
    with pytest.raises(InputError, match=r"the proxy's address cannot be used.*NO_PROXY") as caught:
        open_remote(Address(url="https://g/x.git"), ca_cert=None, env={"ALL_PROXY": proxy}, remaining=lambda: 1.0)
    assert "ary" not in str(caught.value)
