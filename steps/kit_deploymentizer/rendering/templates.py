# SPDX-License-Identifier: MIT
"""Templates of the resources folder, each read and parsed once; the file's ending says which engine it is for."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from kit_core.errors import InputError, WorkError
from kit_core.files import read_text, refused
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.inputs.reading import is_there
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.rendering.mustache import EndlessError, Mustache
from kit_deploymentizer.rendering.mustache_scan import MustacheError
from kit_deploymentizer.rendering.template import Engine, Rendering, Template

COPIED: Final = ".yaml"
_FOLDER_HINT: Final = "`file` is a path below kit.yaml's resources folder."
_JINJA: Final = (".j2", ".jinja2")
_SERVICE: Final = ("base-svc.mustache", *(f"base-svc{yaml}{end}" for end in _JINJA for yaml in (".yaml", "")))


class MustacheEngine:
    """`.mustache`: an unset name prints nothing and is told."""

    def parse(self, name: str, shown: str, text: str) -> Template:  # noqa: ARG002 - the protocol's signature
        """See `Engine`."""
        try:
            parsed = Mustache(text)
        except MustacheError as error:
            raise InputError(
                "The template cannot be parsed",
                where=f"{shown}:{error.line}:{error.column}",
                why=str(error),
                hint="Every `{{#name}}` needs its `{{/name}}`, and every `{{` its `}}`.",
                file=shown,
                line=error.line,
                column=error.column,
            ) from None

        def render(view: Mapping[str, Any]) -> Rendering:
            try:
                text, remarks = parsed.render(view)
            except EndlessError as error:
                raise WorkError(
                    "The template did not render",
                    where=f"{shown}:{error.line}" if error.line else shown,
                    why=f"{error} in section {error.name}" if error.name else str(error),
                    hint="Look for a section in a section over long lists, and for long values.",
                    file=shown,
                    line=error.line,
                ) from None
            return Rendering(text, tuple(remarks))

        return Template(shown, render)


class Templates:
    """The templates of one repository. `shown` makes of a path what people see in messages; `digests` learn what was
    read, and nothing beyond `boundary` is."""

    def __init__(
        self, folder: Path, shown: Callable[[Path], str], digests: Digests, boundary: Boundary = EVERYWHERE
    ) -> None:
        self._folder = folder
        self._shown = shown
        self._digests = digests
        self._boundary = boundary
        self._parsed: dict[str, Template] = {}
        self._bytes: dict[str, bytes] = {}
        self._names: dict[str, str] = {}
        self._jinja: Engine | None = None
        self._service: str | None = None

    def get(self, name: str) -> Template:
        """The parsed template at `name`, a path below the resources folder. Raises `InputError`."""
        if name not in self._parsed:
            path = self._folder / name
            self._boundary.check(path)
            text = read_text(path, what="A template", hint=_FOLDER_HINT)
            self._digests.learn(self._shown(path), text.encode())
            self._parsed[name] = self._engine(name).parse(name, self._shown(path), text)
        return self._parsed[name]

    def copy(self, name: str) -> bytes:
        """The bytes of a plain manifest. Raises `InputError`."""
        if name not in self._bytes:
            path = self._folder / name
            self._boundary.check(path)
            try:
                self._bytes[name] = path.read_bytes()
            except (OSError, ValueError) as error:
                raise refused(error, path, "A manifest cannot be read", kind=InputError, hint=_FOLDER_HINT) from None
            self._digests.learn(self._shown(path), self._bytes[name])
        return self._bytes[name]

    def shown(self, name: str) -> str:
        """How messages name the file."""
        if name not in self._names:
            self._names[name] = self._shown(self._folder / name)
        return self._names[name]

    def service(self) -> str:
        """The name of the template of every Service. Raises `InputError` when there is none."""
        if self._service is None:
            self._service = next((name for name in _SERVICE if is_there(self._folder / name, what="A template")), None)
        if self._service is None:
            raise InputError(
                "There is no template for Services",
                where=self._shown(self._folder),
                why=f"a resource has `svc`, and none of {', '.join(_SERVICE)} is there",
                hint="Add base-svc.mustache to the resources folder.",
            )
        return self._service

    def _engine(self, name: str) -> Engine:
        if name.endswith(".mustache"):
            return MustacheEngine()
        if self._jinja is None:
            from kit_deploymentizer.rendering.jinja import JinjaEngine

            self._jinja = JinjaEngine(self._folder, self._shown, self._digests, self._boundary)
        return self._jinja


def service_templates(folder: Path) -> tuple[str, ...]:
    """Those that are there of the names that the template of every Service may have, the strongest first."""
    return tuple(name for name in _SERVICE if is_there(folder / name, what="A template"))


@lru_cache(maxsize=4096)
def output_name(file: str) -> str:
    """The name of what `file` becomes (rule 9). Raises `InputError` for an ending that no engine knows.

    A Jinja2 template may carry its output's ending: `app.yaml.j2` becomes `app.yaml`, as does `app.j2`.
    """
    path = PurePosixPath("" if file.endswith("/") else file)
    if path.suffix == COPIED:
        return path.name
    if path.suffix in _JINJA:
        return path.stem if path.stem.endswith(COPIED) else path.stem + COPIED
    if path.suffix == ".mustache":
        return path.stem + COPIED
    raise InputError(
        f"{file} is of an unknown kind",
        why=f"its name ends in {path.suffix!r}" if path.suffix else "its name has no ending",
        hint="A resource's file is a template (.mustache, .j2, .jinja2) or a .yaml to be copied.",
    )
