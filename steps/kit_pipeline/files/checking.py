# SPDX-License-Identifier: MIT
"""What can only be seen with both files side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from kit_core.names import nearest
from kit_core.yamlio import Position
from kit_pipeline.files.finding import Finding, Level, Report
from kit_pipeline.files.service import Service
from kit_pipeline.files.step import Step


def check(
    services: Mapping[str, Service],
    steps: Sequence[Step],
    report: Report,
    *,
    chosen: Callable[[Step], bool] = lambda _: True,
) -> None:
    """Report what does not fit: services that nobody defines, those that cannot run, circles among them.

    `chosen` says whether a step's own tag takes it into this run: where it does not, an undefined service is a warning.
    """
    checker = _Checker(services, report)
    for step in steps:
        checker.step(step, chosen, ())
    for service in services.values():
        checker.service(service)
    checker.circles()


def reached(names: Iterable[str], services: Mapping[str, Service]) -> frozenset[str]:
    """The services that these need, themselves among them."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in services:
            continue
        found.add(name)
        service = services[name]
        waiting += (*service.needs, *service.volumes_from, *_one(service.dockercfg_service))
    return frozenset(found)


class _Checker:
    def __init__(self, services: Mapping[str, Service], report: Report) -> None:
        self._services, self._report = services, report
        self._used: set[str] = set()

    def step(self, step: Step, chosen: Callable[[Step], bool], above: tuple[str, ...]) -> None:
        """A step and all within it; notes which services this run uses."""
        taken = chosen(step)
        level: Level = "error" if taken else "warning"
        effective = step.services or above
        failing = [name for fail in step.on_fail for name in fail.services]
        for name in dict.fromkeys((*step.services, *_one(step.dockercfg_service), *failing)):
            self._defined(name, f"step {step.name}", step.place, level)
        if taken:
            run = () if step.is_group else effective
            self._used |= reached((*run, *failing, *_one(step.dockercfg_service)), self._services)
        if step.kind == "push":
            self._pushes(step, effective, level)
        for child in step.steps:
            self.step(child, chosen if taken else lambda _: False, effective)

    def service(self, service: Service) -> None:
        """What one service lacks: an error where this run uses it."""
        level: Level = "error" if service.name in self._used else "warning"
        if service.build is None and service.image is None:
            hint = "Add one of them." if level == "error" else "It may be a template of others: no step uses it."
            self._say(level, service.place, f"service {service.name} has neither `build` nor `image`", hint)
        named = {
            "depends_on": service.depends_on,
            "links": tuple(link.service for link in service.links),
            "volumes_from": service.volumes_from,
            "dockercfg_service": _one(service.dockercfg_service),
        }
        for key, names in named.items():
            for name in names:
                self._defined(name, f"`{key}` of {service.name}", service.place, level)

    def circles(self) -> None:
        """Services that need each other."""
        done: set[str] = set()
        for name in self._services:
            self._walk(name, [], done)

    def _walk(self, name: str, walk: list[str], done: set[str]) -> None:
        if name in walk:
            circle = " → ".join([*walk[walk.index(name) :], name])
            level: Level = "error" if name in self._used else "warning"
            self._say(level, self._services[name].place, f"services need each other in a circle: {circle}")
            return
        if name in done or name not in self._services:
            return
        for other in self._services[name].needs:
            self._walk(other, [*walk, name], done)
        done.add(name)

    def _pushes(self, step: Step, effective: Iterable[str], level: Level) -> None:
        for name in effective:
            service = self._services.get(name)
            if service is not None and service.build is None and service.image is not None:
                what = f"step {step.name} pushes {name}, which is not built here"
                self._say(level, step.place, what, "A push step's service has `build`.")

    def _defined(self, name: str, who: str, place: Position, level: Level) -> None:
        if name not in self._services:
            likely = nearest(name, self._services)
            hint = (
                f"Did you mean `{likely}`?"
                if likely
                else f"There are {', '.join(list(self._services)[:10]) or 'none'}."
            )
            self._say(level, place, f"{who} names the service {name}, which there is not", hint)

    def _say(self, level: Level, place: Position, what: str, hint: str | None = None) -> None:
        self._report(Finding(level, place, what, hint))


def _one(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()
