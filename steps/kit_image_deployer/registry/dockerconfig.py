# SPDX-License-Identifier: MIT
"""Credentials for registries from a Docker configuration, as `docker login` writes it."""

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any, Final

from kit_core.errors import InputError, WorkError
from kit_core.secrets import Secret
from kit_image_deployer.faults import Fault
from kit_image_deployer.registry.reference import DOCKER_HUB, DOCKER_HUBS

_NAMES: Final = ("config.json", ".dockerconfigjson")
"""What the file is called in a folder: Docker's name, and the key of a Kubernetes secret that was mounted."""

_HUB_KEY: Final = "https://index.docker.io/v1/"
_TOKEN_USER: Final = "<token>"  # noqa: S105 - the name that says so
_HELPER_SECONDS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What opens a registry: a user with a password, an identity token (which its token service takes instead), or a
    token for the registry itself. `source` says where it was found.
    """

    source: str
    username: str = ""
    password: Secret | None = None
    identity_token: Secret | None = None
    registry_token: Secret | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What nobody may see of it."""
        found = (self.password, self.identity_token, self.registry_token)
        return tuple(secret for secret in found if secret is not None)


@dataclass(frozen=True, kw_only=True)
class DockerConfig:
    """A configuration that was read. `path` is its file (None: there is none), `env` what a credential helper gets."""

    path: Path | None
    content: Mapping[str, Any]
    env: Mapping[str, str]

    def credential(self, registry: str, repository: str, *, seconds: float = _HELPER_SECONDS) -> Credential | None:
        """What opens `repository` in `registry`, or None. Runs the credential helper that the file names for it, for
        so many seconds at most.

        An entry that was written without a helper is used as well. Raises `InputError` where the entry cannot be
        read, `WorkError` where its helper fails or is not there, `Fault` where the time is up.
        """
        helpers = _mapping(self.content, "credHelpers", self.path)
        named = [program for key, program in helpers.items() if _named(key) == (registry, "")]
        helper = named[0] if named else self.content.get("credsStore")
        program = which(f"docker-credential-{helper}", path=self.env.get("PATH", "")) if helper else None
        if program:
            return _from_helper(program, registry, self.env, seconds)
        entry = _entry(_mapping(self.content, "auths", self.path), registry, repository)
        found = _from_entry(*entry, self.path) if entry else None
        if found is None and helper:
            raise WorkError(
                f"the credentials for {registry} cannot be had",
                where=str(self.path),
                why=f"it leaves them to the program docker-credential-{helper}, which is not here",
                hint="Mount a configuration that holds them (`docker login` without credsStore and credHelpers writes"
                f" one), or put docker-credential-{helper} on the PATH.",
            )
        return found


def read_docker_config(path: Path | None, env: Mapping[str, str]) -> DockerConfig:
    """The configuration at `path` (a file, or a folder with a config.json), which must be there; else the one that
    Docker itself would read: in the folder DOCKER_CONFIG, or in `.docker` at home. Raises `InputError`.
    """
    if path is not None:
        found = _file(path)
        if found is None:
            raise InputError(
                "there is no Docker configuration", where=str(path),
                hint="KIT_DOCKER_CONFIG names its file or folder: mount `~/.docker/config.json` there.",
            )  # fmt: skip
    else:
        folder = env.get("DOCKER_CONFIG") or (f"{env['HOME']}/.docker" if env.get("HOME") else None)
        found = _file(Path(folder)) if folder else None
    if found is None:
        return DockerConfig(path=None, content={}, env=env)
    try:
        content = json.loads(found.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _unreadable(found, error) from None
    except (ValueError, RecursionError) as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else None
        place = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else place
        raise InputError("it is no JSON", where=str(found), why=place, hint="`docker login` writes it anew.") from None
    if not isinstance(content, dict):
        raise InputError("it is no Docker configuration", where=str(found), hint="`docker login` writes one.")
    return DockerConfig(path=found, content=content, env=env)


def _file(path: Path) -> Path | None:
    try:
        if path.is_dir():
            return next((path / name for name in _NAMES if (path / name).exists()), None)
        return path if path.exists() else None
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        "the Docker configuration cannot be read", where=str(path), why=error.strerror,
        hint=f"Our user is {os.geteuid()}: start the image with `--user` and the file's owner, or mount its whole"
        " folder, whose owner it then takes on.",
    )  # fmt: skip


