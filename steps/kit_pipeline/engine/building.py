# SPDX-License-Identifier: MIT
"""Building images.

The engine's own builder is asked, the one that every engine has: BuildKit wants a second connection back to the client,
which the Docker SDK does not speak. Where somebody's Dockerfile needs BuildKit, the engine says so.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import OURS
from kit_pipeline.engine.logins import Logins
from kit_pipeline.engine.progress import Say, follow

_LARGE: Final = 20_000_000
_STEP: Final = re.compile(r"Step (\d+)/\d+ : ")
_ESCAPE: Final = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is built: a folder, a Dockerfile in it, values of its arguments. `what` it is called in errors."""

    what: str
    context: Path
    dockerfile: str | None = None
    args: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def file(self) -> Path:
        """The Dockerfile."""
        return self.context / (self.dockerfile or "Dockerfile")


def build(client: Client, recipe: Recipe, *, tag: str, logins: Logins | None, say: Say, pull: bool = False) -> str:
    """Build an image under the private name `tag`; its id. With `pull` what it begins with is pulled anew.

    Raises `EngineError` with the engine's own error and the line of the Dockerfile, `InputError` for what is not there.
    """
    _check(recipe)
    if logins is not None:
        client = _with_logins(client, logins)
    what = f"The image of {recipe.what} was not built"
    step = _LastStep(say)
    with _context(recipe, what) as (archive, dockerfile):
        size = archive.seek(0, 2)
        archive.seek(0)
        if size > _LARGE:
            say(f"the build's context has {size / 1e6:.0f} MB; .dockerignore keeps out what the build does not need")
        try:
            with told(what, where=str(recipe.file)):
                events = client.build(
                    fileobj=archive,
                    custom_context=True,
                    dockerfile=dockerfile,
                    tag=tag,
                    buildargs=dict(recipe.args),
                    labels={OURS: "true"},
                    rm=True,
                    forcerm=True,
                    pull=pull,
                    decode=True,
                )
                follow(events, what, step)
                return str(client.inspect_image(tag)["Id"])
        except EngineError as error:
            raise _placed(error, recipe.file, step.number) from None


def line_of(dockerfile: str, number: int) -> int | None:
    """The line on which a Dockerfile's instruction begins, both counted from 1, as the engine's builder counts them.

    The format's rules: https://docs.docker.com/reference/dockerfile/#format
    """
    found = _ESCAPE.match(dockerfile)
    escape = found[1] if found else "\\"
    instruction, within = 0, False
    for index, line in enumerate(dockerfile.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        instruction += 0 if within else 1
        if instruction == number:
            return index
        within = text.endswith(escape)
    return None


def _check(recipe: Recipe) -> None:
    if not recipe.context.is_dir():
        what = "is a file" if recipe.context.exists() else "is not there"
        raise InputError(
            f"The build's context of {recipe.what} {what}",
            where=str(recipe.context),
            hint="It is the folder whose files the build gets.",
        )
    if not recipe.file.is_file():
        raise InputError(
            f"There is no {recipe.dockerfile or 'Dockerfile'} in the build's context of {recipe.what}",
            where=str(recipe.context),
            hint="`dockerfile` is relative to the context.",
        )


@contextlib.contextmanager
def _context(recipe: Recipe, what: str) -> Iterator[tuple[Any, str]]:
    """The context as a tar file, without what .dockerignore names, and the Dockerfile's name in it."""
    from docker.api.build import process_dockerfile
    from docker.utils import build as contexts

    ignored = recipe.context / ".dockerignore"
    lines = ignored.read_text("utf-8-sig").splitlines() if ignored.is_file() else []
    exclude = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    dockerfile = process_dockerfile(recipe.dockerfile or "Dockerfile", str(recipe.context.absolute()))
    with told(what, where=str(recipe.context)):
        archive = contexts.tar(str(recipe.context), exclude=exclude, dockerfile=dockerfile)
    with archive:
        yield archive, dockerfile[0]


def _with_logins(client: Client, logins: Logins) -> Client:
    """A client that sends these logins with a build, for the images that it begins with."""
    from docker.auth import AuthConfig

    own = client.__class__.__new__(client.__class__)
    own.__dict__.update(
        client.__dict__
    )  # copy.copy() asks a requests.Session for its state, which leaves half of it out
    own._auth_configs = AuthConfig({"auths": logins.all()})  # noqa: SLF001 - build() has no argument for it
    return own


def _placed(error: EngineError, dockerfile: Path, step: int) -> EngineError:
    line = None
    with contextlib.suppress(OSError, UnicodeDecodeError):
        line = line_of(dockerfile.read_text("utf-8"), step) if step else None
    where = f"{dockerfile}:{line}" if line else str(dockerfile)
    return EngineError(error.what, where=where, why=error.why, hint=error.hint, file=str(dockerfile), line=line)


class _LastStep:
    """Hands lines on, and keeps the number of the instruction that the engine was at."""

    def __init__(self, say: Say) -> None:
        self._say, self.number = say, 0

    def __call__(self, line: str) -> None:
        if found := _STEP.match(line):
            self.number = int(found[1])
        self._say(line)
