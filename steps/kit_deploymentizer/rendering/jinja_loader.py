# SPDX-License-Identifier: MIT
"""Where Jinja2 templates, and what they include, are read from."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from kit_deploymentizer.inputs.boundary import Boundary


class Loader(FileSystemLoader):
    """Tells what it read, and reads nothing beyond the boundary."""

    def __init__(self, folder: Path, learn: Callable[[Path, bytes], object], boundary: Boundary) -> None:
        super().__init__(folder)
        self._folder = folder
        self._learn = learn
        self._boundary = boundary

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """See `jinja2.BaseLoader.get_source`. Raises `InputError` for what may not be read."""
        if ".." not in template.split("/"):  # else there is no such template
            self._boundary.check(self._folder / template.lstrip("/"))
        source, name, fresh = super().get_source(environment, template)
        self._learn(Path(name), Path(name).read_bytes())  # the source itself has its line ends made equal
        return source, name, fresh
