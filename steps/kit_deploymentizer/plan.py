# SPDX-License-Identifier: MIT
"""What a run makes, as a value: every output with its inputs, what was left out, and all that is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from kit_core.errors import InputError, KitError, WorkError
from kit_core.keys import DecryptError
from kit_core.names import nearest
from kit_deploymentizer.javascript import text_of, truthy
from kit_deploymentizer.problems import Problem, Problems
from kit_deploymentizer.reading import placed
from kit_deploymentizer.repository import Cluster, Repository, is_file_name
from kit_deploymentizer.secret_values import SecretValue, without
from kit_deploymentizer.templates import COPIED, Templates, output_name
from kit_deploymentizer.view import Sight, View

Level = Literal["error", "warn", "off"]

_PATH_HINT: Final = "Give one of them another name, or another `file`."


@dataclass(frozen=True)
class Output:
    """One file to be written: its path below the cluster's folder, its bytes, and where they come from.

    `template` is the file it was made from, as shown; `inputs` every file that had a say; `copied` that it is a plain
    manifest; `secrets` the values from outside the repository that its view held.
    """

    path: str
    content: bytes
    resource: str
    template: str
    inputs: tuple[str, ...]
    copied: bool = False
    secrets: tuple[SecretValue, ...] = ()
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster's files. `left_out` are resources that failed where that is allowed; `placeholders` that secrets were
    not read, so that it is good for checks only."""

    name: str
    outputs: tuple[Output, ...]
    left_out: tuple[str, ...]
    placeholders: bool = False


@dataclass(frozen=True)
class Plan:
    """All clusters of a run, in the order of their names, and every problem that was found while making it."""

    clusters: tuple[ClusterPlan, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep anything from being written."""
        return tuple(problem for problem in self.problems if not problem.warning)


class Planner:
    """Renders clusters one by one. `level` is VALIDATE's, here for names that nothing sets."""

    def __init__(self, repository: Repository, sight: Sight, problems: Problems, level: Level) -> None:
        self._repository = repository
        self._sight = sight
        self._problems = problems
        self._level = level
        self._templates = Templates(repository.paths.resources, repository.reader.shown)

    def plan(self, cluster: Cluster) -> ClusterPlan:
        """Render everything of `cluster` that this run is about; what goes wrong goes into the problems."""
        outputs: dict[str, Output] = {}
        left_out = []
        for name, resource in self._wanted(cluster):
            try:
                for output in self._resource(cluster, name, resource):
                    _refuse_twin(outputs, output)
                    outputs[output.path] = output
            except KitError as error:
                placed(error, cluster.layers.place("resources", name))
                fatal = isinstance(error, DecryptError)  # nobody may overlook a key that does not fit
                self._problems.add(error, cluster.name, warning=cluster.allow_failure and not fatal)
                left_out.append(name)
                for path in [path for path, output in outputs.items() if output.resource == name]:
                    del outputs[path]
        files = tuple(outputs[path] for path in sorted(outputs))
        return ClusterPlan(cluster.name, files, tuple(left_out), self._sight.placeholders)

    def _wanted(self, cluster: Cluster) -> Iterable[tuple[str, Any]]:
        only = self._sight.deployment.resource
        if only is None:
            if not cluster.resources:
                self._problems.warn("there are no resources", cluster.name)
            return cluster.resources.items()
        if only in cluster.resources:
            return [(only, cluster.resources[only])]
        meant = nearest(only, sorted(cluster.resources))
        self._problems.warn(f"resource {only} is not there" + (f"; is {meant} meant?" if meant else ""), cluster.name)
        return []

    def _resource(self, cluster: Cluster, name: str, resource: Any) -> Iterable[Output]:
        if not isinstance(resource, dict):
            raise InputError(
                f"resource {name} must be a map",
                why="it is empty, and no file below this one defines it" if resource is None else None,
                hint="Give it a `file`, an `svc`, or both.",
            )
        if resource.get("disable") is True:
            return []
        view = self._sight.view(cluster, name, resource)
        for warning in view.warnings:
            self._problems.warn(warning, cluster.name)
        outputs = []
        if truthy(resource.get("file")):
            outputs.append(self._output(cluster, name, view, text_of(resource["file"]), None))
        if truthy(resource.get("svc")):
            outputs.append(self._output(cluster, name, view, self._templates.service(), _service_name(name, resource)))
        return outputs

    def _output(self, cluster: Cluster, resource: str, view: View, file: str, name: str | None) -> Output:
        path = name or output_name(file)
        shown = self._templates.shown(file)
        inputs = tuple(dict.fromkeys((*cluster.inputs, shown, *view.inputs)))
        output = Output(path, b"", resource, shown, inputs, secrets=view.secrets)
        if file.endswith(COPIED) and name is None:
            return replace(output, content=self._templates.copy(file), copied=True, secrets=())
        template = self._templates.get(file)
        try:
            rendering = template.render(view.values)
        except KitError as error:
            error.why = without(view.secrets, error.why or "")
            raise
        if self._level != "off":
            for unset in rendering.unset:
                self._problems.unset(shown, unset, cluster.name, resource, view.values)
        return replace(output, content=rendering.text.encode("utf-8", "surrogatepass"))


def _service_name(resource: str, definition: Mapping[str, Any]) -> str:
    svc = definition["svc"]
    name = text_of(svc["name"]) if isinstance(svc, dict) and truthy(svc.get("name")) else ""
    if not is_file_name(name):
        raise InputError(
            f"svc of resource {resource} has no name that a file can have",
            why=f"it is {name!r}" if name else "svc.name is not set",
            hint="Write `svc: {name: …}`; the Service becomes <name>.yaml.",
        )
    return f"{name}{COPIED}"


def _refuse_twin(outputs: Mapping[str, Output], output: Output) -> None:
    twin = outputs.get(output.path)
    if twin is not None:
        same = twin.resource == output.resource
        who = f"resource {output.resource} twice" if same else f"resources {twin.resource} and {output.resource}"
        raise WorkError(
            f"{who} would write {output.path}",
            why=f"it is made from {twin.template} and from {output.template}",
            hint=_PATH_HINT,
        )
