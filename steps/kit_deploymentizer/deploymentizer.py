# SPDX-License-Identifier: MIT
"""The step as a library: settings and a world in, a plan or a report out."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit_core.errors import InputError, KitError
from kit_core.keys import KEY_FILE, Key, read_key
from kit_core.names import nearest
from kit_core.settings import secret_files, without_secrets
from kit_deploymentizer.checks.inspect import Inspector
from kit_deploymentizer.checks.stale import stale_workloads
from kit_deploymentizer.explain.places import Explained, Explainer
from kit_deploymentizer.inputs.checking import check_duplicates, check_repository
from kit_deploymentizer.inputs.encrypted import Unlocker, key_folders
from kit_deploymentizer.inputs.limits import check_combination, nothing_there, shard_of
from kit_deploymentizer.inputs.reading import placed
from kit_deploymentizer.inputs.repository import Repository, read_repository
from kit_deploymentizer.outcome import RenderError, Report
from kit_deploymentizer.output.commit import checked_out_commit
from kit_deploymentizer.output.guard import refuse_elsewhere
from kit_deploymentizer.output.index import HIDDEN
from kit_deploymentizer.output.remembered import Remembered
from kit_deploymentizer.output.reuse import Earlier, Keys, made_by, with_a_say
from kit_deploymentizer.output.scope import Limits
from kit_deploymentizer.output.write import Writer
from kit_deploymentizer.plan import Plan
from kit_deploymentizer.planner import Planner
from kit_deploymentizer.problems import Problems
from kit_deploymentizer.rendering.templates import service_templates
from kit_deploymentizer.rendering.view import Deployment, Sight
from kit_deploymentizer.settings import DeploymentizerSettings
from kit_deploymentizer.sources import World
from kit_deploymentizer.sources.opening import open_sources
from kit_deploymentizer.sources.together import Together

if TYPE_CHECKING:
    from kit_deploymentizer.checks.openapi import OpenApi
    from kit_deploymentizer.diff.difference import Difference
    from kit_deploymentizer.lint.finding import Finding


class Deploymentizer:
    """Renders a deployments repository.

    `env` is where external values come from (default: the process environment), `cwd` where relative paths of the
    settings begin, `learn_secret` is told of every external value so that a log can mask it. `strict` says that
    VALIDATE=error was asked for and not merely the default; `waiting` (`Console.waiting`) is entered while sources are
    asked, with what says whose answers are awaited.
    """

    def __init__(
        self,
        settings: DeploymentizerSettings,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        learn_secret: Callable[[str], None] = lambda _value: None,
        strict: bool = False,
        waiting: Callable[[Callable[[], str]], AbstractContextManager[None]] = lambda _told: nullcontext(),
    ) -> None:
        self._settings = settings
        self._env = os.environ if env is None else env
        self._cwd = cwd or Path.cwd()
        self._learn_secret = learn_secret
        self._strict = strict
        self._waiting = waiting
        self._unlocker = Unlocker(self._key, learn_secret, placeholders=settings.placeholders)
        self._repository: Repository | None = None
        self._remembered: Remembered | None = None

    @property
    def repository(self) -> Repository:
        """The repository, read once. Raises `InputError`."""
        if self._repository is None:
            settings = self._settings

            check_combination(settings)

            def wanted(name: str, type_name: str) -> bool:
                return settings.cluster_name in {None, name} and settings.cluster_type in {None, type_name}

            shard, unlocked = shard_of(settings.shard), self._unlocker.unlocked
            secrets = self._secret_files() if settings.placeholders else None
            known = self._earlier_parsing if settings.save and settings.incremental and secrets is None else None
            self._repository = read_repository(
                settings.conf, settings.workdir, self._cwd, wanted, unlocked, shard, secrets, known
            )
        return self._repository

    def _earlier_parsing(self, output: Path) -> Remembered:
        self._remembered = Remembered.read(output / HIDDEN, made_by())
        return self._remembered

    def plan(self, *, again: bool = True, brief: bool = False) -> Plan:
        """Render everything, in memory. What is wrong is in the plan's problems.

        Not `again`, what an earlier run left in the output and what is as good as new is not rendered once more: its
        outputs are `kept`, and where it is `brief`, left out of clusters that have a `rest`. Raises `InputError` where
        the repository cannot be read at all.
        """
        settings, repository, problems = self._settings, self.repository, Problems()
        check_repository(repository, problems, settings.validate)
        self._check_limits(repository, problems)
        sight = self.sight()
        clusters = [cluster for cluster in repository.clusters if not cluster.disabled]
        if isinstance(sight.source, Together) and sight.source.is_slow:
            with self._waiting(sight.source.awaited):
                sight.source.ask_all(question for cluster in clusters for question in sight.questions(cluster))
        api, digest = self._api()
        reuse = self._reuse(repository, digest, look=not again and settings.save and settings.incremental, brief=brief)
        planner = Planner(repository, sight, problems, settings.validate, reuse)
        inspector = Inspector(
            problems, settings.validate, lenient=not self._strict, checksum=settings.config_checksum, api=api
        )
        plans = tuple(inspector.inspect(planner.plan(cluster)) for cluster in clusters)
        if settings.validate != "off":
            check_duplicates(repository, problems)
        return Plan(plans, problems.all())

    def run(self, plan: Plan | None = None) -> Report:
        """Write the plan (made now, if none is given) and say what changed.

        Raises `RenderError` where it has errors: then nothing is written, and the earlier output stays.
        """
        plan = plan or self.plan(again=False, brief=True)
        if plan.errors:
            raise RenderError(plan.errors)
        settings, paths = self._settings, self.repository.paths
        names = tuple(cluster.name for cluster in plan.clusters)
        if not settings.save:
            return Report(paths.output, names, (), (), (), False, plan.problems)
        refuse_elsewhere(paths.output, self.repository.reader.boundary)
        limits = self._limits()
        done = Writer(paths.output, self.repository.inputs).write(
            plan.clusters,
            commit=checked_out_commit(paths.base),
            limits=limits,
            clean=settings.clean,
            parsed=self._remembered.text() if self._remembered and limits == Limits() else None,
        )
        stale = {} if settings.config_checksum else stale_workloads(plan.clusters, done.changed)
        return Report(
            output=paths.output,
            clusters=names,
            written=tuple(done.written),
            unchanged=tuple(done.unchanged),
            removed=tuple(done.removed),
            saved=True,
            problems=plan.problems,
            stale=stale,
        )

    def explain(
        self, cluster: str, resource: str, warn: Callable[[str], None] = lambda _text: None
    ) -> tuple[Explained, ...]:
        """Every value that the resource's template sees in that cluster, with what set it and what that overrode.

        No external value is needed, and none is shown; `warn` is told what is left out, since only a program, a service
        or a key knows it. Raises `InputError` for a cluster or resource that is not there, and whatever making the view
        raises.
        """
        if not self._settings.placeholders:
            blind = replace(self._settings, placeholders=True)
            return Deploymentizer(blind, env=self._env, cwd=self._cwd).explain(cluster, resource, warn)
        settings, unlocked = self._settings, self._unlocker.unlocked
        repository = read_repository(
            settings.conf,
            settings.workdir,
            self._cwd,
            lambda name, _type: name == cluster,
            unlocked,
            secrets=self._secret_files(),
        )
        if not repository.clusters:
            raise _not_there("cluster", cluster, repository.names)
        there = repository.clusters[0]
        if not isinstance(there.resources.get(resource), dict):
            raise _not_there("resource", resource, there.resources, where=f"cluster {cluster}")
        try:
            return Explainer(repository, self.sight(repository), warn).explain(there, resource)
        except KitError as error:
            raise placed(error, there.layers.place("resources", resource)) from None

    def diff(self, against: str | None = None) -> "Difference":
        """What this state of the repository changes in the manifests of every cluster, compared with `against`: a
        git reference or a folder that holds an earlier output (default: the checked out commit).

        No secret is needed, and none is in it. Raises `RenderError` where the repository has errors, `InputError` where
        there is nothing to compare with.
        """
        from kit_deploymentizer.diff.comparing import Comparison

        return Comparison(self._settings, self._env, self._cwd, against).difference()[0]

    def lint(self) -> "tuple[Finding, ...]":
        """What of the whole repository nobody uses, or could be written once. No secret is needed, no source asked.

        Raises `InputError` where the repository cannot be read.
        """
        from kit_deploymentizer.lint.unused import Linter, clusters_without_type

        whole = self.whole()
        settings = self._settings
        found = clusters_without_type(settings.conf, settings.workdir, self._cwd, self._secret_files())
        return tuple(found) or Linter(whole.repository, whole.sight()).findings()

    def whole(self) -> "Deploymentizer":
        """The same without limits and without any secret: all clusters, all resources, placeholders."""
        unlimited: dict[str, Any] = dict.fromkeys(("resource", "cluster_name", "cluster_type", "shard", "deploy_id"))
        settings = replace(self._settings, placeholders=True, fast_rollback=False, commit_id=None, **unlimited)
        return Deploymentizer(settings, env=self._env, cwd=self._cwd)

    def sight(self, repository: Repository | None = None) -> Sight:
        """What views of the repository (this run's, if none is given) are made with. Raises `InputError`."""
        settings, repository = self._settings, repository or self.repository
        return Sight(
            images=repository.images,
            env=self._env,
            deployment=Deployment(settings.deploy_id, settings.fast_rollback, settings.commit_id, settings.resource),
            source=self._source(repository),
            learn_secret=self._learn_secret,
            placeholders=settings.placeholders,
        )

    def _source(self, repository: Repository) -> Together | None:
        settings = self._settings
        world = World(
            env=self._env,
            folder=repository.paths.root,
            env_api_url=settings.envapi_url,
            env_api_token=settings.envapi_access_token,
            ca_cert=settings.ca_cert,
            learn_secret=self._learn_secret,
            unlocker=self._unlocker,
            program_env=without_secrets(DeploymentizerSettings, self._env),
            placeholders=settings.placeholders,
            boundary=repository.reader.boundary,
        )
        return open_sources(repository.kit, world)

    def _api(self) -> "tuple[OpenApi | None, str | None]":
        """What objects are held against, and its digest. Raises `InputError`."""
        settings = self._settings
        if settings.openapi is None or settings.validate == "off":
            return None, None
        from kit_deploymentizer.checks.openapi import OpenApi
        from kit_deploymentizer.inputs.openapi import read_openapi

        document = read_openapi(self._cwd / settings.openapi, self.repository.reader.boundary)
        return OpenApi(document.schemas), document.digest

    def _reuse(self, repository: Repository, api: str | None, *, look: bool, brief: bool) -> Earlier:
        settings, paths = self._settings, repository.paths
        services, key = service_templates(paths.resources), self._unlocker.fingerprint
        said = (*with_a_say(settings), self._strict, api, services, key)
        keys = Keys(repository.reader.digests, said)
        return Earlier(paths.output, keys, whole=settings.config_checksum, look=look, brief=brief)

    def _limits(self) -> Limits:
        """A shard removes what its disabled clusters left, and the first one what clusters left that are gone."""
        settings, repository = self._settings, self.repository
        shard = shard_of(settings.shard)
        if shard is None or settings.cluster_type or settings.resource:
            return Limits(settings.resource, bool(settings.cluster_name or settings.cluster_type or shard))
        disabled = {cluster.name for cluster in repository.clusters if cluster.disabled}
        return Limits(
            clusters=True, gone=lambda name: name in disabled or (shard.is_first and name not in repository.names)
        )

    def _key(self) -> Key:
        given, folders = self._settings.codeship_aes_key, key_folders(self._settings, self._cwd)
        return read_key(given, folders=folders, learn_secret=self._learn_secret)

    def _secret_files(self) -> tuple[Path, ...]:
        """Files that nobody's template may show."""
        keys = (folder / KEY_FILE for folder in key_folders(self._settings, self._cwd))
        return (*keys, *secret_files(DeploymentizerSettings, self._env))

    def _check_limits(self, repository: Repository, problems: Problems) -> None:
        told = None if repository.clusters else nothing_there(self._settings, repository.names)
        if told:
            problems.warn(told)


def _not_there(what: str, name: str, known: Iterable[str], where: str | None = None) -> KitError:
    names = sorted(known)
    meant = nearest(name, names)
    hint = f"Is {meant} meant?" if meant else f"There are {', '.join(names)}." if names else None
    return InputError(f"there is no {what} {name}", where=where, hint=hint)
