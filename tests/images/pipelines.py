# SPDX-License-Identifier: MIT
"""kit-pipeline's image beside an engine: a repository that it runs, and what it has left in the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from kit_pipeline.engine.labels import PROCESS
from testbed.docker import docker
from tests.images.running import Image, Result, eventually

SOCKET = ("-v", "/var/run/docker.sock:/var/run/docker.sock")
OWNER = 4321


@dataclass
class Repository:
    """A repository of one user's, whose services are containers of one small image."""

    image: Image
    folder: Path
    small: str

    def write(self, services: Mapping[str, Mapping[str, object]], steps: Sequence[Mapping[str, object]]) -> None:
        """Write both files. A service without an image has the small one, started by a shell."""
        usual = {"image": self.small, "entrypoint": "/bin/sh"}
        told = {name: {**usual, **service} for name, service in services.items()}
        for name, content in {"services": told, "steps": steps}.items():
            self.image.write(self.folder, f"codeship-{name}.yml", json.dumps(content), uid=OWNER)

    def at(self, path: object) -> tuple[str, ...]:
        """Options that mount it there, and work there."""
        return ("-v", f"{self.folder}:{path}", "-w", str(path))

    def run(self, *arguments: str, options: tuple[str, ...] = ()) -> Result:
        """Run kit-pipeline to its end; nothing of the run is left in the engine."""
        note = self.image.folder / uuid4().hex
        done = self.image.run(*arguments, options=(*options, "--cidfile", str(note)))
        assert left(note.read_text()) == [], done.text
        return done

    def start(self, *arguments: str, options: tuple[str, ...]) -> str:
        """Start it, and wait until it has a container of its own; the name of its container."""
        name = self.image.start(*arguments, options=options)
        eventually(lambda: bool(left(name, "ps")), "a step to run", 60, lambda: docker("logs", name).stderr)
        return name


def left(container: str, *kinds: str) -> list[str]:
    """What of the runs in this container (its id or name) is in the engine."""
    known = docker("inspect", "--format", "{{.Id}}", container, check=False).stdout.strip() or container
    rows = {"ps": ("ps", "--all"), "network": ("network", "ls"), "volume": ("volume", "ls")}
    return [
        f"{kind}: {line}"
        for kind in kinds or rows
        for line in docker(*rows[kind], "--format", "{{.Labels}}", "--filter", f"label={PROCESS}").stdout.splitlines()
        if known in line
    ]
