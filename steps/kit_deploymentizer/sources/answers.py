# SPDX-License-Identifier: MIT
"""From what a source answered to keys laid over a container's: one form for files, programs and services. Pure.

The answer is a map. Its `env` is a list of `{name, value}` or a map of name to value; other keys are laid over the
container's own. With a JSON pointer (`values: /data/data`) the map found there is taken as variables instead, so that
answers of services which know nothing of kit can be used.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from kit_core.errors import InputError, KitError, WorkError

_DEEPEST: Final = 100


def read_json(raw: bytes, *, what: str, kind: type[KitError] = WorkError) -> Any:
    """The JSON value in `raw`; `what` ("the program's output") begins the error, which quotes nothing of it."""
    try:
        value = json.loads(raw)
        if is_too_deep(value):
            raise kind(f"{what} is nested too deeply", hint=f"{_DEEPEST} levels are enough for a few variables.")
        return value
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        said = f"{what} is empty" if not raw.strip() else f"{what} is no JSON{place}"
        raise kind(said, hint="Answer with a JSON object; `{}` where there are no values.") from None


def is_too_deep(value: Any, deepest: int = _DEEPEST) -> bool:
    """Whether maps and lists lie in one another further than anybody means, and than can be walked through."""
    level = [value]
    for _ in range(deepest):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def values_of(answer: Any, pointer: str | None, *, what: str, kind: type[KitError] = InputError) -> dict[str, Any]:
    """The keys that `answer` lays over a container's. Raises `kind` where it is not of the form above."""
    if pointer is not None:
        return {"env": _entries(_at(answer, pointer, what, kind), what, kind)}
    if not isinstance(answer, Mapping):
        raise kind(f"{what} is no map", hint="Answer with a map, whose `env` holds the variables.")
    values = dict(answer)
    if values.get("env") is None:
        values.pop("env", None)
    elif isinstance(values["env"], Mapping):
        values["env"] = _entries(values["env"], what, kind)
    else:
        _check_list(values["env"], what, kind)
    return values


def _at(answer: Any, pointer: str, what: str, kind: type[KitError]) -> Any:
    value = answer
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]{0,8}", key) and int(key) < len(value):
            value = value[int(key)]
        else:
            raise kind(f"{what} has nothing at {pointer}", hint="Correct the source's option `values`.")
    return value


def _entries(values: Any, what: str, kind: type[KitError]) -> list[dict[str, Any]]:
    if not isinstance(values, Mapping):
        raise kind(f"{what} holds no map of variables where one is wanted", hint="Write `NAME: value`.")
    for name, value in values.items():
        _check(name, value, what, kind)
    return [{"name": name, "value": value} for name, value in values.items()]


def _check_list(env: Any, what: str, kind: type[KitError]) -> None:
    hint = "Write `env` as a map `{NAME: value}` or as a list of `{name: …, value: …}`."
    if not isinstance(env, list):
        raise kind(f"{what} has an `env` that is neither a list nor a map", hint=hint)
    for index, entry in enumerate(env):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise kind(f"{what} has an entry without a name in `env`, number {index + 1}", hint=hint)
        _check(entry["name"], entry.get("value", ""), what, kind)


def _check(name: Any, value: Any, what: str, kind: type[KitError]) -> None:
    if value is None or isinstance(value, Mapping | list):
        is_what = "nothing" if value is None else "a map or a list"
        raise kind(f"{what} says {name} is {is_what}", hint="A variable's value is text, a number, true or false.")
