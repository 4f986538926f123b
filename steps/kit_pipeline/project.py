# SPDX-License-Identifier: MIT
"""Both files of a repository, read and checked against each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit_pipeline.files.checking import check
from kit_pipeline.files.find import services_file, steps_file
from kit_pipeline.files.finding import Finding
from kit_pipeline.files.loading import load_services, load_steps
from kit_pipeline.files.service import Service
from kit_pipeline.files.step import Step
from kit_pipeline.planning.tags import check_patterns


@dataclass(frozen=True, kw_only=True)
class Project:
    """`folder` is where the services file lies: paths in it are relative to that. `findings` is all there is to say."""

    folder: Path
    services: Mapping[str, Service]
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    services_file: Path
    steps_file: Path | None


def load_project(
    folder: Path,
    *,
    services_path: Path | None = None,
    steps_path: Path | None = None,
    with_steps: bool = True,
    chosen: Callable[[Step], bool] = lambda _: True,
    env: Mapping[str, str] | None = None,
) -> Project:
    """Read the files of `folder`; without steps the services alone. `chosen` says which steps this run takes.

    `env` is the machine's environment, for a docker-compose.yml, in which `$NAME` is filled in.

    Raises `InputError` for files that are not there, or do not parse; what else is wrong is among the findings.
    """
    findings: list[Finding] = []
    services_at = services_file(folder, services_path)
    services = load_services(services_at, findings.append, shown=_shown(services_at.path, folder), env=env or {})
    steps: tuple[Step, ...] = ()
    steps_at: Path | None = None
    if with_steps:
        found = steps_file(folder, steps_path)
        steps_at = found.path
        steps = load_steps(found, findings.append, shown=_shown(steps_at, folder))
        check_patterns(steps, findings.append)
    check(services, steps, findings.append, chosen=chosen)
    return Project(
        folder=services_at.folder,
        services=services,
        steps=steps,
        findings=tuple(findings),
        services_file=services_at.path,
        steps_file=steps_at,
    )


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
