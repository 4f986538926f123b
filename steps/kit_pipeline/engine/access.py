# SPDX-License-Identifier: MIT
"""The files through which the engine is reached, and what it means when they may not be used."""

import os
import re
import socket
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kit_core.errors import InputError
from kit_core.mounts import Needed
from kit_pipeline.engine.failures import EngineError

SOCKET: Final = "/var/run/docker.sock"
"""Where the engine listens, unless DOCKER_HOST says something else."""

_CERTIFICATES: Final = ("ca.pem", "cert.pem", "key.pem")
"""Their names in DOCKER_CERT_PATH (https://docs.docker.com/engine/security/protect-access)."""

_HINT: Final = f"Start it, or set DOCKER_HOST. In a container, mount the socket: -v {SOCKET}:{SOCKET}"

_CAUSES: Final = (
    re.compile(r"\[Errno -?\d+\] ([^\"'()]+)"),
    re.compile(r"\[SSL: \w+\] ([^()]+)"),
)
"""Where the libraries that are below the client keep what the system said."""


def socket_of(env: Mapping[str, str]) -> str | None:
    """The engine's socket, as a path; None where it is reached over a network."""
    host = env.get("DOCKER_HOST", "").strip()
    if not host:
        return SOCKET
    scheme, separator, path = host.partition("://")
    return (path or SOCKET) if separator and scheme in {"unix", "http+unix"} else None


def certificates_of(env: Mapping[str, str]) -> str | None:
    """The folder of the certificates that the engine is reached with; None where it is reached without."""
    if socket_of(env) is not None or not (env.get("DOCKER_TLS_VERIFY") or env.get("DOCKER_CERT_PATH")):
        return None
    return env.get("DOCKER_CERT_PATH") or str(Path.home() / ".docker")


def needed(env: Mapping[str, str]) -> list[Needed]:
    """What a process has to be able to use: to connect to a socket is to write to it (unix(7))."""
    if (path := socket_of(env)) is not None:
        return [Needed(path, os.W_OK)]
    folder = certificates_of(env)
    return [] if folder is None else [Needed(f"{folder}/{name}", os.R_OK) for name in _CERTIFICATES]


def refusal(env: Mapping[str, str], groups: Sequence[int]) -> EngineError | InputError | None:
    """Why these files cannot be used, for people; None where that is not what is wrong. `groups` are our own ones."""
    for file in needed(env):
        path = Path(file.path)
        try:
            status = path.stat()
        except OSError as error:
            return _not_there(path, error, status=None)
        if file.access == os.W_OK and not stat.S_ISSOCK(status.st_mode):
            return _not_there(path, None, status=status)
        if not os.access(path, file.access, effective_ids=os.access in os.supports_effective_ids):
            return _forbidden(path, status, groups, is_socket=file.access == os.W_OK)
    return None


def knock(env: Mapping[str, str]) -> None:
    """See whether somebody listens at the socket. Raises OSError in the system's words, which the client wraps."""
    if (path := socket_of(env)) is not None:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(path)


def silence(env: Mapping[str, str], error: Exception) -> EngineError | InputError:
    """Nobody answers where the engine should be: the client's `error` in a few words."""
    host = env.get("DOCKER_HOST", "").strip()
    if host.startswith("ssh://"):
        return InputError(
            "An engine cannot be reached over ssh",
            where=f"DOCKER_HOST={host}",
            hint="Forward its socket, `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST`,"
            " and set DOCKER_HOST=unix:///tmp/docker.sock.",
        )
    text = str(error)
    found = [match for pattern in _CAUSES for match in pattern.findall(text)]
    return EngineError(
        "The Docker engine does not answer",
        where=host or f"unix://{SOCKET}",
        why=found[-1].strip() if found else text,
        hint=_HINT if socket_of(env) else "Start it, or set DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH right.",
    )


def _not_there(path: Path, error: OSError | None, status: os.stat_result | None) -> EngineError | InputError:
    if path.name in _CERTIFICATES:
        return InputError(
            "The engine's certificates cannot be read",
            where=str(path),
            why=(error.strerror if error else None) or "it is no file",
            hint=f"DOCKER_CERT_PATH is the folder of {', '.join(_CERTIFICATES)}; in a container, mount it.",
        )
    made = status is not None and stat.S_ISDIR(status.st_mode)
    return EngineError(
        "The Docker engine does not answer",
        where=f"unix://{path}",
        why="it is a folder, which Docker makes where what is mounted was not there"
        if made
        else (error.strerror if error else None) or "it is no socket",
        hint=_HINT,
    )


def _forbidden(
    path: Path, status: os.stat_result, groups: Sequence[int], *, is_socket: bool
) -> EngineError | InputError:
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    ours = ", ".join(str(group) for group in sorted({os.getegid(), *groups}))
    why = (
        f"it belongs to uid {status.st_uid} and gid {status.st_gid}, mode {mode},"
        f" and this process is uid {os.geteuid()} in {'groups' if ',' in ours else 'group'} {ours}"
    )
    if not is_socket:
        return InputError(
            "The engine's certificates cannot be read",
            where=str(path),
            why=why,
            hint=f"In a container: --user {status.st_uid}:{status.st_gid}, or give the file to whom it is for.",
        )
    if not status.st_mode & stat.S_IWGRP:
        hint = f"In a container: --user {status.st_uid}. Else: run this as the user whose engine it is."
    else:
        hint = (
            f"In a container: --group-add $(stat -c %g {path}), the number being the machine's. Else: be in that group."
        )
    return EngineError("The Docker engine's socket may not be used", where=str(path), why=why, hint=hint)
