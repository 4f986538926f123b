# SPDX-License-Identifier: MIT
"""What several commands begin with."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from kit_core.ci import in_ci
from kit_core.entry import Context
from kit_core.errors import InputError
from kit_pipeline.api import Pipeline
from kit_pipeline.files.finding import Finding, refuse
from kit_pipeline.running.printing import Printer
from kit_pipeline.settings import PipelineSettings

if TYPE_CHECKING:
    from kit_pipeline.engine.connect import Client
    from kit_pipeline.engine.labels import Run
    from kit_pipeline.running.shell import FailureShell
    from kit_pipeline.running.terminal import Terminal


def pipeline_of(settings: PipelineSettings, context: Context) -> Pipeline:
    """The library with these settings."""
    folder = context.cwd / settings.dir
    if not folder.is_dir():
        raise InputError("There is no such folder", where=str(settings.dir), hint="--dir names the repository's.")
    return Pipeline(
        folder,
        services_path=settings.services_path,
        steps_path=settings.steps_path,
        variables=variables_of(settings.env, context.env),
        build=build_of(settings, context),
        secrets_file=context.cwd / settings.secrets_file if settings.secrets_file else None,
        key=settings.codeship_aes_key,
        key_path=context.cwd / settings.key_path if settings.key_path else None,
        env=context.env,
        printer=printer_of(settings, context),
        masker=context.masker,
        stop=context.stop,
        health_timeout=settings.health_timeout,
        dockercfg_path=str(context.cwd / settings.encrypted_dockercfg_path)
        if settings.encrypted_dockercfg_path
        else None,
        dockercfg_service=settings.dockercfg_service,
        pull=settings.pull_if_present,
        failure_shell=_failure_shell(context) if settings.shell_on_failure else None,
    )


def variables_of(given: Iterable[str], env: Mapping[str, str]) -> dict[str, str]:
    """What `-e` names: `KEY=VALUE`, or `KEY`, whose value is that of `env`. Raises `InputError`."""
    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not name or " " in name:
            raise InputError("-e is wrong", why=f"{name!r} is no name of a variable", hint="Write -e KEY=VALUE.")
        if equals:
            found[name] = value
        elif name in env:
            found[name] = env[name]
    return found


def build_of(settings: PipelineSettings, context: Context) -> dict[str, str]:
    """What was said of the build, by the variables that containers get it in."""
    found = {
        "CI_BRANCH": _branch(settings, context),
        "CI_COMMIT_ID": settings.ci_commit_id,
        "CI_COMMIT_MESSAGE": settings.ci_commit_message,
        "CI_COMMIT_DESCRIPTION": settings.ci_commit_description,
        "CI_COMMITTER_NAME": settings.ci_committer_name,
        "CI_COMMITTER_EMAIL": settings.ci_committer_email,
        "CI_COMMITTER_USERNAME": settings.ci_committer_username,
        "CI_PROJECT_ID": settings.ci_project_id,
        "CI_BUILD_ID": settings.ci_build_id,
        "CI_REPO_NAME": settings.ci_repo_name,
        "CI_PR_NUMBER": settings.ci_pr_number,
        "CI_PULL_REQUEST": None if settings.ci_pull_request == "false" else settings.ci_pull_request,
        "CI_TIMESTAMP": None if settings.ci_timestamp is None else str(settings.ci_timestamp),
    }
    return {name: value for name, value in found.items() if value is not None}


def _branch(settings: PipelineSettings, context: Context) -> str | None:
    """An option or `CI_BRANCH`, else what `--tag` says, else what the CI service calls it."""
    source = context.given.get("ci_branch", "")
    if settings.ci_branch and source in {"--ci-branch", "KIT_CI_BRANCH", "CI_BRANCH"}:
        return settings.ci_branch
    branch = settings.tag or settings.ci_branch
    return branch.removeprefix("origin/") if branch and source == "GIT_BRANCH" else branch


def local(settings: PipelineSettings, context: Context) -> bool:
    """Whether this is a run on a person's machine."""
    return not in_ci(context.env) if settings.local is None else settings.local


def printer_of(settings: PipelineSettings, context: Context) -> Printer:
    """What prints the containers' lines."""
    folder = context.cwd / settings.log_dir if settings.log_dir else None
    return Printer(context.console, mask=context.masker.mask, colour=context.console.colour, folder=folder)


def terminal_of(context: Context) -> "Terminal":
    """The terminal that we are on, if we are on one."""
    from kit_pipeline.running.terminal import Terminal

    return Terminal(context.console, sys.stdin, context.stdout, stop=context.stop)


def _failure_shell(context: Context) -> "Callable[[Client, Run], FailureShell]":
    """What opens a shell in a failed step, on the terminal that we are on."""

    def make(client: "Client", run: "Run") -> "FailureShell":
        from kit_pipeline.running.shell import FailureShell

        shell = FailureShell(client, run, context.console, terminal_of(context), stop=context.stop)
        if reason := shell.why_not():
            context.console.warning(f"--shell-on-failure opens no shell: {reason}")
        return shell

    return make


def tell(findings: Iterable[Finding], context: Context) -> None:
    """Print what there is to say of the files: warnings, and notes. Raises `InputError` where there are errors."""
    findings = tuple(findings)
    for finding in findings:
        text = f"{finding.place}: {finding.what}." + (f" {finding.hint}" if finding.hint else "")
        if finding.level == "warning":
            context.console.warning(text, file=finding.place.name, line=finding.place.line)
        elif finding.level == "note":
            context.console.info(f"note: {text}")
    refuse(findings)
