# SPDX-License-Identifier: MIT
"""Both files from a text, and everything that is said of them."""

from textwrap import dedent

from kit_pipeline.files.checking import check
from kit_pipeline.files.finding import Finding
from kit_pipeline.files.reading import parse_text
from kit_pipeline.files.service import Service
from kit_pipeline.files.services import read_services
from kit_pipeline.files.step import Step
from kit_pipeline.files.steps import read_steps


def services(text: str) -> tuple[dict[str, Service], list[str]]:
    """The services, and everything that is said of them."""
    found: list[Finding] = []
    read = read_services(parse_text(dedent(text), shown="s.yml"), found.append)
    return read, [str(finding) for finding in found]


def steps(text: str) -> tuple[tuple[Step, ...], list[str]]:
    """The steps, likewise."""
    found: list[Finding] = []
    read = read_steps(parse_text(dedent(text), shown="t.yml"), found.append)
    return read, [str(finding) for finding in found]


def both(first: str, second: str) -> list[str]:
    """What only the two files together tell."""
    found: list[Finding] = []
    check(services(first)[0], steps(second)[0], found.append)
    return [str(finding) for finding in found]
