# SPDX-License-Identifier: MIT
"""Where the two files lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kit_core.errors import InputError

SERVICES: Final = (
    "codeship-services.yml", "codeship-services.json", "jet-services.yml", "jet-services.json", "docker-compose.yml",
)  # fmt: skip
STEPS: Final = ("codeship-steps.yml", "codeship-steps.json", "jet-steps.yml", "jet-steps.json")


@dataclass(frozen=True)
class Found:
    """A file, and the folder that paths in it are relative to."""

    path: Path

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.path.parent

    @property
    def is_compose(self) -> bool:
        """Whether it is Compose's own file, in which `$NAME` is filled in."""
        return self.path.name == SERVICES[-1]


def services_file(folder: Path, given: Path | None = None) -> Found:
    """The services file: the one that was given, else the first that there is. Raises `InputError`."""
    return _first(folder, given, SERVICES, "services", "--services-path")


def steps_file(folder: Path, given: Path | None = None) -> Found:
    """The steps file, likewise. Raises `InputError`."""
    return _first(folder, given, STEPS, "steps", "--steps-path")


def _first(folder: Path, given: Path | None, names: tuple[str, ...], what: str, option: str) -> Found:
    if given is not None:
        path = folder / given
        if path.is_file():
            return Found(path)
        raise InputError(
            f"There is no {what} file", where=str(path), hint=f"{option} names it, from the folder {folder}."
        )
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        hint = f"Looked for {', '.join(names)}; {option} names another, --dir another folder."
        raise InputError(f"There is no {what} file", where=str(folder), hint=hint)
    return Found(found)