def _mapping(content: Mapping[str, Any], key: str, path: Path | None) -> Mapping[str, Any]:
    value = content.get(key) or {}
    if not isinstance(value, dict):
        raise InputError(f"`{key}` is no mapping", where=str(path), hint="`docker login` writes it anew.")
    return value


def _entry(auths: Mapping[str, Any], registry: str, repository: str) -> tuple[str, Mapping[str, Any]] | None:
    """The entry for a registry, with its key: the one that names most of the repository's path.

    Keys are written in many ways: `host`, `https://host`, `https://host/v2/`, `https://index.docker.io/v1/`; other
    tools than Docker also write `host/team`.
    """
    best: tuple[int, str, Mapping[str, Any]] | None = None
    for key, entry in auths.items():
        host, named = _named(key)
        if host != registry or not isinstance(entry, dict) or not entry:
            continue
        if named and not f"{repository}/".startswith(f"{named}/"):
            continue
        if best is None or len(named) > best[0]:
            best = (len(named), key, entry)
    return best[1:] if best else None


def _named(key: str) -> tuple[str, str]:
    """The registry that a key means, and the path in it, if any."""
    host, _, path = key.rpartition("://")[2].partition("/")
    path = path.strip("/")
    return DOCKER_HUB if host.lower() in DOCKER_HUBS else host.lower(), "" if path in {"v1", "v2"} else path


def _from_entry(key: str, entry: Mapping[str, Any], path: Path | None) -> Credential | None:
    def text(name: str) -> str:
        value = entry.get(name)
        if not isinstance(value, str):
            return ""
        if not _is_text(value) or (name == "registrytoken" and re.search(r"[^\x21-\x7e]", value)):
            raise InputError(
                f"`{name}` of {key} cannot be read", where=str(path), hint="`docker login` writes it anew."
            )
        return value

    username, password = text("username"), text("password")
    if auth := text("auth"):
        try:
            lines = "".join(auth.split())  # some tools break them, and Docker does not mind
            username, colon, password = base64.b64decode(lines, validate=True).decode().rstrip("\0").partition(":")
        except ValueError:
            colon = ""
        if not colon:
            raise InputError(
                f"`auth` of {key} cannot be read", where=str(path), why="it should be the base64 of user:password",
                hint="`docker login` writes it anew.",
            )  # fmt: skip
    if not (password or text("identitytoken") or text("registrytoken")):
        return None
    return Credential(
        source=f"{path}, {key}",
        username=username,
        password=_secret(password),
        identity_token=_secret(text("identitytoken")),
        registry_token=_secret(text("registrytoken")),
    )


def _secret(text: str) -> Secret | None:
    return Secret(text) if text else None


def _is_text(value: object) -> bool:
    """JSON can hold what is no text: one half of a pair of UTF-16."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def _from_helper(program: str, registry: str, env: Mapping[str, str], seconds: float) -> Credential | None:
    """What a credential helper knows: it is asked with `get` and the server's address on its standard input.

    Its protocol is described at https://github.com/docker/docker-credential-helpers.
    """
    name = Path(program).name
    server = _HUB_KEY if registry == DOCKER_HUB else registry
    hint = "Does it work with the environment and the files of this container?"
    try:
        done = subprocess.run(
            [program, "get"], input=server, env=dict(env), capture_output=True, text=True,
            errors="replace", timeout=min(_HELPER_SECONDS, seconds), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        if seconds < _HELPER_SECONDS:
            raise Fault(f"{name} did not end in time") from None
        raise WorkError(f"{name} failed for {registry}", why="it did not end in time", hint=hint) from None
    except OSError as error:
        raise WorkError(f"{name} failed for {registry}", why=error.strerror, hint=hint) from None
    if done.returncode:
        if "credentials not found" in done.stdout:
            return None
        # What it says on failure is a message; what it says on success would be the credentials.
        why = " ".join((done.stdout.strip() or done.stderr).split())[:300]
        raise WorkError(f"{name} failed for {registry}", why=why or f"exit code {done.returncode}", hint=hint)
    try:
        told = json.loads(done.stdout)
        username, secret = told["Username"], told["Secret"]
        if not (_is_text(username) and _is_text(secret)):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise WorkError(f"{name} did not answer with credentials for {registry}", hint=hint) from None
    if not secret:
        return None
    if username == _TOKEN_USER:
        return Credential(source=name, identity_token=Secret(secret))
    return Credential(source=name, username=username, password=Secret(secret))
