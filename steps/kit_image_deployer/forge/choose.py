# SPDX-License-Identifier: MIT
"""Which forge it is, where its API is, and which token may go there: from the settings. Pure, but for `connect`."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.git.address import Address

if TYPE_CHECKING:
    from kit_image_deployer.forge import PullRequests

_SETTING: Final = "KIT_PULL_REQUEST"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of forge. `implementation` is module and class; `hosts` are known to be one, with the name of the web
    address for each, and so are those that end in `below`. Of these, the API has a host that begins with `own_host`;
    of others, it is `api` below the web address. `depth` is the number of parts that a repository's name has.
    """

    implementation: tuple[str, str]
    hosts: Mapping[str, str]
    api: str
    own_host: str = ""
    below: str | None = None
    depth: int | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "github": Kind(
        implementation=("github", "GitHub"), hosts={"github.com": "github.com", "ssh.github.com": "github.com"},
        api="/api/v3", own_host="api.", below=".ghe.com", depth=2,
    ),
    "gitlab": Kind(
        implementation=("gitlab", "GitLab"), hosts={"gitlab.com": "gitlab.com", "altssh.gitlab.com": "gitlab.com"},
        api="/api/v4",
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Forge:
    """A repository on a forge: the kind, the API's address, the repository's name there, and a token with the setting
    that it came from.
    """

    kind: str
    api: str
    repository: str
    token: Secret
    setting: str


def forge_of(
    address: Address,
    *,
    kind: str | None = None,
    url: str | None = None,
    token: Secret | None = None,
    github_url: str | None = None,
    github_token: Secret | None = None,
) -> Forge:
    """The forge behind the deployments repository's address.

    `kind` and `url` (KIT_FORGE, KIT_FORGE_URL) are needed where the host's name does not tell. `token` is
    KIT_FORGE_TOKEN; without it git's password serves, but only where it would go to the same host. Raises `InputError`.
    """
    git = _git_server(address)
    host = next((item.hosts[git.host] for item in KINDS.values() if git.host in item.hosts), git.host)
    name = kind or _kind_of(host, urlsplit(github_url or "").hostname)
    if name is None or name not in KINDS:
        raise InputError(
            f"{_SETTING}: it cannot be told which kind of forge {host} is",
            hint=f"Set KIT_FORGE to {' or '.join(KINDS)}.",
        )
    found = KINDS[name]
    root = (url or f"{git.scheme}://{host}{git.port}").strip().rstrip("/")
    parts = urlsplit(root)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or "@" in parts.netloc:
        hint = "It should be the address of its web pages, such as https://git.example.com."
        raise InputError("KIT_FORGE_URL is no address of a forge", hint=hint)
    below = parts.path.removesuffix(found.api).strip("/")
    repository = git.path.removeprefix(f"{below}/" if below else "").strip("/")
    if "/" not in repository or (found.depth and repository.count("/") != found.depth - 1):
        hint = "Check KIT_GIT_URL; a forge whose pages are below a path of its host has to be named in KIT_FORGE_URL."
        raise InputError(f"{_SETTING}: `{repository}` is no repository's name on {name}", hint=hint)
    setting = "KIT_FORGE_TOKEN"
    if token is None:
        safe = parts.hostname in {host, git.host} and (parts.scheme == "https" or git.scheme == "http")
        if safe and address.password is not None:
            token, setting = address.password, address.setting
        elif safe and github_token is not None and host == urlsplit(github_url or "https://github.com").hostname:
            token, setting = github_token, "GITHUB_AUTH_TOKEN"
    if token is None:
        why = f"git's own password is for {git.host} only" if address.password else None
        hint = "Set KIT_FORGE_TOKEN (or KIT_FORGE_TOKEN_FILE) to one that may open requests there."
        raise InputError(f"{_SETTING}: there is no token for the API of {parts.hostname}", why=why, hint=hint)
    return Forge(kind=name, api=_api(root, found), repository=repository, token=token, setting=setting)


def connect(
    forge: Forge, *, tls: ssl.SSLContext | None, env: Mapping[str, str], remaining: Callable[[], float]
) -> "PullRequests":
    """The requests of that repository; nothing is sent yet. `env` holds proxies, `remaining` the seconds left."""
    from kit_image_deployer.connections.web import Web

    module, name = KINDS[forge.kind].implementation
    make = getattr(import_module(f"kit_image_deployer.forge.{module}"), name)
    web = Web(where=urlsplit(forge.api).hostname or "", setting="KIT_FORGE_URL", tls=tls, env=env, remaining=remaining)
    return cast("PullRequests", make(forge.api, forge.repository, web, token=forge.token, setting=forge.setting))


@dataclass(frozen=True)
class _Git:
    scheme: str
    host: str
    port: str
    path: str


def _git_server(address: Address) -> _Git:
    if address.place is not None:
        return _Git("https", address.place.host.lower(), "", _name(address.place.path))
    parts = urlsplit(address.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            f"{_SETTING} needs a repository on a forge",
            where=address.url,
            hint="Name its https:// or ssh:// address in KIT_GIT_URL.",
        )
    return _Git(parts.scheme, parts.hostname, f":{parts.port}" if parts.port else "", _name(unquote(parts.path)))


def _name(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").lstrip("/")


def _kind_of(host: str, github: str | None) -> str | None:
    if host == github:
        return "github"
    return next((name for name, kind in KINDS.items() if _knows(kind, host)), None)


def _knows(kind: Kind, host: str) -> bool:
    return host in kind.hosts or bool(kind.below and host.endswith(kind.below))


def _api(root: str, kind: Kind) -> str:
    parts = urlsplit(root)
    host = parts.hostname or ""
    if root.endswith(kind.api) or (kind.own_host and host.startswith(kind.own_host)):
        return root
    if kind.own_host and _knows(kind, host):
        return f"{parts.scheme}://{kind.own_host}{parts.netloc}"
    return f"{root}{kind.api}"
