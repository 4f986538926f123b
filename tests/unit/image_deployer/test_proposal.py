# SPDX-License-Identifier: MIT
"""What a pull request is made of, which forge it goes to, and with which token."""

import re
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.forge.api import words_of
from kit_image_deployer.forge.choose import Forge, forge_of
from kit_image_deployer.forge.proposal import holds, is_ours, proposal, proposal_branch
from kit_image_deployer.git.address import address_of
from kit_image_deployer.message.commit import Written

PASSWORD = Secret("git-password")
TOKEN = Secret("forge-token")

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


@given(names, st.lists(names, min_size=1, max_size=3, unique=True))
def test_a_branch_is_a_ref_and_always_the_same(target: str, paths: list[str]) -> None:
    branch = proposal_branch(target, paths)
    assert branch == proposal_branch(target, reversed(paths))
    # The rules of git-check-ref-format(1), for the characters that are used.
    assert re.fullmatch(r"kit/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+", branch)
    assert len(branch) < 200


def test_git_takes_the_branches() -> None:
    for target, path in [("release/1.x", "images/a b/~c^:?*[.yaml"), ("master", ".lock"), ("ü", "-"), ("@{", "..")]:
        branch = proposal_branch(target, [path])
        assert subprocess.run(["git", "check-ref-format", "--branch", branch], check=False).returncode == 0


def test_other_files_and_targets_have_other_branches() -> None:
    cases = [
        ("master", ["images/shop/cart/master.yaml"]), ("master", ["images/shop-cart/master.yaml"]),
        ("staging", ["images/shop/cart/master.yaml"]), ("master", ["images/shop.yaml"]),
        ("master", ["images/shop/cart/master.yaml", "images/shop.yaml"]), ("a/b", ["c"]), ("a-b", ["c"]),
    ]  # fmt: skip
    made = [proposal_branch(target, paths) for target, paths in cases]
    assert len(set(made)) == len(made)
    # None is a folder of another: git could not have both.
    assert not any(one != other and other.startswith(f"{one}/") for one in made for other in made)
    assert made[0].startswith("kit/master/images-shop-cart-master-")


def test_what_a_file_held_cannot_leave_its_place() -> None:
    files = [Written(path="a`b.yaml", image="r/a:2", previous="`x`\n# @ada closes #1\n/merge")]
    made = proposal("kit/x", "master", files, "Message\n\n```\n@someone\n")
    assert "- `a'b.yaml`: `'x' # @ ada closes # 1 - /merge` → `r/a:2`" in made.body
    assert "\n````\nMessage" in made.body


def test_many_files_are_not_all_listed() -> None:
    files = [Written(path=f"images/{number}.yaml", image="r/a:2", previous=None) for number in range(150)]
    made = proposal("kit/x", "master", files, "Message")
    assert made.title == "Deploy 150 images"
    assert "- and 50 more" in made.body
    assert "images/120.yaml" not in made.body


OURS = (
    b"tree 1\nparent 2\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nDeploy\n\nKit-Image: r/a:1\nKit-Build: 7\n"
    b"Kit-Tree: 1\n"
)


@pytest.mark.parametrize(
    ("commit", "ours"),
    [
        (OURS, True),
        (OURS.replace(b"\n\nDeploy", b"\ngpgsig -----BEGIN\n \n x\n -----END\n\nDeploy"), True),
        (OURS.replace(b"committer A <a@b> 1", b"committer G <g@b> 2"), False),
        (OURS.replace(b"committer A <a@b> 1", b"committer A <a@b> 2"), False),
        (OURS.replace(b"Kit-Image", b"Signed-off-by"), False),
        (OURS.replace(b"tree 1", b"tree 3"), False),  # amended, by someone who kept the message
        (OURS.replace(b"Kit-Tree: 1\n", b""), False),
        (OURS + b"\nAnd a word more\n", False),
    ],
)
def test_whose_a_commit_is(commit: bytes, ours: bool) -> None:
    assert is_ours(commit) is ours


def test_whether_the_target_is_in_the_branch() -> None:
    first = b"tree 1\nparent a\n\nx"
    assert holds({}, b"a", b"a")
    assert holds({b"c": b"tree 1\nparent b\n\nx", b"b": first}, b"c", b"a")
    assert holds({b"c": b"tree 1\nparent z\nparent a\n\nMerge"}, b"c", b"a")
    assert not holds({b"c": b"tree 1\nparent b\n\nparent a"}, b"c", b"a")
    assert not holds({}, b"b", b"a")


def forge(git_url: str, /, **options: Any) -> Forge:
    password = options.pop("password", PASSWORD if git_url.startswith("http") else None)
    key = Secret("key") if "@" in git_url else None
    address = address_of(git_url=git_url, username=None, password=password, ssh_key=key)
    assert address is not None
    return forge_of(address, **options)


