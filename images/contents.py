# SPDX-License-Identifier: MIT
"""The list of what an image contains, as CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json/).

It is read out of the image itself, from the same entries that vulnerability scanners look at: Debian's package database
and the metadata of Python distributions.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

from images.recipe.dependencies import normal
from testbed.docker import docker
from testbed.errors import TestbedError

_PLACES = ("/var/lib/dpkg/status.d", "/usr/lib/python3/dist-packages")


@dataclass(frozen=True, order=True)
class Component:
    """One package: its ecosystem's name for it, and what the package says of its licence."""

    kind: str
    name: str
    version: str
    architecture: str = ""
    licence: str = ""

    @property
    def url(self) -> str:
        """The package URL, by which scanners find it (https://github.com/package-url/purl-spec)."""
        version = quote(self.version, safe="")
        qualifiers = f"?arch={self.architecture}&distro=debian-13" if self.kind == "deb" else ""
        name = quote(self.name) if self.kind == "deb" else normal(self.name)
        namespace = "deb/debian" if self.kind == "deb" else "pypi"
        return f"pkg:{namespace}/{name}@{version}{qualifiers}"


def write_contents(reference: str, folder: Path) -> Path:
    """Write the list for an image into the folder and return its path. Raises TestbedError."""
    facts = json.loads(docker("image", "inspect", reference).stdout)[0]
    path = folder / f"{reference.partition(':')[0]}.cdx.json"
    folder.mkdir(parents=True, exist_ok=True)
    document = bill(reference, facts["Id"], facts["Config"]["Labels"], sorted(components(reference)))
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def bill(reference: str, digest: str, labels: dict[str, str], found: list[Component]) -> dict[str, object]:
    """The document for an image; `labels` are its own."""
    label = "org.opencontainers.image."
    name, _, tag = reference.partition(":")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            **(
                {}
                if labels.get(label + "created", "unknown") == "unknown"
                else {"timestamp": labels[label + "created"]}
            ),
            "component": {
                "type": "container",
                "bom-ref": f"{name}@{digest}",
                "name": name,
                "version": tag,
                "description": labels.get(label + "description", ""),
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": [_entry(component) for component in found],
    }


def components(reference: str) -> Iterator[Component]:
    """Every package that the image's own records name."""
    container = docker("create", reference).stdout.strip()
    try:
        for place in _PLACES:
            for name, text in _files(container, place):
                if place.endswith("status.d"):
                    yield _debian(text)
                elif name.endswith(".dist-info/METADATA"):
                    yield _python(text)
    finally:
        docker("rm", container)


def _files(container: str, folder: str) -> Iterator[tuple[str, str]]:
    copied = subprocess.run(["docker", "cp", f"{container}:{folder}", "-"], capture_output=True, check=False)
    if copied.returncode:
        raise TestbedError(f"`docker cp` of {folder} failed: {copied.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(copied.stdout)) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)):
                yield member.name, file.read().decode(errors="replace")


def _debian(text: str) -> Component:
    fields = HeaderParser().parsestr(text)
    return Component("deb", fields["Package"], fields["Version"], fields["Architecture"])


def _python(text: str) -> Component:
    fields = HeaderParser().parsestr(text)
    licence = fields["License-Expression"] or (fields["License"] or "").partition("\n")[0]
    return Component("pypi", fields["Name"], fields["Version"], licence=licence)


def _entry(component: Component) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "library",
        "bom-ref": component.url,
        "name": component.name,
        "version": component.version,
        "purl": component.url,
    }
    if component.licence:
        entry["licenses"] = [{"license": {"name": component.licence}}]
    return entry
