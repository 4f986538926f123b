# SPDX-License-Identifier: MIT
"""The library: from where things lie to what a deploy did, for pipelines of one's own."""

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kit_core.console import Console
from kit_core.errors import InputError
from kit_core.secrets import Masker, Secret
from kit_deployer.desired.annotate import FAST_ROLLBACK, Writing, check_label_value
from kit_deployer.inputs.targets import find_targets
from kit_deployer.listeners.listener import Listener
from kit_deployer.options import Options
from kit_deployer.result import RunResult

if TYPE_CHECKING:
    from kit_deployer.inputs.reading import Inputs
    from kit_deployer.inputs.targets import Targets
    from kit_deployer.status.model import FleetStatus

CONFIGS: Final = "/configs/**/kubeconfig{,.yaml,.yml}"


class Deployer:
    """Deploys cluster folders.

    >>> from kit_deployer import Deployer, Options, Waiting
    >>> deployer = Deployer(configs="clusters/*/kubeconfig", manifests_dir="generated", commit="4f2a91c")
    >>> result = deployer.run(Options(dry_run=False, waiting=Waiting(enabled=True)))  # doctest: +SKIP
    >>> result.exit_code, [cluster.counts for cluster in result.clusters]  # doctest: +SKIP

    `configs` is a glob of kubeconfigs; `manifests_dir` and `namespaces_dir` hold a folder a cluster. `aes_key` decrypts
    kubeconfigs; without it `codeship.aes` is looked for in `cwd`, where `configs` begins, and beside `manifests_dir`.
    `console` gets the log (none by default), with everything that `masker` knows hidden; `env` is where proxies, PATH
    and a plugin's variables come from, `stop` ends a run early, and `listener` is told how the run goes on.
    """

    def __init__(
        self,
        *,
        configs: str = CONFIGS,
        manifests_dir: str | Path = "/manifests",
        namespaces_dir: str | Path = "/namespaces",
        commit: str | None = None,
        require_all: bool = False,
        aes_key: Secret | None = None,
        ca_cert: Path | None = None,
        console: Console | None = None,
        masker: Masker | None = None,
        env: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
        listener: Listener | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._configs = configs
        self._manifests_dir = Path(manifests_dir)
        self._namespaces_dir = Path(namespaces_dir)
        self._commit = commit
        self._require_all = require_all
        self._aes_key = aes_key
        self._cwd = cwd or Path.cwd()
        self._ca_cert = ca_cert
        self._masker = masker or Masker()
        self._env = dict(os.environ) if env is None else env
        self._console = console or _silent(self._masker)
        self._stop = stop or threading.Event()
        self._listener = listener

    def run(self, options: Options | None = None) -> RunResult:
        """Deploy (by default: a dry run) and say what was done; failures of clusters are in the result.

        Raises `InputError` where settings, kubeconfigs or manifests are wrong: nothing was touched then.
        """
        from kit_deployer.fleet import Fleet

        options = _complete(options or Options(), self._commit)
        found, inputs = self._read(options)
        fleet = Fleet(
            inputs,
            options,
            self._console,
            stop=self._stop,
            env=self._env,
            ca_cert=self._ca_cert,
            secret_found=self._masker.add,
            listener=self._listener,
        )
        return replace(fleet.run(), warnings=found.warnings)

    def status(self, options: Options | None = None) -> "FleetStatus":
        """How the clusters are, compared with their folders; nothing is written. Raises `InputError`."""
        from kit_deployer.status.fleet import Onlooker

        options = _complete(options or Options(), self._commit)
        _, inputs = self._read(options)
        onlooker = Onlooker(
            options=options,
            console=self._console,
            stop=self._stop,
            env=self._env,
            ca_cert=self._ca_cert,
            secret_found=self._masker.add,
        )
        return onlooker.look_at(inputs)

    def _read(self, options: Options) -> "tuple[Targets, list[Inputs]]":
        """The clusters and their folders, with every warning told. Raises `InputError`."""
        from kit_deployer.inputs.reading import read_inputs
        from kit_deployer.inputs.secrets import secret_values
        from kit_deployer.inputs.unlocking import Unlocker, key_folders

        found = find_targets(
            configs=self._configs,
            manifests_dir=self._manifests_dir,
            namespaces_dir=self._namespaces_dir,
            require_all=self._require_all,
            search_path=self._env.get("PATH", os.defpath),
            read=Unlocker(
                self._aes_key, key_folders(self._configs, self._manifests_dir, self._cwd), self._masker.add
            ).read,
            secret_found=self._masker.add,
        )
        names = {target.name for target in found.targets}
        for setting, given in (("KIT_ALLOW_FAILURE", options.allow_failure), ("KIT_FREEZE", options.freeze)):
            unknown = sorted(set(given) - names)
            if unknown:
                self._console.warning(f"{setting} names {', '.join(unknown)}, and this run deploys to no such cluster")
        for warning in found.warnings:
            self._console.warning(warning)
        inputs = read_inputs(
            found.targets,
            manifests_dir=self._manifests_dir,
            writing=options.writing,
            selector=options.selector,
            console=self._console,
        )
        for value in secret_values(inputs):
            self._masker.add(value)
        return found, inputs


def _complete(options: Options, commit: str | None) -> Options:
    """The options with the run's time and commit; refuses what cannot be done. Raises `InputError`."""
    writing = options.writing
    if writing.strategy == FAST_ROLLBACK:
        _check_fast_rollback(writing)
    check_label_value("DEPLOY_ID", writing.deploy_id)
    check_label_value("RESOURCE", writing.resource)
    now = writing.now or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return replace(options, writing=replace(writing, now=now, commit=writing.commit or commit))


def _check_fast_rollback(writing: Writing) -> None:
    if not writing.deploy_id:
        why = "fast-rollback gives every deploy Deployments of its own, named after DEPLOY_ID, and that is not set"
        hint = "Set DEPLOY_ID to what tells this deploy from others: a build's number, or a commit."
    elif writing.raw:
        why = "fast-rollback renames Deployments, and RAW=true leaves manifests as they are"
        hint = "Leave one of the two out."
    else:
        return
    raise InputError("The settings are wrong", why=why, hint=f"{hint} Nothing was touched.")


def _silent(masker: Masker) -> Console:
    import io

    from kit_core.ci import NONE

    return Console(stderr=io.StringIO(), stdout=io.StringIO(), env={}, provider=NONE, masker=masker)
