# SPDX-License-Identifier: MIT
"""Where the deployments repository is: from the settings to an address, and from an address to a `Remote`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.git.place import Place, is_place, place_of

if TYPE_CHECKING:
    from kit_image_deployer.git.repository import Remote

GITHUB: Final = "https://github.com"
_SCHEME: Final = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
# Whoever stands before the @ may be followed by a password, and addresses are printed.
_BEFORE_AT: Final = re.compile(r"^([a-z][a-z0-9+.-]*:/+)?.*@", re.IGNORECASE)
# Forges take any user beside a token; GitHub's Apps want this one.
_TOKEN_USER: Final = "x-access-token"  # noqa: S105 - a user


@dataclass(frozen=True, kw_only=True)
class Address:
    """A repository's address without credentials, and the credentials. `setting` is where the password came
    from, or should come from.

    `place` is an ssh or git address taken apart; of ssh's settings, `known_hosts` holds a known_hosts file's lines.
    """

    url: str
    username: str | None = None
    password: Secret | None = None
    setting: str = "KIT_GIT_PASSWORD"
    place: Place | None = None
    ssh_key: Secret | None = None
    ssh_passphrase: Secret | None = None
    known_hosts: str = ""


def address_of(
    *,
    git_url: str | None,
    username: str | None,
    password: Secret | None,
    github_url: str | None = None,
    github_user: str | None = None,
    github_repo: str | None = None,
    github_token: Secret | None = None,
    ssh_key: Secret | None = None,
    ssh_passphrase: Secret | None = None,
    known_hosts: str | None = None,
) -> Address | None:
    """The address that the settings name: GIT_URL, else the GitHub settings; None where there is neither.

    A token for GitHub is the password of no other server. Credentials in a URL serve where no others are given; over
    ssh the user in it is the one who logs in. Raises `InputError` for what is no address.
    """
    base = (github_url or GITHUB).rstrip("/")
    setting = "KIT_GIT_PASSWORD"
    if git_url is None:
        if not github_repo or not (github_user or "/" in github_repo):
            return None
        name = github_repo.removesuffix(".git")
        path = name if "/" in name else f"{github_user}/{name}"
        git_url = f"{base}/{path}.git"
        setting = setting if password else "GITHUB_AUTH_TOKEN"
    git_url = git_url.strip()
    if is_place(git_url):
        place = place_of(git_url)
        user = place.user or username
        if place.scheme == "git":
            return Address(url=place.url, place=place)
        return Address(
            url=place.url, username=user, place=place,
            ssh_key=ssh_key, ssh_passphrase=ssh_passphrase, known_hosts=known_hosts or "",
        )  # fmt: skip
    url, url_username, url_password = _split_credentials(git_url)
    if password is None and github_token is not None and _server(url) == _server(base):
        password, setting = github_token, "GITHUB_AUTH_TOKEN"
    if password is None and url_password is not None:
        password, setting = url_password, "the credentials in KIT_GIT_URL"
    if password is not None:
        username = username or url_username or _TOKEN_USER
    return Address(url=url, username=username, password=password, setting=setting)


def _split_credentials(url: str) -> tuple[str, str | None, Secret | None]:
    if not url.lower().startswith(("http://", "https://")):
        return (url if _is_path(url) else _BEFORE_AT.sub(r"\1", url)), None, None
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        bare = urlunsplit((parts.scheme.lower(), host, parts.path, "", ""))
        username = unquote(parts.username) if parts.username else None
        # A user alone may be a token: forges take one there, with any password.
        password = Secret(unquote(parts.password or "")) if parts.username or parts.password else None
        _ = parts.port  # raises where it is no number
    except ValueError:
        raise InputError("KIT_GIT_URL is no address", hint="It should look like https://host/team/repo.git.") from None
    if parts.query:
        hint = "Leave out the `?` and what follows it; a token belongs into KIT_GIT_PASSWORD."
        raise InputError("KIT_GIT_URL is the address of a page or has a token in its query", where=bare, hint=hint)
    return bare, username, password


def _is_path(url: str) -> bool:
    scheme = _SCHEME.match(url)
    return scheme.group(1).lower() == "file" if scheme else not is_place(url)


def _server(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname


def open_remote(
    address: Address, *, ca_cert: Path | None, env: Mapping[str, str], remaining: Callable[[], float]
) -> "Remote":
    """The repository behind the address; no connection is made yet.

    `env` holds the proxies, `remaining` tells how many seconds a request may take at most. Raises `InputError` for an
    address of another kind.
    """
    url = address.url
    if address.place is not None:
        return _streamed(address, address.place, env, remaining)
    scheme = (found.group(1).lower() if (found := _SCHEME.match(url)) else "") or None
    if scheme in {"http", "https"}:
        from kit_core.network import proxy_for, tls_context
        from kit_image_deployer.git.http import Access, HttpTransport
        from kit_image_deployer.git.remote import SmartRemote

        access = Access(
            username=address.username,
            password=address.password,
            tls=tls_context(ca_cert) if scheme == "https" or ca_cert is not None else None,  # http may lead to https
            proxy=proxy_for(url, env),
            setting=address.setting,
            remaining=remaining,
        )
        return SmartRemote(HttpTransport(url, access))
    if _is_path(url):
        from kit_image_deployer.git.local import LocalRemote

        return LocalRemote(Path(unquote(urlsplit(url).path) if scheme else url))
    raise InputError(
        "an address of this kind cannot be used",
        where=url,
        hint="Give the repository's https:// or ssh:// address in KIT_GIT_URL; git:// and a path work as well.",
    )


def _streamed(address: Address, place: Place, env: Mapping[str, str], remaining: Callable[[], float]) -> "Remote":
    from kit_image_deployer.git.remote import SmartRemote
    from kit_image_deployer.git.stream import StreamTransport

    if place.scheme == "git":
        from kit_image_deployer.git.gitserver import GitServer

        return SmartRemote(StreamTransport(GitServer(place, env), remaining))
    if address.ssh_key is None:
        raise InputError(
            "there is no key for the ssh address",
            where=address.url,
            hint="Set KIT_GIT_SSH_KEY (or KIT_GIT_SSH_KEY_FILE) to a private key that may push there, or give the"
            " repository's https:// address in KIT_GIT_URL.",
        )
    from kit_image_deployer.git.hostkeys import KnownHosts
    from kit_image_deployer.git.ssh import SshAccess, SshServer
    from kit_image_deployer.git.sshkey import read_key

    key = read_key(address.ssh_key, address.ssh_passphrase)
    access = SshAccess(key, KnownHosts(address.known_hosts), env)
    return SmartRemote(StreamTransport(SshServer(place, address.username, access), remaining))
