# SPDX-License-Identifier: MIT
"""Build the step images, tag them, and hold their sizes: `python -m images.build [IMAGE...]`.

With `SBOM=1` in the environment a list of each image's contents is written too (`generated/<image>.cdx.json`). Exit
code 1 when an image is larger than it may be, 2 when something cannot be built.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from images.measure import Size, compressed_bytes
from kit_core.version import VERSION
from testbed.baseimage import build_arguments, ensure_base
from testbed.docker import docker
from testbed.errors import TestbedError

ROOT = Path(__file__).parent.parent
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Image:
    """One of the images, and how large it may be (megabytes of a million bytes; the compressed size is what a pull
    transfers).
    """

    name: str
    unpacked_limit: int
    compressed_limit: int = 30


IMAGES = (
    Image("kit-image-deployer", 70),
    Image("kit-deploymentizer", 70),
    Image("kit-deployer", 80),
    Image("kit-pipeline", 66, 25),
)


@dataclass(frozen=True)
class Source:
    """What an image says of where it comes from."""

    revision: str
    created: str
    url: str


def tags(version: str) -> tuple[str, ...]:
    """The tags of a release, from the one that never moves to the one that moves most: X.Y.Z, X.Y, X, edge."""
    parts = version.split(".")
    return (*(".".join(parts[:count]) for count in range(len(parts), 0, -1)), "edge")


def build(image: Image, *, base: str, source: Source, env: Mapping[str, str] = os.environ) -> str:
    """Build one image on `base` and tag it; returns the reference with the full version. Raises TestbedError."""
    reference = f"{image.name}:{VERSION}"
    digest, published = _digest(base)
    arguments = {
        "BASE": f"{base}@{digest}" if published and "@" not in base else base,
        "BASE_NAME": base,
        "BASE_DIGEST": digest,
        "VERSION": VERSION,
        "REVISION": source.revision,
        "CREATED": source.created,
        "SOURCE": source.url,
    }
    options = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
    mirrors = [name for name in build_arguments(env)[1::2] if not name.startswith("GO")]
    options += [part for name in mirrors for part in ("--build-arg", name)]
    dockerfile = str(ROOT / "images" / image.name / "Dockerfile")
    docker("build", "--quiet", "--file", dockerfile, *options, "--tag", reference, str(ROOT), timeout=1200)
    for tag in tags(VERSION)[1:]:
        docker("tag", reference, f"{image.name}:{tag}")
    return reference


def build_all(
    progress: Callable[[str], None] = print, env: Mapping[str, str] = os.environ, wanted: Sequence[str] = ()
) -> dict[str, str]:
    """Build the images (all, when none is named) and return their references by name. Raises TestbedError."""
    base, origin = ensure_base(progress, env), source()
    made = {}
    for image in IMAGES:
        if not wanted or image.name in wanted:
            progress(f"building {image.name} on {base}")
            made[image.name] = build(image, base=base, source=origin, env=env)
    return made


def source(root: Path = ROOT) -> Source:
    """The commit of the work tree, when it was made, and where it is published; changed files are told."""
    revision = _git(root, "rev-parse", "HEAD") or "unknown"
    if _git(root, "status", "--porcelain", "--", "steps", "images", "locks", "pyproject.toml"):
        revision += "-modified"
    created = _git(root, "log", "-1", "--format=%cI") or "unknown"
    return Source(revision, created, published_address(_git(root, "remote", "get-url", "origin")))


def measure(reference: str) -> Size:
    """How large an image is: its files, and its layers as a registry sends them."""
    unpacked = int(docker("image", "inspect", "--format", "{{.Size}}", reference).stdout)
    return Size(unpacked, compressed_bytes(reference))


def table(rows: Sequence[tuple[Image, Size]]) -> str:
    """The sizes beside their limits, for people."""
    lines = [f"{'image':<20}{'unpacked MB':>14}{'limit':>7}{'compressed MB':>16}{'limit':>7}"]
    for image, size in rows:
        unpacked, compressed = size.unpacked / MEGABYTE, size.compressed / MEGABYTE
        over = "  too large" if too_large(image, size) else ""
        limits = (image.unpacked_limit, image.compressed_limit)
        lines.append(f"{image.name:<20}{unpacked:>14.1f}{limits[0]:>7}{compressed:>16.1f}{limits[1]:>7}{over}")
    return "\n".join(lines)


def too_large(image: Image, size: Size) -> bool:
    """Whether an image is over one of its limits."""
    return size.unpacked > image.unpacked_limit * MEGABYTE or size.compressed > image.compressed_limit * MEGABYTE


def main(wanted: Sequence[str], env: Mapping[str, str] = os.environ) -> int:
    """Build what is wanted (all, when nothing is named), print sizes, write lists of contents where asked for."""
    try:
        made = build_all(_say, env, wanted)
        rows = [(image, measure(made[image.name])) for image in IMAGES if image.name in made]
        if env.get("SBOM", "").lower() in {"1", "true", "yes", "on"}:
            from images.contents import write_contents

            for name, reference in made.items():
                _say(f"contents of {name}: {write_contents(reference, ROOT / 'generated')}")
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    print("tags:", ", ".join(tags(VERSION)))
    return 1 if any(too_large(image, size) for image, size in rows) else 0


def _digest(base: str) -> tuple[str, bool]:
    """The base image's digest, and whether it is a registry's; of an image made on this machine it is the id."""
    if docker("image", "inspect", base, check=False).returncode:
        docker("pull", "--quiet", base, timeout=300)
    facts = json.loads(docker("image", "inspect", base).stdout)[0]
    published = [reference.partition("@")[2] for reference in facts.get("RepoDigests") or []]
    return (published[0], True) if published else (str(facts["Id"]), False)


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def published_address(remote: str) -> str:
    """A git remote's address without the name and password that may stand in it; `unknown` for a machine's folder."""
    scheme, separator, rest = remote.partition("://")
    if not separator and "@" in remote and ":" in remote:  # git@host:path
        scheme, separator, rest = "ssh", "://", remote.replace(":", "/", 1)
    if scheme not in {"http", "https", "ssh", "git"}:
        return "unknown"
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
