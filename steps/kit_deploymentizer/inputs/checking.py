# SPDX-License-Identifier: MIT
"""What is wrong in the repository itself: unknown keys, odd switches, files that nobody reads."""

from collections.abc import Iterable
from itertools import islice
from typing import Final, Literal

from kit_core.errors import InputError, KitError
from kit_deploymentizer.inputs.overlooked import overlooked
from kit_deploymentizer.inputs.reading import YamlFile, placed
from kit_deploymentizer.inputs.repository import CLUSTER_KIND, Repository
from kit_deploymentizer.inputs.schema import Stranger, flags_that_are_none, strangers_in_cluster, strangers_in_kit
from kit_deploymentizer.problems import Problems
from kit_deploymentizer.sources.listed import sends_metadata

_TOLD: Final = 100
"""Of one file; who has more of them looks at the first ones."""


def check_repository(repository: Repository, problems: Problems, level: Literal["error", "warn", "off"]) -> None:
    """Tell `problems` what is wrong; `level` is VALIDATE."""
    if level == "off":
        return
    _tell_unknown(repository.kit, strangers_in_kit(repository.kit.value), problems, level)
    free = sends_metadata(repository.kit)
    multiple: dict[str, bool] = {}
    files: dict[str, YamlFile] = {}
    for cluster in repository.clusters:
        for name, resource in cluster.resources.items():
            has = bool(resource.get("containers")) if isinstance(resource, dict) else False
            multiple[name] = multiple.get(name, True) and has
        files |= {file.shown: file for file in cluster.layers.files if file.value.get("kind") == CLUSTER_KIND}
    for file in files.values():
        strangers = strangers_in_cluster(file.value, free_metadata=free, multiple=multiple)
        _tell_unknown(file, strangers, problems, level)
    for file in files.values():
        for path in islice(flags_that_are_none(file.value), _TOLD):
            error = InputError(f"{path[-1]} is neither true nor false, so it counts as false")
            problems.add(placed(error, file.position(*path)), warning=True)
    for file_path, name in overlooked(repository.paths):
        shown = repository.reader.shown(file_path)
        why = f"only {name} is read here"
        error = InputError("this file is not read", where=shown, why=why, hint="Rename it, or take it out.", file=shown)
        problems.add(error, warning=True)


def _tell_unknown(
    file: YamlFile, strangers: Iterable[Stranger], problems: Problems, level: Literal["error", "warn"]
) -> None:
    found = list(islice(strangers, _TOLD + 1))
    for stranger in found[:_TOLD]:
        problems.add(_unknown_key(file, stranger), warning=level == "warn")
    if len(found) > _TOLD:
        more = InputError("it has more unknown keys", where=file.shown, why=f"the first {_TOLD} are told above")
        problems.add(more, warning=level == "warn")


def check_duplicates(repository: Repository, problems: Problems) -> None:
    """Tell of keys that stand twice in one map, of all files that were read so far."""
    for duplicate in repository.reader.duplicates:
        error = InputError("a key stands twice in one map", why="the last one counts")
        problems.add(placed(error, duplicate.place), warning=True)


def _unknown_key(file: YamlFile, stranger: Stranger) -> KitError:
    error = InputError(
        f"unknown key {'.'.join(map(str, stranger.path))}",
        hint=f"{stranger.meant} is probably meant."
        if stranger.meant
        else "Take it out; what templates see belongs into the *-var.yaml files (KIT_VALIDATE=warn lets it pass).",
    )
    return placed(error, file.position(*stranger.path))
