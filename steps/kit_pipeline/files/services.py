# SPDX-License-Identifier: MIT
"""From a parsed services file to services."""

from collections.abc import Mapping
from typing import Any, Final

from kit_core.yamlio import Document
from kit_pipeline.files import keys
from kit_pipeline.files.commands import words
from kit_pipeline.files.finding import Report
from kit_pipeline.files.meant import other_than_a_map
from kit_pipeline.files.reading import At, Nothing, kind, told_twice
from kit_pipeline.files.service import Build, Link, Service, Volume
from kit_pipeline.files.templates import check_values

_UNDER_BUILD: Final = frozenset(keys.BUILD) - {"image", "dockerfile"}


def read_services(document: Document, report: Report, *, compose: bool = False) -> dict[str, Service]:
    """Every service by name. What is wrong is reported; a service with an error is among them as far as it goes.

    `compose` is a docker-compose.yml, where `image` beside `build` is the name of what is built.
    """
    top = At(document, document.value, (), report)
    if not document.value:
        top.say("error", "the file is empty", "It names services, each with `image` or `build`.")
        return {}
    if not isinstance(document.value, Mapping):
        what = kind(document.value)
        top.say("error", f"the file is {what}, and a map of services is wanted", other_than_a_map(document.value))
        return {}
    told_twice(document, report)
    if _is_nested(document.value):
        declared = _beside(top, is_nested=True)
        return {name: _Reader(name, at, declared, compose).service() for name, at in _entries(top.below("services"))}
    declared = _beside(top, is_nested=False)
    beside = {name for name in ("volumes", "networks") if _is_no_service(document.value.get(name))}
    return {
        name: _Reader(name, at, declared, compose).service()
        for name, at in _entries(top)
        if name != "version" and name not in beside and not (name.startswith("x-") and _is_no_service(at.value))
    }


def _entries(at: At) -> list[tuple[str, At]]:
    return [(name, at.below(name)) for name in at.value]


def _is_nested(value: Mapping[str, Any]) -> bool:
    """Whether services stand under `services:`, which may also be a service's name."""
    nested = value.get("services")
    if not isinstance(nested, Mapping):
        return False
    said = [nested.get(key) for key in ("image", "build")]
    return not any(isinstance(value, str) and not isinstance(value, Nothing) for value in said)


def _is_no_service(value: Any) -> bool:
    """Of what has a name that Compose gives a meaning, or `x-…`: whether it says nothing that a service says."""
    return not isinstance(value, Mapping) or not ({"image", "build"} & value.keys())


def _beside(top: At, *, is_nested: bool) -> frozenset[str]:
    """What stands beside the services; of it only the names of volumes matter."""
    for key, value in top.value.items():
        if key in keys.FILE_IGNORED and (is_nested or (key in {"volumes", "networks"} and _is_no_service(value))):
            top.note(f"`{key}` at the top has no effect here", key=key)
        elif is_nested and key not in {"services", "version"} and not key.startswith("x-"):
            top.say("warning", f"`{key}` stands beside `services:`, and so it is no service", key=key)
    volumes = top.value.get("volumes")
    if isinstance(volumes, Mapping) and (is_nested or _is_no_service(volumes)):
        return frozenset(volumes)
    return frozenset()


