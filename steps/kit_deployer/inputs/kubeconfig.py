# SPDX-License-Identifier: MIT
"""One kubeconfig: read, checked for everything that can be known without asking the cluster, made a value."""

import base64
import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kit_core.credentials import credentials_in, is_credential
from kit_core.errors import InputError
from kit_core.files import refused
from kit_core.secrets import in_urls
from kit_deployer.inputs.shapes import KUBECONFIG, walk
from kit_deployer.objects import Json, annotations_of, at

ALLOW_FAILURE: Final = "kit-deployer/allow-failure"
PLUGINS: Final = "/plugins"
"""Where a folder with exec plugins is mounted into the image."""

_PATHS: Final = ("tokenFile", "client-key", "client-certificate")
_EXEC_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_NAMED_FILES: Final = (
    ("cluster", "certificate-authority"),
    ("user", "client-certificate"),
    ("user", "client-key"),
    ("user", "tokenFile"),
)


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig's current context, resolved.

    `config` is the whole file, `cluster` and `user` the entries that the current context names; `namespace` the
    context's, else `default`. `plugin` is the full path of the exec plugin where the user needs one.
    """

    path: Path
    config: Json
    cluster_name: str
    cluster: Json
    user: Json
    namespace: str
    plugin: str | None = None

    @property
    def metadata_name(self) -> str | None:
        """`metadata.name`: what names the cluster folder, where it is given."""
        return at(self.config, "metadata", "name") or None

    @property
    def annotations(self) -> Mapping[str, str]:
        """`metadata.annotations` of the kubeconfig."""
        return annotations_of(self.config)

    @property
    def may_fail(self) -> bool:
        """Whether its annotation says that this cluster's failure does not make the run fail."""
        return self.annotations.get(ALLOW_FAILURE) == "true"

    @property
    def server(self) -> str:
        """The API server's address as written."""
        return str(self.cluster["server"])

    @property
    def identity(self) -> tuple[str, str]:
        """What no two targets may share: the server (spelling evened out) and the namespace."""
        parts = urlsplit(self.server)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}{parts.path.rstrip('/')}", self.namespace

    @property
    def insecure(self) -> bool:
        """Whether the server's certificate is not checked."""
        return bool(self.cluster.get("insecure-skip-tls-verify"))


def read_kubeconfig(path: Path, text: str, config: Any, *, search_path: str) -> Kubeconfig:
    """The current context of the kubeconfig at `path` (`config` is its parsed `text`).

    Raises `InputError` when it is not `kind: Config`, is not whole, or names a file or plugin that does not exist.
    `search_path` is where exec plugins are looked for before `/plugins`.
    """
    if not isinstance(config, dict) or config.get("kind") != "Config":
        raise _wrong(path, _why_no_config(text, config), "CONFIGS must match kubeconfigs only; narrow the pattern.")
    context_name = config.get("current-context")
    if not context_name:
        raise _wrong(path, "it has no current-context", "Set one: kubectl config use-context NAME.")
    context = _entry(path, config, "contexts", "context", context_name, "current-context")
    cluster_name = str(context.get("cluster") or "")
    cluster = _entry(path, config, "clusters", "cluster", cluster_name, f"context {context_name}")
    user_name = context.get("user")
    user = _entry(path, config, "users", "user", user_name, f"context {context_name}") if user_name else {}
    parts = {"metadata": config.get("metadata"), "context": context, "cluster": cluster, "user": user}
    for _, why in walk(parts, KUBECONFIG, ()):
        raise _wrong(path, why, None)
    if not _is_address(cluster.get("server")):
        raise _wrong(path, f"cluster {cluster_name} has no server with an http(s) address", None)
    for owner, name in _NAMED_FILES:
        _check_file(path, {"cluster": cluster, "user": user}[owner], name)
    return Kubeconfig(
        path=path,
        config=config,
        cluster_name=cluster_name,
        cluster=cluster,
        user=user,
        namespace=str(context.get("namespace") or "default"),
        plugin=_plugin(path, user, search_path),
    )


def _is_address(server: Any) -> bool:
    try:
        parts = urlsplit(server or "")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or brackets that do not close
        return False


def _why_no_config(text: str, config: Any) -> str:
    if isinstance(config, dict):
        return f"its kind is {config.get('kind') or 'missing'}, not Config"
    if not text.strip():
        return "the file is empty"
    return "it is no mapping with kind: Config"


