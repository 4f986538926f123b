# SPDX-License-Identifier: MIT
"""The library: a repository's pipeline, planned and run."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_core.secrets import Masker, Secret
from kit_pipeline.files.finding import refuse
from kit_pipeline.planning.plan import Group
from kit_pipeline.planning.values import RunValues
from kit_pipeline.project import Project, load_project

if TYPE_CHECKING:
    from kit_pipeline.engine.connect import Client
    from kit_pipeline.engine.labels import Run
    from kit_pipeline.files.service import Service
    from kit_pipeline.running.printing import Printer
    from kit_pipeline.running.result import RunResult, TaskResult
    from kit_pipeline.running.run import Audience
    from kit_pipeline.running.shell import FailureShell
    from kit_pipeline.running.task import Workshop
    from kit_pipeline.running.terminal import Terminal
    from kit_pipeline.running.vault import Vault

T = TypeVar("T")


class Pipeline:
    """The pipeline of the repository in `folder`.

    `variables` are for every container; those named `CI_…` in `build` say what the run says of itself, in place of what
    git says. The key is `key`, else that of the file `key_path`, else of `codeship.aes` in the folder. `env` is the
    environment, of which containers get only what a file or `variables` names. `stop`, when set, ends a run.
    `failure_shell` makes what opens a shell in a failed step.
    Every method raises `KitError`: what cannot be is an `InputError`, what failed a `WorkError`.
    """

    def __init__(
        self,
        folder: Path | str = ".",
        *,
        services_path: Path | None = None,
        steps_path: Path | None = None,
        variables: Mapping[str, str] | None = None,
        build: Mapping[str, str] | None = None,
        secrets_file: Path | None = None,
        key: Secret | None = None,
        key_path: Path | None = None,
        env: Mapping[str, str] | None = None,
        printer: "Printer | None" = None,
        masker: Masker | None = None,
        stop: threading.Event | None = None,
        health_timeout: float = 3600.0,
        dockercfg_path: str | None = None,
        dockercfg_service: str | None = None,
        pull: bool = False,
        failure_shell: "Callable[[Client, Run], FailureShell] | None" = None,
    ) -> None:
        self.folder = Path(folder)
        self._services_path, self._steps_path = services_path, steps_path
        self._variables = dict(variables or {})
        self._build = dict(build or {})
        self._secrets_file, self._key, self._key_path = secrets_file, key, key_path
        self._env = dict(os.environ if env is None else env)
        self._printer = printer
        self._masker = masker or Masker()
        self._stop = stop or threading.Event()
        self._health_timeout = health_timeout
        self._dockercfg_path, self._dockercfg_service = dockercfg_path, dockercfg_service
        self._pull = pull
        self._failure_shell = failure_shell

    # Planning: nothing is touched

    def project(self, *, tag: str | None = None, with_steps: bool = True) -> Project:
        """Both files, read and checked; an undefined service of a step that `tag` leaves out is a warning only."""
        from kit_pipeline.planning.tags import taken

        return load_project(
            self.folder,
            services_path=self._services_path,
            steps_path=self._steps_path,
            with_steps=with_steps,
            chosen=lambda step: taken(step, tag),
            env=self._env,
        )

    def plan(
        self,
        project: Project,
        *,
        tag: str | None = None,
        push: bool = False,
        approve: bool = False,
        only: Sequence[str] = (),
        start: str | None = None,
        skip: Sequence[str] = (),
        local: bool = False,
    ) -> Group:
        """What a run is going to do; `local` leaves out what has `local: false`.

        Raises `InputError` for files with errors and steps that there are not.
        """
        from kit_pipeline.planning.choosing import choice
        from kit_pipeline.planning.expand import Wishes, choose, expand

        refuse(project.findings)
        chosen = choice(project.steps, only=only, start=start, skip=skip)
        wishes = Wishes(ref=tag, push=push, approve=approve, local=local, named=chosen.exactly)
        return choose(expand(project.steps, wishes), chosen.why_not)

    @cached_property
    def values(self) -> RunValues:
        """What the run says of itself: what was given, else what git says."""
        from kit_pipeline.repository import read_facts

        facts = read_facts(self.folder)
        given = self._build
        stamp = given.get("CI_TIMESTAMP")
        time = datetime.fromtimestamp(int(stamp), UTC) if stamp else datetime.now(UTC)
        return RunValues(
            branch=given.get("CI_BRANCH") or facts.branch,
            commit_id=given.get("CI_COMMIT_ID") or facts.commit,
            commit_message=given.get("CI_COMMIT_MESSAGE") or facts.message,
            commit_description=given.get("CI_COMMIT_DESCRIPTION") or facts.description,
            committer_name=given.get("CI_COMMITTER_NAME") or facts.committer_name,
            committer_email=given.get("CI_COMMITTER_EMAIL") or facts.committer_email,
            committer_username=given.get("CI_COMMITTER_USERNAME", ""),
            project_id=given.get("CI_PROJECT_ID", ""),
            build_id=given.get("CI_BUILD_ID") or self._run_name,
            repo_name=given.get("CI_REPO_NAME") or facts.name,
            pr_number=given.get("CI_PR_NUMBER", ""),
            pull_request=given.get("CI_PULL_REQUEST", ""),
            time=time,
        )

    # Running

    def run(
        self,
        plan: Group,
        project: Project,
        *,
        tell: "Callable[[TaskResult], None]" = lambda _: None,
        audience: "Audience | None" = None,
    ) -> "RunResult":
        """Do what a plan says; `tell` hears of each task's end, an `audience` of more, from any thread.

        Leaves nothing in the engine.
        """
        from kit_pipeline.running.run import run

        return self._with_workshop(
            project, lambda shop: run(plan, shop.perform, stop=self._stop, tell=tell, audience=audience)
        )

    def run_service(
        self,
        name: str,
        command: Sequence[str] = (),
        *,
        terminal: "Terminal | None" = None,
        aloud: Callable[[str], None] | None = None,
    ) -> "TaskResult":
        """Run one service's container, with what it needs beside it.

        Its program gets the `terminal`, if there is one; else `aloud` gets the lines of its output, whole and with
        whatever secrets are in them, and the printer those of its error stream.
        """
        from kit_pipeline.files.step import Step
        from kit_pipeline.planning.plan import Task

        project, service = self._service(name)
        step = Step(
            name=name, path=(1,), kind="run", place=service.place, services=(name,), command=tuple(command) or None
        )
        task = Task(step=step, service=name, number="1", name=name)
        return self._with_workshop(project, lambda shop: shop.perform(task), terminal=terminal, aloud=aloud)

    def load(self, name: str) -> str:
        """Build or pull the image of a service; its id or name."""
        project, service = self._service(name)
        return self._with_workshop(project, lambda shop: shop.load(service))

    def _service(self, name: str) -> "tuple[Project, Service]":
        project = self.project(with_steps=False)
        refuse(finding for finding in project.findings if finding.level == "error")
        if name not in project.services:
            likely = nearest(name, project.services)
            known = ", ".join(list(project.services)[:10]) or "none"
            raise InputError(
                f"There is no service {name}",
                where=project.services_file.name,
                hint=f"Did you mean `{likely}`?" if likely else f"There are {known}.",
            )
        return project, project.services[name]

    def _with_workshop(
        self,
        project: Project,
        work: "Callable[[Workshop], T]",
        *,
        terminal: "Terminal | None" = None,
        aloud: Callable[[str], None] | None = None,
    ) -> "T":
        from kit_pipeline.engine.cleanup import this_process
        from kit_pipeline.engine.connect import connect
        from kit_pipeline.engine.labels import Run, project_of
        from kit_pipeline.engine.paths import look_around, paths_of
        from kit_pipeline.running.session import session
        from kit_pipeline.running.task import Workshop, World

        vault = self._vault()
        given = {**self._secrets(vault), **self._variables}
        values = self.values
        client = connect(self._env)
        paths = paths_of(client, look_around())
        run = Run(self._run_name, this_process(paths.container))
        shell = self._failure_shell(client, run) if self._failure_shell else None
        world = World(
            client=client,
            run=run,
            services=project.services,
            folder=project.folder,
            project=project_of(project.folder, paths),
            values=values,
            vault=vault,
            paths=paths,
            printer=self.printer,
            given=given,
            machine=self._env,
            stop=self._stop,
            health_limit=self._health_timeout,
            dockercfg_path=self._dockercfg_path,
            dockercfg_service=self._dockercfg_service,
            pull=self._pull,
            on_failure=shell,
            terminal=terminal,
            aloud=aloud,
        )
        try:
            return session(
                lambda: work(Workshop(world)),
                client=client,
                run=run,
                project=world.project,
                stop=self._stop,
                undo=world.undo,
            )
        finally:
            for lent in (shell, terminal):
                if lent is not None:
                    lent.restore()
            client.close()

    @cached_property
    def printer(self) -> "Printer":
        """What prints the containers' lines; one that prints nothing, where none was given."""
        return self._printer or silent()

    def _secrets(self, vault: "Vault") -> dict[str, str]:
        if self._secrets_file is None:
            return {}
        return vault.variables(self._secrets_file, plain=True)

    @cached_property
    def _run_name(self) -> str:
        return os.urandom(4).hex()

    def _vault(self) -> "Vault":
        from kit_pipeline.running.vault import Vault
        from kit_pipeline.sealing.keys import find_key

        learn = self._masker.add
        return Vault(lambda: find_key(self._key, self._key_path, (self.folder,), learn), learn)


def silent() -> "Printer":
    """Prints nothing: for those who want the result alone."""
    import io

    from kit_pipeline.running.printing import Printer

    return Printer(io.StringIO(), mask=lambda text: text, colour=False)
