# SPDX-License-Identifier: MIT
"""From a parsed services file to services."""

import re
import shlex
from collections.abc import Mapping
from typing import Final

from kit_core.yamlio import Document
from kit_pipeline.files import keys
from kit_pipeline.files.finding import Finding, Report
from kit_pipeline.files.reading import At, kind
from kit_pipeline.files.service import Build, Link, Service, Volume

_ABOVE: Final = frozenset({"cached", "environment", "env_file", "encrypted_env_file", "encrypted_dockercfg_path",
                           "volumes", "command", "depends_on", "links"})  # fmt: skip
"""Keys of a service that people also write under its `build`."""
_VARIABLE: Final = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?])([^}]*))?\})")


def read_services(document: Document, report: Report) -> dict[str, Service]:
    """Every service by name. What is wrong is reported; a service with an error is among them as far as it goes."""
    top = At(document, document.value, (), report)
    if not document.value:
        top.say("error", "the file is empty", "It names services, each with `image` or `build`.")
        return {}
    if not isinstance(document.value, Mapping):
        what = kind(document.value)
        top.say("error", f"the file is a {what}, and a map of services is wanted", "Have the two files changed places?")
        return {}
    for place in document.duplicates:
        report(Finding("warning", place, "this key stands twice in one map, and the last one counts"))
    nested = document.value.get("services")
    declared: frozenset[str] = frozenset()
    if isinstance(nested, Mapping) and not any(isinstance(nested.get(key), str) for key in ("image", "build")):
        declared = _beside(top)
        top = top.below("services")
    return {name: _service(name, top.below(name), declared) for name in top.value if name != "version"}


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-default}` filled in, `$$` as `$`: in a docker-compose.yml alone, as Compose does."""

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name, operator, default = str(found[2] or found[3]), str(found[4] or ""), str(found[5] or "")
        value = values.get(name)
        if value is None or (operator.startswith(":") and not value):
            return default if operator.endswith("-") else ""
        return value

    return _VARIABLE.sub(one, text)


def _beside(top: At) -> frozenset[str]:
    """What stands beside `services:`; of it only the names of volumes matter."""
    for key in top.value:
        if key in keys.FILE_IGNORED and key != "version":
            top.say("note", f"`{key}` at the top has no effect here", key=key)
        elif key not in {"services", "version"} and not key.startswith("x-"):
            top.say("warning", f"`{key}` stands beside `services:`, and so it is no service", key=key)
    volumes = top.value.get("volumes")
    return frozenset(volumes) if isinstance(volumes, Mapping) else frozenset()


def _service(name: str, at: At, declared: frozenset[str]) -> Service:
    if not isinstance(at.value, Mapping):
        at.say("error", f"service {name} is a {kind(at.value)}, and a map is wanted", "It has `image` or `build`.")
        return Service(name=name, place=at.place)
    at.known(keys.SERVICE, keys.SERVICE_IGNORED, f"service {name}")
    if at.has("build") and at.has("image"):
        at.say(
            "error",
            f"service {name} has both `build` and `image`",
            "The name of what is built is `image` under `build`.",
            key="image",
        )
    return Service(
        name=name,
        place=at.place,
        build=_build(name, at) if at.has("build") else None,
        image=at.text("image"),
        environment=at.pairs("environment"),
        env_files=at.texts("env_file"),
        encrypted_env_files=at.texts("encrypted_env_file"),
        encrypted_environment=at.texts("encrypted_environment"),
        encrypted_dockercfg_path=at.text("encrypted_dockercfg_path"),
        dockercfg_service=at.text("dockercfg_service"),
        volumes=tuple(_volume(text, at, declared) for text in at.texts("volumes")),
        volumes_from=at.texts("volumes_from"),
        depends_on=_depends_on(at),
        links=tuple(Link(one.partition(":")[0], one.partition(":")[2] or one) for one in at.texts("links")),
        add_docker=at.has("add_docker") and at.flag("add_docker"),
        command=words(at, "command"),
        entrypoint=words(at, "entrypoint"),
        passed_on=_passed_on(at),
    )  # fmt: skip


def words(at: At, key: str) -> tuple[str, ...] | None:
    """A command's words: a list as it is, a text split at spaces outside of quotes. None where there is none."""
    if not at.has(key):
        return None
    if isinstance(at.value[key], list):
        return at.texts(key)
    text = at.text(key)
    if text is None:
        return None
    try:
        return tuple(shlex.split(text.rstrip("\n")))
    except ValueError:
        at.say("error", f"`{key}` has a quote that is not closed: {text.strip()}", key=key)
        return None


def _passed_on(at: At) -> dict[str, str | tuple[str, ...]]:
    passed: dict[str, str | tuple[str, ...]] = {}
    for key in sorted(keys.PASSED_ON_TEXT & at.value.keys()):
        text = at.text(key)
        if text is not None:
            passed[key] = text
    for key in sorted(keys.PASSED_ON_LISTS & at.value.keys()):
        if isinstance(at.value[key], Mapping):  # extra_hosts as a map
            passed[key] = tuple(f"{name}:{value}" for name, value in at.pairs(key))
        else:
            passed[key] = at.texts(key)
    return passed


def _depends_on(at: At) -> tuple[str, ...]:
    """A list of names, or Compose's map with conditions, whose names count."""
    if at.has("depends_on") and isinstance(at.value["depends_on"], Mapping):
        at.say(
            "note",
            "the conditions of `depends_on` have no effect here",
            "A health check is always awaited.",
            key="depends_on",
        )
        return tuple(at.value["depends_on"])
    return at.texts("depends_on")


def _build(name: str, at: At) -> Build:
    beside = at.text("dockerfile")
    if isinstance(at.value["build"], str):
        return Build(context=at.value["build"] or ".", dockerfile=beside)
    if not isinstance(at.value["build"], Mapping):
        at.say("error", f"`build` of {name} is a {kind(at.value['build'])}, and a path or a map is wanted", key="build")
        return Build()
    build = at.below("build")
    for key in sorted(_ABOVE & build.value.keys()):
        build.say("warning", f"`{key}` of {name} stands under `build`", "It belongs one level up.", key=key)
    if build.has("image_tag"):
        build.say(
            "warning", f"`image_tag` of {name} stands under `build`", "It belongs to a push step.", key="image_tag"
        )
    build.known(keys.BUILD | _ABOVE | {"image_tag"}, frozenset(), f"`build` of {name}")
    for old, new in (("path", "context"), ("dockerfile_path", "dockerfile")):
        if build.has(old):
            build.say("note", f"`{old}` is the old name of `{new}`", key=old)
    return Build(
        image=build.text("image"),
        context=build.text("context") or build.text("path") or ".",
        dockerfile=build.text("dockerfile") or build.text("dockerfile_path") or beside,
        args=build.pairs("args"),
        encrypted_args=build.texts("encrypted_args"),
        encrypted_args_files=build.texts("encrypted_args_file"),
    )


def _volume(text: str, at: At, declared: frozenset[str]) -> Volume:
    host, colon, rest = text.partition(":")
    if not colon:
        return Volume(text)
    container, _, mode = rest.partition(":")
    if host.startswith("/"):
        at.say("note", f"the volume {text} names a folder of this machine outside of the repository", key="volumes")
    if host in declared:
        return Volume(container, None, mode or None)
    return Volume(container, host, mode or None)
