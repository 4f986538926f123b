# SPDX-License-Identifier: MIT
"""Tar archives of the tests, unpacked by every Python that kit runs on."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import IO


def unpack(archive: Path | IO[bytes], folder: Path) -> None:
    """Write what the archive holds below the folder; where Python has it (3.11.4), with the filter that newer ones ask
    for."""
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            unpack(file, folder)
        return
    with tarfile.open(fileobj=archive) as opened:
        if hasattr(tarfile, "data_filter"):
            opened.extraction_filter = tarfile.data_filter
        opened.extractall(folder)
