# SPDX-License-Identifier: MIT
"""From a parsed steps file to steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from kit_core.names import nearest
from kit_core.yamlio import Document
from kit_pipeline.files import keys
from kit_pipeline.files.finding import Finding, Report
from kit_pipeline.files.reading import At, kind
from kit_pipeline.files.services import words
from kit_pipeline.files.step import Kind, Push, Step

_SHELL: Final = frozenset({"&&", "||", ";", "|", ">", ">>", "<", "2>&1", "&"})


def read_steps(document: Document, report: Report) -> tuple[Step, ...]:
    """Every step, in order. What is wrong is reported; a step with an error is among them as far as it goes."""
    top = At(document, document.value, (), report)
    if not document.value:
        top.say("error", "the file is empty", "It is a list of steps, each with `service` and `command`.")
        return ()
    for place in document.duplicates:
        report(Finding("warning", place, "this key stands twice in one map, and the last one counts"))
    if isinstance(document.value, Mapping) and isinstance(document.value.get("steps"), list):
        top.say("error", "the steps stand below `steps:`", "The file itself is the list: take that line away.")
        return ()
    if not isinstance(document.value, list):
        what = kind(document.value)
        top.say("error", f"the file is a {what}, and a list of steps is wanted", "Begin each step with `- `.")
        return ()
    steps = _steps(top, (), None)
    _last(steps, top)
    _names(steps, report)
    return steps


def every(steps: Iterable[Step]) -> list[Step]:
    """The steps and all within them, groups before what they hold; without `on_fail`."""
    return [inner for step in steps for inner in (step, *every(step.steps))]


def _steps(at: At, path: tuple[int, ...], above: Step | None) -> tuple[Step, ...]:
    return tuple(
        step for index, item in enumerate(at.items(), 1) if (step := _step(item, (*path, index), above)) is not None
    )


def _step(at: At, path: tuple[int, ...], above: Step | None) -> Step | None:
    if not isinstance(at.value, Mapping):
        at.say("error", f"a step is a {kind(at.value)}, and a map is wanted", "It has `service` and `command`.")
        return None
    named = at.text("type") or ("serial" if at.has("steps") else "run")
    if named not in keys.TYPES:
        likely = nearest(named, keys.TYPES)
        at.say("error", f"`{named}` is no type of step", f"Did you mean `{likely}`?" if likely else
               f"There are {', '.join(keys.TYPES)}.", key="type")  # fmt: skip
        return None
    if named == "matrix":
        at.say("note", "the type `matrix` is an old name of `serial` with `services`", key="type")
    step_kind = cast("Kind", "serial" if named == "matrix" else named)
    services = _services(at)
    base = Step(
        name=at.text("name") or _called(at, services or (above.services if above else ()), path),
        path=path,
        kind=step_kind,
        place=at.place,
        tag=at.text("tag"),
        exclude=at.text("exclude"),
        services=services,
        encrypted_dockercfg_path=at.text("encrypted_dockercfg_path"),
        dockercfg_service=at.text("dockercfg_service"),
        local=(above is None or above.local) and (at.flag("local") if at.has("local") else True),
    )
    at.known(keys.STEP, frozenset(), f"step {base.name}")
    return _completed(base, at, above)


def _completed(base: Step, at: At, above: Step | None) -> Step:
    """The step with what its type asks for."""
    inherited = above.services if above else ()
    if base.services and inherited:
        at.say("error", f"step {base.name} names a service, and so does the group that it is in",
               "One of the two may.", key="service" if at.has("service") else "services")  # fmt: skip
    effective = base.services or inherited
    step = replace(base, on_fail=_on_fail(at, base, effective))
    if step.is_group:
        return replace(step, steps=_group(at, step, effective))
    if len(base.services) > 1:
        at.say("error", f"step {base.name} names several services", "Only a group may.", key="services")
    if not effective:
        at.say("error", f"step {base.name} names no service", "Add `service: NAME`.")
    if at.has("steps"):
        at.say(
            "error",
            f"step {base.name} holds steps and is of the type `{base.kind}`",
            "Groups are `serial`, `parallel`, `manual`.",
            key="steps",
        )
    return replace(step, push=_push(at, step)) if step.kind == "push" else replace(step, command=_command(at, step))


def _group(at: At, step: Step, effective: tuple[str, ...]) -> tuple[Step, ...]:
    for key in ("command", "image_name"):
        if at.has(key):
            at.say("warning", f"`{key}` of the group {step.name} has no effect", "It belongs to a step in it.", key=key)
    if not at.has("steps") or not isinstance(at.value["steps"], list) or not at.value["steps"]:
        at.say("error", f"the group {step.name} holds no steps", "List them below `steps:`.")
        return ()
    return _steps(at.below("steps"), step.path, replace(step, services=effective))


def _services(at: At) -> tuple[str, ...]:
    if at.has("service") and at.has("services"):
        at.say("error", "a step has both `service` and `services`", "Take one away.", key="services")
    one = at.text("service") if at.has("service") else None
    return (one,) if one else at.texts("services")


def _called(at: At, services: Sequence[str], path: tuple[int, ...]) -> str:
    """A step without a name goes by its service, as it did there."""
    return at.text("image_name") or (services[0] if len(services) == 1 else f"step {'.'.join(map(str, path))}")


def _command(at: At, step: Step) -> tuple[str, ...] | None:
    for key in sorted(keys.PUSH_ONLY & at.value.keys()):
        at.say(
            "warning", f"`{key}` has no effect on step {step.name}", "It belongs to a step of the type `push`.", key=key
        )
    command = words(at, "command")
    if command is None:
        if not at.has("command"):
            at.say("note", f"step {step.name} has no command", "Its container runs what its image or service says.")
        return None
    if isinstance(at.value["command"], str):
        odd = _SHELL & set(command)
        if odd or any("$" in word for word in command) or (command and "=" in command[0].split("/")[0]):
            sign = "`" + "`, `".join(sorted(odd)) + "`" if odd else "a variable"
            at.say("warning", f"the command of step {step.name} has {sign} in it, which goes to the program as it is",
                   "There is no shell here: use `sh -c '…'`, or a script.", key="command")  # fmt: skip
    return command


def _push(at: At, step: Step) -> Push:
    image = at.text("image_name")
    if image is None:
        at.say("error", f"the push step {step.name} has no `image_name`", "It says where the image goes.")
    if at.has("command"):
        at.say("warning", f"the command of the push step {step.name} has no effect", key="command")
    return Push(image=image or "", tag=at.text("image_tag") or "latest", registry=at.text("registry"))


def _on_fail(at: At, step: Step, effective: tuple[str, ...]) -> tuple[Step, ...]:
    if not at.has("on_fail"):
        return ()
    if not isinstance(at.value["on_fail"], list):
        at.say(
            "error", f"`on_fail` of {step.name} is a {kind(at.value['on_fail'])}, and a list is wanted", key="on_fail"
        )
        return ()
    found = []
    for index, item in enumerate(at.below("on_fail").items(), 1):
        if not isinstance(item.value, Mapping):
            item.say("error", f"`on_fail` of {step.name} holds a {kind(item.value)}, and a map is wanted")
            continue
        item.known(keys.ON_FAIL, frozenset(), f"`on_fail` of {step.name}")
        service = item.text("service")
        if service is None and len(effective) != 1:
            item.say("error", f"`on_fail` of {step.name} names no service", "Add `service: NAME`.")
        services = (service,) if service else effective[:1]
        name = item.text("name") or f"{step.name}, on_fail {index}"
        inner = Step(name=name, path=(*step.path, index), kind="run", place=item.place, services=services)
        found.append(Step(**{**vars(inner), "command": _command(item, inner)}))
    return tuple(found)


def _last(steps: Sequence[Step], top: At) -> None:
    for index, step in enumerate(steps[:-1]):
        if step.kind == "manual":
            top.below(index).say(
                "warning", f"the manual group {step.name} is not the last one", "What follows waits for approval too."
            )


def _names(steps: Sequence[Step], report: Report) -> None:
    seen: dict[str, Step] = {}
    for step in every(steps):
        first = seen.setdefault(step.name, step)
        if first is not step and step.path[:-1] == first.path[:-1]:
            report(Finding("warning", step.place, f"two steps are called {step.name}",
                           f"Choose one by its number: {first.number} or {step.number}."))  # fmt: skip
