# SPDX-License-Identifier: MIT
"""The files that both files name: whether they are there, and what they should be. Nothing is run or decrypted.

What is not there is no error, because earlier steps may make it: a note where one of them has the folder as a volume,
else a warning.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from kit_core.dotenv import parse_env
from kit_core.envfile import is_encrypted, is_encrypted_value
from kit_core.errors import InputError
from kit_core.files import read_bytes, read_text
from kit_core.yamlio import Position
from kit_pipeline.files.checking import reached
from kit_pipeline.files.finding import Finding, Level, Report
from kit_pipeline.files.service import Build, Service
from kit_pipeline.files.step import Step
from kit_pipeline.files.steps import every


def look(folder: Path, services: Mapping[str, Service], steps: Sequence[Step], report: Report) -> None:
    """Report what is wrong with the files that the steps' services name; `folder` is where the services file lies."""
    named = {name for step in every(steps) for name in _named(step)}
    used = [services[name] for name in services if name in reached(named, services)]
    looker = _Looker(folder, {part for service in used for part in _written(service)}, report)
    for service in used:
        looker.service(service)
    for step in every(steps):
        if step.encrypted_dockercfg_path:
            looker.encrypted(step.encrypted_dockercfg_path, f"`encrypted_dockercfg_path` of {step.called}", step.place)


def _named(step: Step) -> Iterator[str]:
    yield from step.services
    if step.dockercfg_service:
        yield step.dockercfg_service
    for fail in step.on_fail:
        yield from fail.services


def _written(service: Service) -> Iterator[PurePosixPath]:
    """The folders of the repository that a service's containers may write to."""
    for volume in service.volumes:
        if volume.host is not None and "ro" not in (volume.mode or "").split(","):
            yield PurePosixPath(volume.host)


class _Looker:
    def __init__(self, folder: Path, written: set[PurePosixPath], report: Report) -> None:
        self._folder, self._written, self._report = folder, written, report
        self._seen: set[tuple[str, str]] = set()

    def service(self, service: Service) -> None:
        name, place = service.name, service.place
        if service.build is not None:
            self._build(service.build, name, place)
        for file in service.env_files:
            self._env_file(file, f"`env_file` of {name}", place)
        for file in service.encrypted_env_files:
            self.encrypted(file, f"`encrypted_env_file` of {name}", place)
        if service.encrypted_dockercfg_path:
            self.encrypted(service.encrypted_dockercfg_path, f"`encrypted_dockercfg_path` of {name}", place)
        for text in service.encrypted_environment:
            self._encrypted_text(text, f"`encrypted_environment` of {name}", place)

    def _build(self, build: Build, name: str, place: Position) -> None:
        for text in build.encrypted_args:
            self._encrypted_text(text, f"`encrypted_args` of {name}", place)
        for file in build.encrypted_args_files:
            self.encrypted(file, f"`encrypted_args_file` of {name}", place)
        context = self._folder / build.context
        if not _exists(context):
            self._missing(build.context, f"the folder that {name} is built from", place)
            return
        if not context.is_dir():
            what = f"{name} is built from {build.context}, which is a file"
            self._say("error", place, what, "`build` names a folder; the Dockerfile in it is `dockerfile`.")
            return
        dockerfile = build.dockerfile or "Dockerfile"
        whole = str(PurePosixPath(build.context) / dockerfile)
        if not _exists(context / dockerfile):
            beside = _exists(self._folder / dockerfile) and build.dockerfile is not None and build.context != "."
            hint = f"`dockerfile` is relative to the context {build.context}." if beside else None
            self._missing(whole, f"the Dockerfile of {name}", place, hint)
        elif not (context / dockerfile).is_file():
            self._say("error", place, f"the Dockerfile of {name}, {whole}, is a folder")

    def _env_file(self, file: str, what: str, place: Position) -> None:
        path = self._folder / file
        if not _exists(path):
            self._missing(file, what, place)
            return
        try:
            parse_env(read_text(path, what="The env file"), name=file)
        except InputError as error:
            self._say("error", place, f"{what} cannot be used: {str(error).rstrip('.')}")

    def encrypted(self, file: str, what: str, place: Position) -> None:
        """A file that a run decrypts."""
        path = self._folder / file
        if not _exists(path):
            self._missing(file, what, place, f"`kit-pipeline encrypt IN {file}` makes it.")
            return
        try:
            data = read_bytes(path, what="The encrypted file")
        except InputError as error:
            self._say("error", place, f"{what} cannot be used: {str(error).rstrip('.')}")
            return
        if not is_encrypted(data):
            hint = f"`kit-pipeline encrypt {file} {file}.encrypted` encrypts it."
            self._say("error", place, f"{what} names {file}, which is not encrypted", hint)

    def _encrypted_text(self, text: str, what: str, place: Position) -> None:
        if not is_encrypted_value(text) and not is_encrypted(text.encode()):
            self._say("error", place, f"{what} holds a text that is not encrypted", "Take what `encrypt` makes of it.")

    def _missing(self, file: str, what: str, place: Position, hint: str | None = None) -> None:
        path = PurePosixPath(file)
        made = any(path == part or part in path.parents for part in self._written)
        hint = hint or ("An earlier step may make it." if made else "Is it in the repository, and spelled like this?")
        self._say("note" if made else "warning", place, f"{what}, {file}, is not there", hint)

    def _say(self, level: Level, place: Position, what: str, hint: str | None = None) -> None:
        if (str(place), what) not in self._seen:  # a step of an anchor says the same again
            self._seen.add((str(place), what))
            self._report(Finding(level, place, what, hint))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False
