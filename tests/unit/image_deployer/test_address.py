# SPDX-License-Identifier: MIT
"""From the settings to the repository's address, and to whom the password is given."""

from pathlib import Path

import pytest

from kit_core.errors import InputError, WorkError
from kit_core.secrets import Secret
from kit_image_deployer.address import Address, address_of, open_remote


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
        (given(user="a", repo="b", github_url="https://ghe/"), "https://ghe/a/b.git", None, None, "KIT_GIT_PASSWORD"),
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


@pytest.mark.parametrize("url", ["ssh://git@g/x.git", "git@g:x.git", "git://g/x", "ftp://g/x", "host:path"])
def test_addresses_of_other_kinds_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="an address of this kind cannot be used"):
        open_remote(Address(url=url), ca_cert=None, env={}, remaining=lambda: 1)


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    for url in (str(tmp_path), f"file://{tmp_path}", str(tmp_path / "gone")):
        with pytest.raises(WorkError, match="there is no git repository"):
            open_remote(Address(url=url), ca_cert=None, env={}, remaining=lambda: 1)
