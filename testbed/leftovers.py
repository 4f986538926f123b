# SPDX-License-Identifier: MIT
"""What is there of testbeds on this engine, by label, and how it is removed."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from testbed import owner
from testbed.container import LABEL, OWNER_LABEL, PART_LABEL
from testbed.docker import Progress, docker


@dataclass(frozen=True)
class Part:
    """A container of a testbed, as Docker tells it."""

    bed: str
    part: str
    container: str
    running: bool
    status: str
    ports: str


@dataclass(frozen=True)
class Found:
    """A testbed that exists: its id, its owner's label ("" when its network is gone) and its containers."""

    bed: str
    owner: str
    parts: tuple[Part, ...]

    @property
    def is_leftover(self) -> bool:
        """Nobody uses it any more: its process has ended, or the engine was killed under it."""
        if owner.is_gone(self.owner):
            return True
        nobody_runs = bool(self.parts) and not any(part.running for part in self.parts)
        return nobody_runs and self.owner in {owner.DETACHED, ""}


def find() -> list[Found]:
    """Every testbed of this engine, by id."""
    owners = {
        line["bed"]: line["owner"]
        for line in _lines(
            "network", "ls", "--filter", f"label={LABEL}", "--format",
            '{"bed": "{{.Label "' + LABEL + '"}}", "owner": "{{.Label "' + OWNER_LABEL + '"}}"}',
        )
    }  # fmt: skip
    parts = [
        Part(line["bed"], line["part"], line["name"], line["state"] == "running", line["status"], line["ports"])
        for line in _lines(
            "ps", "--all", "--filter", f"label={LABEL}", "--format",
            '{"bed": "{{.Label "' + LABEL + '"}}", "part": "{{.Label "' + PART_LABEL + '"}}", "name": "{{.Names}}", '
            '"state": "{{.State}}", "status": "{{.Status}}", "ports": "{{.Ports}}"}',
        )
    ]  # fmt: skip
    volumes = {
        line["bed"]
        for line in _lines(
            "volume", "ls", "--filter", f"label={LABEL}", "--format", '{"bed": "{{.Label "' + LABEL + '"}}"}'
        )
    }
    beds = sorted({*owners, *volumes, *(part.bed for part in parts)})
    return [
        Found(bed, owners.get(bed, ""), tuple(sorted((p for p in parts if p.bed == bed), key=lambda p: p.part)))
        for bed in beds
    ]


def folder(bed: str) -> Path:
    """Where `up` writes the kubeconfigs of a testbed for people."""
    return Path(tempfile.gettempdir()) / f"kit-testbed-{bed}"


def remove(bed: str) -> None:
    """Remove every container, volume and network of a testbed, and its folder. What is already gone is no error."""
    shutil.rmtree(folder(bed), ignore_errors=True)
    wanted = f"label={LABEL}={bed}"
    if containers := docker("ps", "--all", "--quiet", "--filter", wanted).stdout.split():
        docker("rm", "--force", "--volumes", *containers, check=False)
    if volumes := docker("volume", "ls", "--quiet", "--filter", wanted).stdout.split():
        docker("volume", "rm", "--force", *volumes, check=False)
    if networks := docker("network", "ls", "--quiet", "--filter", wanted).stdout.split():
        docker("network", "rm", *networks, check=False)


def remove_leftovers(progress: Progress = print) -> list[str]:
    """Remove the testbeds that nobody uses any more; returns their ids."""
    gone = [found.bed for found in find() if found.is_leftover]
    for bed in gone:
        progress(f"testbed: removing what is left of {bed}")
        remove(bed)
    return gone


def _lines(*command: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in docker(*command).stdout.splitlines()]
