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
        waiting += (*service.needs, *service.holders, *_one(service.dockercfg_service))
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
            self._defined(name, f"{step.called}", step.place, level)
        if taken:
            run = () if step.is_group else effective
            self._used |= reached((*run, *failing, *_one(step.dockercfg_service)), self._services)
        if step.kind == "push":
            self._pushes(step, effective, level)
        for child in step.steps:
            self.step(child, chosen if taken else lambda _: False, effective)

    def service(self, service: Service) -> None:
        """What one service lacks: an error where this run uses it."""
        used = service.name in self._used
        level: Level = "error" if used else "warning"
        if service.build is None and service.image is None:
            # What only lends its keys to others, by an anchor, is common.
            hint = "Add one of them." if used else "No step uses it: is it a template of others?"
            what = f"service {service.name} has neither `build` nor `image`"
            self._say("error" if used else "note", service.place, what, hint)
        named = {
            "depends_on": service.depends_on,
            "links": tuple(link.service for link in service.links),
            "volumes_from": service.holders,
            "dockercfg_service": _one(service.dockercfg_service),
        }
        for key, names in named.items():
            for name in names:
                self._defined(name, f"`{key}` of {service.name}", service.place, level)

    def circles(self) -> None:
        """Services that need each other, whose volumes are each other's, or that log each other in."""
        self._circles(lambda service: service.needs, "need each other")
        self._circles(lambda service: service.holders, "have each other's volumes")
        self._circles(lambda service: _one(service.dockercfg_service), "make each other's registry logins")

    def _circles(self, next_ones: Callable[[Service], Sequence[str]], what: str) -> None:
        done: set[str] = set()
        for start in self._services:
            if start in done:
                continue
            way = [start]
            waiting = [iter(next_ones(self._services[start]))]
            while way:
                name = next(waiting[-1], None)
                if name is None:
                    waiting.pop()
                    done.add(way.pop())
                elif name in way:
                    self._circle(way, name, what)
                elif name in self._services and name not in done:
                    way.append(name)
                    waiting.append(iter(next_ones(self._services[name])))

    def _circle(self, way: list[str], name: str, what: str) -> None:
        circle = " → ".join([*way[way.index(name) :], name])
        level: Level = "error" if name in self._used else "warning"
        self._say(level, self._services[name].place, f"services {what} in a circle: {circle}")

    def _pushes(self, step: Step, effective: Iterable[str], level: Level) -> None:
        for name in effective:
            service = self._services.get(name)
            if service is not None and service.build is None and service.image is not None:
                what = f"{step.called} pushes {name}, which is not built here"
                self._say(level, step.place, what, "A push step's service has `build`.")

    def _defined(self, name: str, who: str, place: Position, level: Level) -> None:
        if name not in self._services:
            likely = nearest(name, self._services)
            known = ", ".join(list(self._services)[:10]) or "none"
            hint = f"Did you mean `{likely}`?" if likely else f"There are {known}."
            self._say(level, place, f"{who} names the service {name}, which there is not", hint)

    def _say(self, level: Level, place: Position, what: str, hint: str | None = None) -> None:
        self._report(Finding(level, place, what, hint))


def _one(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()
