# SPDX-License-Identifier: MIT
"""The version of the suite, and the commit it was built from."""

from importlib import resources
from typing import Final

VERSION: Final = "0.1.0"


def source_commit() -> str | None:
    """The full id of the commit that an image was built from (`commit.txt`, written by its build); None elsewhere."""
    file = resources.files("kit_core").joinpath("commit.txt")
    try:
        return file.read_text("utf-8").strip() or None
    except OSError:
        return None


def version_line(program: str) -> str:
    """What `--version` prints: program, version and source commit."""
    return f"{program} {VERSION} (commit {source_commit() or 'unknown: not an image build'})"
