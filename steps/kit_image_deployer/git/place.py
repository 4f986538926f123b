# SPDX-License-Identifier: MIT
"""Addresses of git servers that are no web pages, taken apart: `ssh://`, `git://` and `user@host:path`. Pure.

Read as git reads them (git-clone(1), "Git URLs"): what has no scheme and a colon before its first slash is ssh;
`/~user/` in a URL is a home folder; URLs are percent-decoded, the short form is not.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from kit_core.errors import InputError

PORTS: Final = {"ssh": 22, "git": 9418}
_SCHEMES: Final = {"ssh": "ssh", "git+ssh": "ssh", "ssh+git": "ssh", "git": "git"}
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)(/.*)?", re.IGNORECASE | re.DOTALL)
_SHORT: Final = re.compile(r"(?:([^/:@\[\]]+)@)?(\[[^\[\]/]+\]|[^/:@\[\]]+):(.*)", re.DOTALL)
_HOST: Final = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_BRACKETS: Final = re.compile(r"\[([^:]+):([0-9]{1,5})\]")
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f-\x9f]")
_UNFIT_IN_PATH: Final = re.compile(r"[\x00-\x1f\x7f]")
_LOOKS: Final = "It should look like ssh://git@host/team/repo.git or git@host:team/repo.git."


@dataclass(frozen=True)
class Place:
    """A repository on a server: `scheme` is ssh or git, `path` as the server is told it, `url` for messages (without
    the user).
    """

    scheme: str
    host: str
    port: int
    path: str
    user: str | None
    url: str


def is_place(address: str) -> bool:
    """Whether an address is one of these: by its scheme, or by a colon before the first slash."""
    if found := _URL.fullmatch(address):
        return found[1].lower() in _SCHEMES
    return ":" in address.partition("/")[0]


def place_of(address: str) -> Place:
    """Take it apart. Raises `InputError`, which shows nothing of it: a password may stand anywhere in what is wrong."""
    if url := _URL.fullmatch(address):
        scheme = _SCHEMES[url[1].lower()]
        authority, path = (unquote(part or "", errors="surrogateescape") for part in (url[2], url[3]))
        user, at, server = authority.rpartition("@")
        found = _HOST.fullmatch(server)
        if ":" in user:
            raise _no_password()
        if not found or (at and not user):
            raise _no_address("the part between :// and the next / names no host")
        host, port = found[1], int(found[2] or PORTS[scheme])
        path = path[1:] if path.startswith("/~") else path
        shown = f"{scheme}://{server}{url[3] or ''}"
    else:
        short = _SHORT.fullmatch(address)
        if not short or (not short[1] and "@" in short[3]):
            raise _no_password() if "@" in address else _no_address("what stands before the colon names no host")
        scheme, user, path = "ssh", short[1] or "", short[3]
        with_port = _BRACKETS.fullmatch(short[2])
        host, port = (with_port[1], int(with_port[2])) if with_port else (short[2], PORTS[scheme])
        shown = f"{short[2]}:{path}"
    host = host.strip("[]")
    _check(host, port, path, user)
    return Place(scheme, host.lower(), port, path, user or None, shown)


def _check(host: str, port: int, path: str, user: str) -> None:
    if not path.strip("/"):
        raise _no_address("it names no repository on the server")
    if not 0 < port < 65_536:
        raise _no_address(f"{port} is no port")
    if any(part.startswith("-") for part in (host, path, user)):
        raise _no_address("a part of it begins with a dash, which a server may take for an option")
    if _UNFIT.search(host + user) or _UNFIT_IN_PATH.search(path):
        raise _no_address("it has a blank or a control character")
    try:
        (user + path).encode()
    except UnicodeEncodeError:
        raise _no_address("it is not UTF-8") from None
    try:
        host.encode("idna")
    except UnicodeError:
        raise _no_address("its host is none: a part of it is empty, too long, or not for names") from None


def _no_address(why: str) -> InputError:
    return InputError("KIT_GIT_URL is no address", why=why, hint=_LOOKS)


def _no_password() -> InputError:
    return InputError(
        "KIT_GIT_URL is no address that can be used",
        why="it seems to hold a password, and over ssh only keys are used",
        hint=f"{_LOOKS} The key goes into KIT_GIT_SSH_KEY.",
    )
