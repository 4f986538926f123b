# SPDX-License-Identifier: MIT
"""What annotations on an object ask of its health: how long it may take, and what in it says ready or failed. Pure.

`kit-deployer/timeout` is a number of seconds, or hours, minutes and seconds as in `1h30m`. `kit-deployer/ready-when`
and `/failed-when` hold a condition a line: a JSONPath (RFC 9535; braces, a missing `$` and `\\.` in names as kubectl
writes them), alone or with `=value` as `kubectl wait` has it. Every line of the one must hold, any of the other.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from kit_deployer.objects import Json, Manifest, annotations_of

TIMEOUT: Final = "kit-deployer/timeout"
READY_WHEN: Final = "kit-deployer/ready-when"
FAILED_WHEN: Final = "kit-deployer/failed-when"

_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_UNITS: Final = (3600, 60, 1)
_LONGEST: Final = 7 * 24 * 3600
_ESCAPED_DOTS: Final = re.compile(r"\.((?:[\w/-]|\\\.)*\\\.(?:[\w/-]|\\\.)*)")


@dataclass(frozen=True)
class Condition:
    """One line: what is looked for (`text` as it is written), and the value that it must have, if any."""

    text: str
    value: str | None = None
    query: Any = field(default=None, repr=False, compare=False)

    def found(self, body: Json) -> list[Any]:
        """The values at the path."""
        from jsonpath import JSONPathError

        try:
            return list(self.query.findall(body))
        except JSONPathError:  # a filter that compares what cannot be compared finds nothing
            return []

    def holds(self, body: Json, *, every: bool) -> bool:
        """Whether it is so in the object: where the path finds several values, for `every` one or for any."""
        fit = [self._fits(value) for value in self.found(body)]
        return (all(fit) if every else any(fit)) and bool(fit)

    def _fits(self, value: Any) -> bool:
        if self.value is None:
            return value not in (None, False, "", [], {})
        return _text(value) == self.value


@dataclass(frozen=True)
class Asked:
    """What one object's annotations ask for. `timeout` in seconds, None where the run's counts."""

    timeout: float | None = None
    ready: tuple[Condition, ...] = ()
    failed: tuple[Condition, ...] = ()

    def unmet(self, body: Json) -> Condition | None:
        """The first condition for being ready that does not hold."""
        return next((condition for condition in self.ready if not condition.holds(body, every=True)), None)

    def lost(self, body: Json) -> Condition | None:
        """The first condition for having failed that holds."""
        return next((condition for condition in self.failed if condition.holds(body, every=False)), None)


def asks(body: Json) -> bool:
    """Whether an object's annotations say when it is ready or has failed, so that it is waited for whatever it is."""
    return bool({READY_WHEN, FAILED_WHEN} & set(annotations_of(body)))


def asked_of(body: Json) -> Asked:
    """What a body's annotations ask for. Raises `ValueError` (annotation, what is wrong) where one cannot be read."""
    annotations = annotations_of(body)
    readers = {TIMEOUT: duration, READY_WHEN: conditions, FAILED_WHEN: conditions}
    found: dict[str, Any] = {}
    for name, read in readers.items():
        if name in annotations:
            try:
                found[name] = read(annotations[name])
            except ValueError as error:
                raise ValueError(name, str(error)) from None
    return Asked(found.get(TIMEOUT), found.get(READY_WHEN, ()), found.get(FAILED_WHEN, ()))


def check_asked(manifests: Iterable[Manifest]) -> None:
    """Raise `InputError` for the first manifest whose annotations about health cannot be read."""
    from kit_deployer.inputs.manifests import wrong_manifest

    for manifest in manifests:
        try:
            asked_of(manifest.body)
        except ValueError as error:
            name, why = error.args
            raise wrong_manifest(
                manifest.where("metadata", "annotations", name), f"{manifest}: {name}: {why}"
            ) from None


def duration(text: str) -> float:
    """Seconds, from `90`, `90s`, `10m` or `1h30m`. Raises `ValueError`."""
    found = _DURATION.fullmatch(text.strip())
    seconds = sum(float(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part) if found else 0
    if not 0 < seconds <= _LONGEST:
        raise ValueError(
            f"{text!r} is no time; write seconds (90), or hours, minutes and seconds (1h30m), at most 168h"
        )
    return float(seconds)


def conditions(text: str) -> tuple[Condition, ...]:
    """The conditions of an annotation's lines. Raises `ValueError` naming the line that cannot be read."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    return tuple(map(condition, lines))


def condition(line: str) -> Condition:
    """One condition, as in `{.status.phase}=Running` or `.status.conditions[?(@.type=="Ready")].status=True`."""
    from jsonpath import JSONPathEnvironment, JSONPathError

    path, value = _split(line)
    path = _ESCAPED_DOTS.sub(lambda match: "['" + match[1].replace("\\.", ".") + "']", path.strip())
    if not path.strip("${}. "):
        raise ValueError(f"{line!r} has no path")
    if not path.startswith("$"):
        path = "$" + (path if path.startswith((".", "[")) else f".{path}")
    try:
        query = JSONPathEnvironment().compile(path)
    except (JSONPathError, RecursionError) as error:
        told = str(error).splitlines()
        raise ValueError(f"{line!r} is no JSONPath ({told[0] if told else 'too deep'})") from None
    return Condition(line, value, query)


def _split(line: str) -> tuple[str, str | None]:
    """Path and value: at the `=` after the braces, or at the first one outside of brackets and quotes."""
    depth, quote = 0, ""
    for index, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "[({":
            depth += 1
        elif letter in "])}":
            depth -= 1
        elif letter == "=" and not depth:
            value = line[index + 1 :].strip()
            return _bare(line[:index]), value[1:-1] if len(value) > 1 and value[0] == value[-1] in "'\"" else value
    return _bare(line), None


def _bare(path: str) -> str:
    path = path.strip()
    return path[1:-1] if path.startswith("{") and path.endswith("}") else path


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