class _Reader:
    """One service's map."""

    def __init__(self, name: str, at: At, declared: frozenset[str], compose: bool) -> None:
        self._name, self._at, self._declared, self._compose = name, at, declared, compose

    def service(self) -> Service:
        name, at = self._name, self._at
        if not isinstance(at.value, Mapping):
            hint = "It has `image` or `build`."
            if name in keys.SERVICE:
                hint = f"`{name}` is a key of a service: indent it below the service's name."
            elif isinstance(at.value, str) and at.value:
                hint += f" Is this `image: {_short(at.value)}`?"
            at.say("error", f"service {name} is {kind(at.value)}, and a map is wanted", hint)
            return Service(name=name, place=at.place)
        at.known(keys.SERVICE, f"service {name}", ignored=keys.SERVICE_IGNORED, elsewhere=_belongs)
        for key in ("cached", "default_cache_branch"):  # of no meaning here, but of a type
            if at.says(key):
                at.flag(key) if keys.SERVICE[key].shape == "flag" else at.text(key)
        if at.says("dockerfile") and at.says("image") and not at.says("build"):
            at.note(f"`dockerfile` of {name} has no effect beside `image`", key="dockerfile")
        return Service(
            name=name,
            place=at.place,
            build=self._source() if at.says("build") else None,
            image=None if self._compose and at.says("build") else at.text("image"),
            environment=at.pairs("environment"),
            env_files=at.texts("env_file"),
            encrypted_env_files=at.texts("encrypted_env_file"),
            encrypted_environment=at.texts("encrypted_environment"),
            encrypted_dockercfg_path=at.text("encrypted_dockercfg_path"),
            dockercfg_service=at.text("dockercfg_service"),
            volumes=tuple(filter(None, (self._volume(item) for item in at.texts("volumes")))),
            volumes_from=at.texts("volumes_from"),
            depends_on=self._depends_on(),
            links=tuple(Link(one.partition(":")[0], one.partition(":")[2] or one) for one in at.texts("links")),
            add_docker=at.says("add_docker") and at.flag("add_docker"),
            command=words(at, "command"),
            entrypoint=words(at, "entrypoint"),
            passed_on=self._passed_on(),
        )

    def _passed_on(self) -> dict[str, str | tuple[str, ...]]:
        at = self._at
        passed: dict[str, str | tuple[str, ...]] = {}
        for key in sorted(keys.PASSED_ON & at.value.keys()):
            if isinstance(at.value[key], Mapping) and keys.SERVICE[key].shape == "pairs":  # extra_hosts as a map
                passed[key] = tuple(f"{name}:{value or ''}" for name, value in at.pairs(key))
            elif keys.SERVICE[key].shape in {"texts", "pairs"}:
                passed[key] = at.texts(key)
            elif keys.SERVICE[key].shape == "flag" and at.says(key):
                passed[key] = "true" if at.flag(key) else "false"
            elif (text := at.text(key)) is not None:
                passed[key] = text
        return {key: value for key, value in passed.items() if value}

    def _depends_on(self) -> tuple[str, ...]:
        """A list of names, or Compose's map with conditions, whose names count."""
        at = self._at
        if at.has("depends_on") and isinstance(at.value["depends_on"], Mapping):
            hint = "A health check is always awaited."
            at.note("the conditions of `depends_on` have no effect here", hint, key="depends_on")
            return tuple(at.value["depends_on"])
        return at.texts("depends_on")

    def _source(self) -> Build:
        at, name = self._at, self._name
        image = None
        if at.says("image"):
            if self._compose:
                image = at.text("image")
            else:
                what = f"service {name} has both `build` and `image`"
                at.say("error", what, "The name of what is built is `image` under `build`.", key="image")
        beside = at.text("dockerfile")
        value = at.value["build"]
        if isinstance(value, str):
            return Build(image=image, context=value or ".", dockerfile=beside)
        if not isinstance(value, Mapping):
            at.say("error", f"`build` of {name} is {kind(value)}, and a path or a map is wanted", key="build")
            return Build()
        build = at.below("build")
        build.known(keys.BUILD, f"`build` of {name}", elsewhere=_above)
        for old, new in keys.OLD.items():
            if build.has(old):
                build.note(f"`{old}` is the old name of `{new}`", key=old)
        if build.says("args"):
            check_values(build.below("args"))
        return Build(
            image=build.text("image") or image,
            context=build.text("context") or build.text("path") or ".",
            dockerfile=build.text("dockerfile") or build.text("dockerfile_path") or beside,
            args=build.pairs("args"),
            encrypted_args=build.texts("encrypted_args"),
            encrypted_args_files=build.texts("encrypted_args_file"),
        )

    def _volume(self, text: str) -> Volume | None:
        at = self._at
        host, colon, rest = text.partition(":")
        if not colon:
            host, rest = "", text
        container, _, mode = rest.partition(":")
        if not container.startswith("/"):
            hint = "It is a path in the container, which begins with `/`; `./folder:/path` shows a folder there."
            at.say("error", f"the volume {text} does not say where it is in the container", hint, key="volumes")
            return None
        if not colon or host in self._declared:
            return Volume(container, None, mode or None)
        if host.startswith("/"):
            at.note(f"the volume {text} names a folder of this machine outside of the repository", key="volumes")
        if host.startswith("~"):
            what = f"the volume {text} means a folder called {host.split('/')[0]}"
            at.say("warning", what, "`~` is not filled in here; name the whole path.", key="volumes")
        if not host:
            at.say("error", f"the volume {text} has nothing before its colon", key="volumes")
            return None
        return Volume(container, host, mode or None)


def _belongs(key: str) -> str | None:
    """Where a key that a service has not belongs."""
    if key in _UNDER_BUILD:
        return "It belongs one level down, under `build`."
    if key in keys.STEP:
        return "It belongs to a step, in the steps file."
    return None


def _above(key: str) -> str | None:
    """Where a key that `build` has not belongs."""
    if key in keys.ABOVE_BUILD:
        return "It belongs one level up."
    if key in keys.PUSH_ONLY:
        return "It belongs to a push step."
    return "It belongs one level up." if key in keys.SERVICE else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
