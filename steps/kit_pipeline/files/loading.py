# SPDX-License-Identifier: MIT
"""From a file that was found to what it says."""

from collections.abc import Mapping
from contextlib import suppress

from kit_core.errors import InputError
from kit_core.files import read_text
from kit_pipeline.files.find import Found
from kit_pipeline.files.finding import Report
from kit_pipeline.files.interpolation import env_values, fill_in
from kit_pipeline.files.reading import parse
from kit_pipeline.files.service import Service
from kit_pipeline.files.services import read_services
from kit_pipeline.files.step import Step
from kit_pipeline.files.steps import read_steps


def load_services(found: Found, report: Report, *, shown: str, env: Mapping[str, str]) -> dict[str, Service]:
    """The services. In a docker-compose.yml `$NAME` is filled in from `env`, else from the `.env` beside it.

    Raises `InputError` for a file that does not parse; `shown` is its name in everything that is said of it.
    """
    document = parse(found.path, shown=shown)
    if found.is_compose:
        document = fill_in(document, {**_beside(found), **env}, report)
    return read_services(document, report, compose=found.is_compose)


def load_steps(found: Found, report: Report, *, shown: str) -> tuple[Step, ...]:
    """The steps, likewise."""
    return read_steps(parse(found.path, shown=shown), report)


def _beside(found: Found) -> dict[str, str]:
    path = found.folder / ".env"
    with suppress(InputError):  # most have none
        return env_values(read_text(path, what="The env file"))
    return {}
