# SPDX-License-Identifier: MIT
"""Where a run must not write, whatever kit.yaml says and wherever links lead: what the repository is read from."""

from collections.abc import Iterable
from pathlib import Path

from kit_core.errors import InputError
from kit_deploymentizer.inputs.boundary import Boundary
from kit_deploymentizer.output.index import HIDDEN


class Guard:
    """Knows what the repository is read from: `inputs` are files and folders."""

    def __init__(self, inputs: Iterable[Path]) -> None:
        self._inputs = [(path, path.resolve()) for path in inputs]
        self._around = {parent for _, source in self._inputs for parent in source.parents}

    def source_at(self, folder: Path) -> Path | None:
        """What of the repository's sources lies in `folder` or around it, links followed."""
        return self._source_at(folder.resolve())

    def _source_at(self, real: Path) -> Path | None:
        if real in self._around:
            return next(path for path, source in self._inputs if real in source.parents)
        within = {real, *real.parents}
        return next((path for path, source in self._inputs if source in within), None)

    def refuse_elsewhere(self, hidden: Path, folders: Iterable[tuple[str, Path]]) -> None:
        """No cluster's folder may hold, or lie in, what the repository is read from, nor be a link to somewhere:
        cleaning it would eat the sources, or what is nobody's business here. Raises `InputError`."""
        folders = tuple(folders)
        top = hidden.parent.resolve()
        links = {folder for _, folder in folders if folder.parent != hidden.parent or folder.is_symlink()}
        apart = self._source_at(top) is None  # then no source is in any folder right below it, nor around one
        for name, folder in folders if not apart else ((name, folder) for name, folder in folders if folder in links):
            source = self.source_at(folder) if folder in links else self._source_at(top / folder.name)
            if source is not None:
                raise InputError(
                    f"cluster {name} would be written into the sources",
                    where=str(folder),
                    why=f"kit.yaml reads from {source}",
                    hint="Set output.path in kit.yaml to a folder of its own, such as ./generated.",
                )
        for folder in (hidden, *(folder for _, folder in folders if folder in links)):
            if folder.is_symlink():
                raise InputError(
                    "A folder of the output leads elsewhere",
                    where=str(folder),
                    why=f"it is a link to {folder.readlink()}",
                    hint="Replace the link by a folder; the output as a whole may be a link or a mount.",
                )


def refuse_elsewhere(output: Path, boundary: Boundary) -> None:
    """Within a boundary, kit.yaml is somebody's who may not write just anywhere: outside of the repository only into
    a folder that is empty (one made or mounted for it) or an output already. Raises `InputError`."""
    if boundary.holds(output):
        boundary.check(output)
        return
    try:
        names = {path.name for path in output.iterdir()}
    except OSError:
        names = None
    if names is None or (names and HIDDEN not in names):
        raise InputError(
            "the output is not written",
            where=str(output),
            why="it lies outside the repository, is no empty folder and no earlier output, and with KIT_PLACEHOLDERS"
            " anybody may have written kit.yaml",
            hint="Let output.path lie in the repository, or make that folder beforehand.",
        )