@pytest.mark.parametrize(
    ("url", "options", "kind", "api", "repository"),
    [
        ("https://github.com/acme/deployments.git", {}, "github", "https://api.github.com", "acme/deployments"),
        ("https://acme.ghe.com/acme/d", {}, "github", "https://api.acme.ghe.com", "acme/d"),
        ("https://git.acme.com/acme/d.git", {"github_url": "https://git.acme.com"}, "github",
         "https://git.acme.com/api/v3", "acme/d"),
        ("https://git.acme.com:8443/acme/d.git", {"kind": "github"}, "github", "https://git.acme.com:8443/api/v3",
         "acme/d"),
        ("https://gitlab.com/acme/team/d.git/", {}, "gitlab", "https://gitlab.com/api/v4", "acme/team/d"),
        ("https://acme.com/gitlab/team/d.git", {"kind": "gitlab", "url": "https://acme.com/gitlab/"}, "gitlab",
         "https://acme.com/gitlab/api/v4", "team/d"),
        ("git@github.com:acme/d.git", {"token": TOKEN}, "github", "https://api.github.com", "acme/d"),
        ("ssh://git@ssh.github.com:443/acme/d.git", {"token": TOKEN}, "github", "https://api.github.com", "acme/d"),
        ("git@altssh.gitlab.com:acme/d.git", {"token": TOKEN}, "gitlab", "https://gitlab.com/api/v4", "acme/d"),
        ("ssh://git@git.acme.com:2222/acme/d.git", {"kind": "gitlab", "token": TOKEN}, "gitlab",
         "https://git.acme.com/api/v4", "acme/d"),
        ("https://git.acme.com/a/d", {"kind": "gitlab", "url": "https://api.acme.com/api/v4", "token": TOKEN}, "gitlab",
         "https://api.acme.com/api/v4", "a/d"),
    ],
)  # fmt: skip
def test_where_the_api_is(url: str, options: dict[str, Any], kind: str, api: str, repository: str) -> None:
    found = forge(url, **options)
    assert (found.kind, found.api, found.repository) == (kind, api, repository)


@pytest.mark.parametrize(
    ("url", "options", "token", "setting"),
    [
        ("https://github.com/a/d", {}, PASSWORD, "KIT_GIT_PASSWORD"),
        ("https://github.com/a/d", {"token": TOKEN}, TOKEN, "KIT_FORGE_TOKEN"),
        ("git@github.com:a/d", {"github_token": TOKEN}, TOKEN, "GITHUB_AUTH_TOKEN"),
    ],
)
def test_which_token(url: str, options: dict[str, Any], token: Secret, setting: str) -> None:
    found = forge(url, **options)
    assert (found.token, found.setting) == (token, setting)


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        # A password goes to no other host than git's, and not from https to http.
        ("https://git.acme.com/a/d", {"kind": "gitlab", "url": "https://other.com"}, ["no token", "KIT_FORGE_TOKEN"]),
        ("https://git.acme.com/a/d", {"kind": "gitlab", "url": "http://git.acme.com"}, ["no token"]),
        ("git@gitlab.com:a/d", {"github_token": TOKEN}, ["no token for the API of gitlab.com"]),
        ("git@github.com:a/d", {}, ["no token for the API of github.com"]),
        ("https://git.acme.com/a/d", {}, ["which kind of forge git.acme.com is", "KIT_FORGE", "github or gitlab"]),
        ("https://notgithub.com/a/d", {}, ["which kind of forge"]),
        ("https://github.com/d", {}, ["`d` is no repository's name on github"]),
        ("https://github.com/a/b/d", {}, ["`a/b/d` is no repository's name"]),
        ("/srv/git/d.git", {}, ["needs a repository on a forge"]),
        ("https://git.acme.com/a/d", {"kind": "gitlab", "url": "git.acme.com"}, ["KIT_FORGE_URL is no address"]),
        ("https://git.acme.com/a/d", {"kind": "gitlab", "url": "https://u:p@git.acme.com"}, ["KIT_FORGE_URL is no"]),
    ],
)
def test_what_cannot_be_told(url: str, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        forge(url, **options)
    for word in words:
        assert word in str(caught.value)
    assert "git-password" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"message": "Not Found", "documentation_url": "x"}, "Not Found"),
        ({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "base", "code": "invalid"}]},
         "Validation Failed; PullRequest base invalid"),
        ({"message": "Validation Failed", "errors": [{"code": "custom", "message": "No commits"}]},
         "Validation Failed; No commits"),
        ({"message": ["Another open merge request"]}, "Another open merge request"),
        ({"message": {"base": ["is wrong"]}}, "base is wrong"),
        ({"error": "insufficient_scope", "error_description": "needs api"}, "insufficient_scope; needs api"),
        ([1], ""), (None, ""), ("x", ""),
    ],
)  # fmt: skip
def test_a_forges_own_words(content: Any, words: str) -> None:
    assert words_of(content) == words
