# SPDX-License-Identifier: MIT
"""From a parsed steps file to steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from kit_core.names import nearest
from kit_core.yamlio import Document
from kit_pipeline.files import keys
from kit_pipeline.files.commands import for_a_shell, words
from kit_pipeline.files.finding import Finding, Report
from kit_pipeline.files.meant import other_than_a_list
from kit_pipeline.files.reading import At, kind, listed, told_twice
from kit_pipeline.files.step import Kind, Push, Step
from kit_pipeline.files.templates import check_template

_DEEPEST: Final = 50
_MOST: Final = 10_000
"""Anchors can make a small file mean more steps than anyone lives to see."""


def read_steps(document: Document, report: Report) -> tuple[Step, ...]:
    """Every step, in order. What is wrong is reported; a step with an error is among them as far as it goes."""
    top = At(document, document.value, (), report)
    if not document.value:
        top.say("error", "the file is empty", "It is a list of steps, each with `service` and `command`.")
        return ()
    told_twice(document, report)
    if isinstance(document.value, Mapping) and isinstance(document.value.get("steps"), list):
        top.say("error", "the steps stand below `steps:`", "The file itself is the list: take that line away.")
        return ()
    if not isinstance(document.value, list):
        hint = other_than_a_list(document.value, frozenset(keys.STEP))
        top.say("error", f"the file is {kind(document.value)}, and a list of steps is wanted", hint)
        return ()
    steps = _Reader().steps(top, (), None)
    _last(steps, report)
    return steps


def every(steps: Iterable[Step]) -> list[Step]:
    """The steps and all within them, groups before what they hold; without `on_fail`."""
    return [inner for step in steps for inner in (step, *every(step.steps))]


class _Reader:
    """Counts as it reads."""

    def __init__(self) -> None:
        self._left = _MOST
        self._named: dict[tuple[tuple[int, ...], str], Step] = {}

    def steps(self, at: At, path: tuple[int, ...], above: Step | None) -> tuple[Step, ...]:
        """The steps of a list. `above` is the group that they are in, with the services that it has or inherits."""
        if len(path) >= _DEEPEST:
            at.say("error", f"groups are nested more than {_DEEPEST} deep")
            return ()
        found = []
        for index, item in enumerate(at.items(), 1):
            self._left -= 1
            if self._left <= 0:
                if self._left == 0:
                    item.say("error", f"there are more than {_MOST} steps", "Does an anchor hold itself many times?")
                break
            step = self._step(item, (*path, index), above)
            if step is not None:
                found.append(step)
        return tuple(found)

    def _step(self, at: At, path: tuple[int, ...], above: Step | None) -> Step | None:
        if not isinstance(at.value, Mapping):
            at.say("error", f"a step is {kind(at.value)}, and a map is wanted", "It has `service` and `command`.")
            return None
        named = at.text("type") or ("serial" if at.has("steps") else "run")
        if named not in keys.TYPES:
            likely = nearest(named, keys.TYPES)
            hint = f"Did you mean `{likely}`?" if likely else f"There are {listed(keys.TYPES)}."
            at.say("error", f"`{named}` is no type of step", hint, key="type")
            return None
        if named == "matrix":
            at.note("the type `matrix` is an old name of `serial` with `services`", key="type")
        services = _services(at)
        name = at.text("name")
        base = Step(
            name=name or _called(at, services or (above.services if above else ()), path),
            path=path,
            kind=cast("Kind", "serial" if named == "matrix" else named),
            place=at.place,
            tag=at.text("tag"),
            exclude=at.text("exclude"),
            services=services,
            encrypted_dockercfg_path=at.text("encrypted_dockercfg_path"),
            dockercfg_service=at.text("dockercfg_service"),
            local=(above is None or above.local) and (at.flag("local") if at.says("local") else True),
        )
        at.known(keys.STEP, f"{base.called}", elsewhere=_belongs)
        if name:
            self._only_one(base, at)
        return self._completed(base, at, above)

    def _only_one(self, step: Step, at: At) -> None:
        """Warn of a name that is given twice in one list; what an anchor brings in twice is meant."""
        first = self._named.setdefault((step.path[:-1], step.name), step)
        if first.place != step.place:
            hint = f"Choose one by its number: {first.number} or {step.number}."
            at.say("warning", f"two steps are called {step.name}", hint, key="name")

    def _completed(self, base: Step, at: At, above: Step | None) -> Step:
        """The step with what its type asks for."""
        inherited = above.services if above else ()
        if base.services and inherited:
            what = f"{base.called} names a service, and so does the group that it is in"
            at.say("error", what, "One of the two may.", key="service" if at.has("service") else "services")
        effective = base.services or inherited
        step = replace(base, on_fail=_on_fail(at, base, effective))
        if step.is_group:
            return replace(step, steps=self._group(at, step, effective))
        if len(base.services) > 1:
            at.say("error", f"{base.called} names several services", "Only a group may.", key="services")
        if not effective:
            at.say("error", f"{base.called} names no service", "Add `service: NAME`.")
        if at.says("steps"):
            what = f"{base.called} holds steps and is of the type `{base.kind}`"
            at.say("error", what, "Groups are `serial`, `parallel`, `manual`.", key="steps")
        return replace(step, push=_push(at, step)) if step.kind == "push" else replace(step, command=_command(at, step))

    def _group(self, at: At, step: Step, effective: tuple[str, ...]) -> tuple[Step, ...]:
        for key in ("command", *keys.PUSH_ONLY):
            if at.has(key):
                hint = "It belongs to a step in it."
                at.say("warning", f"`{key}` of the group {step.name} has no effect", hint, key=key)
        if not at.has("steps") or not isinstance(at.value["steps"], list) or not at.value["steps"]:
            at.say("error", f"the group {step.name} holds no steps", "List them below `steps:`.")
            return ()
        return self.steps(at.below("steps"), step.path, replace(step, services=effective))


def _belongs(key: str) -> str | None:
    """Where a key that a step has not belongs."""
    if key in keys.SERVICE or key in keys.BUILD:
        return "It belongs to a service, in the services file."
    return None


def _services(at: At) -> tuple[str, ...]:
    if at.has("service") and at.has("services"):
        at.say("error", "a step has both `service` and `services`", "Take one away.", key="services")
    one = at.text("service") if at.has("service") else None
    return (one,) if one else at.texts("services")


def _called(at: At, services: Sequence[str], path: tuple[int, ...]) -> str:
    """A step without a name goes by its service, as it did there."""
    return at.text("image_name") or (services[0] if len(services) == 1 else f"step {'.'.join(map(str, path))}")


def _command(at: At, step: Step) -> tuple[str, ...] | None:
    for key in keys.PUSH_ONLY:
        if at.has(key):
            what = f"`{key}` has no effect on {step.called}"
            at.say("warning", what, "It belongs to a step of the type `push`.", key=key)
    command = words(at, "command")
    if command is None:
        if not at.says("command"):
            at.say("note", f"{step.called} has no command", "Its container runs what its image or service says.")
        return None
    if isinstance(at.value["command"], str) and (found := for_a_shell(at.value["command"], command)):
        what = f"the command of {step.called} has {found} in it, which goes to the program as it is"
        at.say("warning", what, "There is no shell here: use `sh -c '…'`, or a script.", key="command")
    return command


def _push(at: At, step: Step) -> Push:
    image = at.text("image_name")
    if image is None:
        at.say("error", f"the push {step.called} has no `image_name`", "It says where the image goes.")
    if at.has("command"):
        at.say("warning", f"the command of the push {step.called} has no effect", key="command")
    for key in ("image_name", "image_tag"):
        check_template(at.value.get(key) if isinstance(at.value.get(key), str) else "", at, key=key)
    return Push(image=image or "", tag=at.text("image_tag") or "latest", registry=at.text("registry"))


def _on_fail(at: At, step: Step, effective: tuple[str, ...]) -> tuple[Step, ...]:
    if not at.says("on_fail"):
        return ()
    if not isinstance(at.value["on_fail"], list):
        what = f"`on_fail` of {step.name} is {kind(at.value['on_fail'])}, and a list is wanted"
        at.say("error", what, "Begin each of its steps with `- `.", key="on_fail")
        return ()
    found = []
    for index, item in enumerate(at.below("on_fail").items(), 1):
        if not isinstance(item.value, Mapping):
            item.say("error", f"`on_fail` of {step.name} holds {kind(item.value)}, and a map is wanted")
            continue
        item.known(keys.ON_FAIL, f"`on_fail` of {step.name}")
        service = item.text("service")
        if service is None and len(effective) != 1:
            item.say("error", f"`on_fail` of {step.name} names no service", "Add `service: NAME`.")
        services = (service,) if service else effective[:1]
        name = item.text("name") or f"{step.name}, on_fail {index}"
        inner = Step(name=name, path=(*step.path, index), kind="run", place=item.place, services=services)
        found.append(replace(inner, command=_command(item, inner)))
    return tuple(found)


def _last(steps: Sequence[Step], report: Report) -> None:
    for step in steps[:-1]:
        if step.kind == "manual":
            what = f"the manual group {step.name} is not the last one"
            report(Finding("warning", step.place, what, "What follows waits for approval too."))
