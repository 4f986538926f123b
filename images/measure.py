# SPDX-License-Identifier: MIT
"""How large an image is, as it lies on a disk and as it goes over a network."""

from __future__ import annotations

import subprocess
import tarfile
import zlib
from dataclasses import dataclass
from typing import IO

from testbed.errors import TestbedError

_LEVEL = 6
"""gzip's usual level, which the engine takes as well when it pushes."""


@dataclass(frozen=True)
class Size:
    """Bytes: of the files in an image, and of its layers compressed."""

    unpacked: int
    compressed: int


def compressed_bytes(reference: str) -> int:
    """The sum of the image's layers as gzip makes them, which is what a pull transfers. Raises TestbedError."""
    with subprocess.Popen(["docker", "save", reference], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
            total = sum(_compressed(file) for file in map(archive.extractfile, archive) if file is not None)
    if saved.returncode:
        raise TestbedError(f"`docker save {reference}` failed with exit code {saved.returncode}")
    return total


def _compressed(file: IO[bytes]) -> int:
    """The length of what gzip makes of a layer."""
    gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    total = 0
    while chunk := file.read(1 << 20):
        total += len(gzip.compress(chunk))
    return total + len(gzip.flush())
