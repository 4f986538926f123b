# SPDX-License-Identifier: MIT
"""Everything that can be said of both files without running anything."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from kit_core.errors import InputError
from kit_core.yamlio import Position
from kit_pipeline.engine.options import host_options, ports
from kit_pipeline.files.checking import check
from kit_pipeline.files.find import Found, services_file, steps_file
from kit_pipeline.files.finding import Finding, Report
from kit_pipeline.files.loading import load_services, load_steps
from kit_pipeline.files.outside import look
from kit_pipeline.files.service import Service
from kit_pipeline.planning.tags import check_patterns, taken

T = TypeVar("T")


def validate(
    folder: Path,
    *,
    services_path: Path | None = None,
    steps_path: Path | None = None,
    ref: str | None = None,
    env: Mapping[str, str] | None = None,
    shown: Callable[[Path], str] = str,
) -> tuple[Finding, ...]:
    """What there is to say of the files of `folder`, in the order of their lines; none where all is well.

    Every step counts; with `ref` those of this branch or tag do, and an undefined service of another is a warning.
    `shown` makes of a path what stands in findings. A file that does not parse is a finding; the other is still read.
    Raises `InputError` where there is no file.
    """
    services_at, steps_at = services_file(folder, services_path), steps_file(folder, steps_path)
    findings: list[Finding] = []
    say = findings.append
    services = _read(
        lambda found, name: load_services(found, say, shown=name, env=env or {}), services_at, shown, findings.append
    )
    steps = _read(lambda found, name: load_steps(found, say, shown=name), steps_at, shown, findings.append)
    if steps is not None:
        check_patterns(steps, say)
    if services is not None:
        _options(services, say)
    if services is not None and steps is not None:
        check(services, steps, say, chosen=lambda step: ref is None or taken(step, ref))
        look(services_at.folder, services, steps, say)
    names = [shown(services_at.path), shown(steps_at.path)]
    return tuple(sorted(findings, key=lambda finding: _order(finding, names)))


def _read(load: Callable[[Found, str], T], found: Found, shown: Callable[[Path], str], report: Report) -> T | None:
    name = shown(found.path)
    try:
        return load(found, name)
    except InputError as error:
        place = Position(name, error.line or 1, error.column or 1)
        report(Finding("error", place, f"{error.what}: {error.why}" if error.why else error.what, error.hint))
        return None


def _options(services: Mapping[str, Service], report: Report) -> None:
    """What the engine would not take."""
    for service in services.values():
        for take in (host_options, ports):
            try:
                take(service.passed_on)
            except InputError as error:
                what = f"{error.what}: {error.why}" if error.why else error.what
                report(Finding("error", service.place, f"service {service.name}: {what}", error.hint))


def _order(finding: Finding, names: list[str]) -> tuple[int, int, int]:
    place = finding.place
    return (names.index(place.name) if place.name in names else 0, place.line, place.column)