def _entry(path: Path, config: Json, section: str, word: str, name: Any, named_by: str) -> Json:
    entries = config.get(section)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name:
            value = entry.get(word)
            return value if isinstance(value, dict) else {}
    raise _wrong(path, f"{named_by} names {word} {name!r}, which {section} does not hold", None)


def _check_file(path: Path, entry: Json, name: str) -> None:
    if name == "tokenFile" and entry.get("token"):
        return
    value = entry.get(name)
    if not value or entry.get(f"{name}-data"):
        return
    file = path.parent / str(value)
    try:
        there = file.is_file()
    except OSError as error:
        raise refused(error, file, f"The {name} that {path} names cannot be read", kind=InputError) from None
    if not there:
        raise _wrong(path, f"{name} names {file}, which does not exist", "Mount it, or use the inline form.")


def _plugin(path: Path, user: Json, search_path: str) -> str | None:
    config = user.get("exec")
    if not config:
        return None
    command = config.get("command")
    if not command or not all(item.get("name") and "value" in item for item in config.get("env") or []):
        raise _wrong(path, "its exec plugin has no command, or a variable without name or value", None)
    if config.get("apiVersion") not in _EXEC_VERSIONS:
        raise _wrong(
            path,
            f"its exec plugin's apiVersion is {config.get('apiVersion') or 'missing'}, and"
            f" {' and '.join(_EXEC_VERSIONS)} are what is spoken",
            "Write the kubeconfig anew with the provider's current tool.",
        )
    if config.get("interactiveMode") == "Always":
        raise _wrong(
            path,
            f"its exec plugin {command!r} wants a terminal (interactiveMode: Always), and a deploy has none",
            "Use a login that asks nobody: a service account's token, or the plugin's mode for machines.",
        )
    if "/" in command:
        # As kubectl does: a command with a slash is relative to the kubeconfig.
        found = shutil.which(str(path.parent / command))
        where = f"{path.parent / command} is no program that this process may start"
    else:
        found = shutil.which(command, path=os.pathsep.join((search_path, PLUGINS)))
        where = f"{command!r} is neither on PATH nor in {PLUGINS}, as a file that may be executed"
    if found is None:
        told = (
            f" Whoever wrote the kubeconfig says: {config['installHint'].strip()}" if config.get("installHint") else ""
        )
        raise _wrong(
            path,
            f"its exec plugin {where}",
            f"Mount a folder that holds it to {PLUGINS}, or derive an image that has it installed.{told}",
        )
    return found


def secrets_of(config: Json) -> Iterator[str]:
    """Everything in a kubeconfig that must not be printed, of all its users and proxies, the current ones or not."""
    for entry in _dicts(config.get("clusters")):
        yield from in_urls(str(at(entry, "cluster", "proxy-url") or ""))
    for entry in _dicts(config.get("users")):
        user = entry.get("user")
        for name, value in _texts(user if isinstance(user, dict) else {}):
            if name == "client-key-data":
                with contextlib.suppress(ValueError):
                    yield base64.b64decode(value).decode()
            if name == "client-key-data" or is_credential(name):
                yield value
            else:
                yield from (value[begin:end] for begin, end in credentials_in(value))
        plugin = at(user, "exec", "args")
        arguments = [item for item in plugin if isinstance(item, str)] if isinstance(plugin, list) else []
        for option, value in itertools.pairwise(arguments):
            if option.startswith("-") and is_credential(option):
                yield value


def _texts(holder: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a value with the name it goes by; a variable of `exec.env` goes by its own."""
    if isinstance(holder, str):
        yield name, holder
    elif isinstance(holder, dict):
        own = holder.get("name") if isinstance(holder.get("name"), str) else None
        for key, value in holder.items():
            if not str(key).endswith(_PATHS):
                yield from _texts(value, own if own and key == "value" else str(key))
    elif isinstance(holder, list):
        for item in holder:
            yield from _texts(item, name)


def _dicts(values: Any) -> Iterator[Json]:
    return (item for item in (values if isinstance(values, list) else []) if isinstance(item, dict))


def _wrong(path: Path, why: str, hint: str | None) -> InputError:
    return InputError(
        "The kubeconfig cannot be used",
        where=str(path),
        why=why,
        hint=f"{hint} Nothing was touched." if hint else "Nothing was touched.",
        file=str(path),
    )
