# SPDX-License-Identifier: MIT
"""Which cluster: kubeconfigs and cluster folders become targets, or one sentence says why they do not."""

import glob
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit_core.errors import InputError
from kit_deployer.inputs.kubeconfig import Kubeconfig, read_kubeconfig, secrets_of
from kit_deployer.inputs.manifests import manifest_files


@dataclass(frozen=True)
class Target:
    """One cluster folder and the kubeconfig that leads to where it is deployed."""

    name: str
    kubeconfig: Kubeconfig
    manifests: Path
    namespaces: Path

    @property
    def server(self) -> str:
        """The API server's address."""
        return self.kubeconfig.server

    @property
    def namespace(self) -> str:
        """Where objects go whose manifest names no namespace."""
        return self.kubeconfig.namespace


@dataclass(frozen=True)
class Targets:
    """What is deployed, and what a person must be told about the rest."""

    targets: tuple[Target, ...]
    warnings: tuple[str, ...]


def find_targets(
    *,
    configs: str,
    manifests_dir: Path,
    namespaces_dir: Path,
    require_all: bool,
    search_path: str,
    read: Callable[[Path], str],
    secret_found: Callable[[str], None],
) -> Targets:
    """Read the kubeconfigs that `configs` matches and pair them with the folders of `manifests_dir`.

    `read` gives a kubeconfig's text, decrypted; `secret_found` is told of everything in it that must not be printed.
    Raises `InputError` for everything that exit code 2 stands for; nothing has been touched then.
    """
    kubeconfigs = [_read(path, read(path), search_path, secret_found) for path in matching_files(configs)]
    if not kubeconfigs:
        raise InputError(
            "No kubeconfig was found",
            why=f"no file matches CONFIGS={configs}",
            hint="Mount the kubeconfigs there, or point CONFIGS at them (quoted, so that no shell expands it).",
        )
    if not manifests_dir.is_dir():
        raise InputError(
            "There are no manifests",
            why=f"MANIFESTS_DIR={manifests_dir} is no folder",
            hint="Mount the rendered manifests there, one folder a cluster.",
        )
    found = pair(
        kubeconfigs,
        cluster_folders(manifests_dir),
        manifests_dir=manifests_dir,
        namespaces_dir=namespaces_dir,
        require_all=require_all,
    )
    if not found.targets:
        raise InputError(
            "Nothing would be deployed: no kubeconfig belongs to a folder of manifests",
            why="; ".join(found.warnings),
            hint="A kubeconfig's metadata.name, or else the folder it lies in, names its folder of manifests; are both"
            " mounts right? Nothing was touched.",
        )
    return _with_empty(found, require_all=require_all)


def _with_empty(found: Targets, *, require_all: bool) -> Targets:
    """A folder without a manifest is as good as none: told the same way, and deployed, so that leftovers show."""
    empty = [target for target in found.targets if not manifest_files(target.manifests)]
    warnings = [
        f"kubeconfig {target.kubeconfig.path} ({target.name}) has no manifests: folder {target.manifests} holds none"
        for target in empty
    ]
    if warnings and require_all:
        raise _incomplete(warnings)
    return Targets(found.targets, (*found.warnings, *warnings))


def _incomplete(missing: Sequence[str]) -> InputError:
    return InputError(
        "Not every cluster has both manifests and a kubeconfig",
        why="; ".join(missing),
        hint="KIT_REQUIRE_ALL=true wants both; add what is missing or turn it off. Nothing was touched.",
    )


def matching_files(pattern: str) -> list[Path]:
    """The files that a glob with `**` and `{a,b}` matches, sorted, each once; hidden folders are left out."""
    found = {Path(name) for part in expand_braces(pattern) for name in glob.glob(part, recursive=True)}  # noqa: PTH207
    return sorted(path for path in found if path.is_file())


def expand_braces(pattern: str) -> list[str]:
    """`a{b,c}` as `ab` and `ac`; without braces the pattern itself."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if match is None:
        return [pattern]
    head, tail = pattern[: match.start()], pattern[match.end() :]
    wholes = [whole for part in match[1].split(",") for whole in expand_braces(head + part + tail)]
    return list(dict.fromkeys(wholes))


def cluster_folders(manifests_dir: Path) -> list[str]:
    """The names of the folders that hold a cluster's manifests."""
    return sorted(path.name for path in manifests_dir.iterdir() if path.is_dir() and not path.name.startswith("."))


def pair(
    kubeconfigs: Iterable[Kubeconfig],
    folders: Sequence[str],
    *,
    manifests_dir: Path,
    namespaces_dir: Path,
    require_all: bool,
) -> Targets:
    """Give every kubeconfig its cluster folder. Pure; see `find_targets`."""
    named = [(cluster_name(kubeconfig, folders), kubeconfig) for kubeconfig in kubeconfigs]
    problems = _twice(named)
    if problems:
        raise InputError(
            "The kubeconfigs are ambiguous",
            why="; ".join(problems),
            hint="Give each its own metadata.name, and its own server or namespace. Nothing was touched.",
        )
    names = {name for name, _ in named}
    missing = [
        f"kubeconfig {kubeconfig.path} ({name}) has no manifests: there is no folder {manifests_dir / name}"
        for name, kubeconfig in named
        if name not in folders
    ]
    missing += [
        f"folder {manifests_dir / folder} has no kubeconfig: nothing of it is deployed"
        for folder in folders
        if folder not in names
    ]
    if missing and require_all:
        raise _incomplete(missing)
    targets = tuple(
        Target(name, kubeconfig, manifests_dir / name, namespaces_dir / name)
        for name, kubeconfig in sorted(named, key=lambda item: item[0])
        if name in folders
    )
    return Targets(targets, tuple(missing))


def cluster_name(kubeconfig: Kubeconfig, folders: Sequence[str]) -> str:
    """`metadata.name`; else the folder that holds the file, where it has manifests; else the context's cluster."""
    name = kubeconfig.metadata_name
    if name is None:
        # As written, not resolved: mounted secrets are links into hidden folders.
        holder = kubeconfig.path.absolute().parent.name
        name = holder if holder in folders else kubeconfig.cluster_name
    if any(part in {"", ".", ".."} for part in name.split("/")):
        raise InputError(
            "The kubeconfig's name is no folder's name",
            where=str(kubeconfig.path),
            why=f"{name!r} leads out of the manifests",
            hint="Give it a plain metadata.name. Nothing was touched.",
            file=str(kubeconfig.path),
        )
    return name


def _twice(named: Sequence[tuple[str, Kubeconfig]]) -> list[str]:
    problems = []
    by_name: dict[str, Kubeconfig] = {}
    by_identity: dict[tuple[str, str], Kubeconfig] = {}
    for name, kubeconfig in named:
        other = by_name.setdefault(name, kubeconfig)
        if other is not kubeconfig:
            problems.append(f"{other.path} and {kubeconfig.path} are both named {name}")
        other = by_identity.setdefault(kubeconfig.identity, kubeconfig)
        if other is not kubeconfig and by_name[name] is kubeconfig:
            server, namespace = kubeconfig.identity
            problems.append(f"{other.path} and {kubeconfig.path} both lead to namespace {namespace} of {server}")
    return problems


def _read(path: Path, text: str, search_path: str, secret_found: Callable[[str], None]) -> Kubeconfig:
    from kit_core.yamlio import load_documents

    documents = load_documents(text, name=str(path))
    config = documents[0].value if documents else None
    for secret in secrets_of(config if isinstance(config, dict) else {}):
        secret_found(secret)
    return read_kubeconfig(path, text, config, search_path=search_path)
