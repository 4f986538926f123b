# SPDX-License-Identifier: MIT
"""An empty folder in which `init` and `new` work."""

from collections.abc import Mapping
from pathlib import Path

from tests.unit.deploymentizer.workshop import Result, Workshop

BASE = "base-cluster.yaml"


class Place(Workshop):
    """A folder that is empty, instead of a workshop's repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def contents(folder: Path) -> Mapping[str, bytes]:
    """Every file outside the output."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "generated" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def good(result: Result) -> Result:
    assert result.code == 0, result.log
    assert "warning" not in result.log, result.log
    return result


def refused(place: Workshop, told: str, *arguments: str) -> None:
    """The command ends with 2 and this sentence, and not a byte is another."""
    before = contents(place.folder)
    result = place.run(*arguments)
    assert result.code == 2, result.log
    assert told in result.log
    assert contents(place.folder) == before
