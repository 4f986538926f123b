# SPDX-License-Identifier: MIT
"""Renders clusters one by one, and makes use of what an earlier run left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from kit_core.errors import InputError, KitError
from kit_core.keys import DecryptError
from kit_core.names import nearest
from kit_deploymentizer.inputs.reading import placed
from kit_deploymentizer.inputs.repository import Cluster, Repository, is_file_name
from kit_deploymentizer.inputs.secret_values import without
from kit_deploymentizer.output.file import Output
from kit_deploymentizer.plan import ClusterPlan, Level
from kit_deploymentizer.problems import Problems
from kit_deploymentizer.rendering.javascript import text_of, truthy
from kit_deploymentizer.rendering.templates import COPIED, Templates, output_name
from kit_deploymentizer.rendering.view import Sight, View

if TYPE_CHECKING:
    from kit_deploymentizer.output.rest import Rest

_PATH_HINT: Final = "Give one of them another name, or another `file`."


class Reuse(Protocol):
    """Knows what an earlier run made (`reuse`)."""

    def rest(self, cluster: Cluster) -> "Rest | None":
        """What of the cluster stays as it is, where that can be told without looking at each resource."""

    def kept(self, cluster: Cluster, wanted: Mapping[str, Any]) -> Mapping[str, tuple[str, tuple[Output, ...]]]:
        """By resource, what it is made from and its files, of those that are as a render would make them."""

    def key(self, cluster: Cluster) -> str:
        """What all resources of the cluster are made from."""

    def digests(self, files: Iterable[str]) -> Mapping[str, str]:
        """What files held when they were read."""

    def is_all(self, cluster: str, files: int, made: Mapping[str, str]) -> bool:
        """Whether the earlier run said of the cluster that there are so many files, made from this."""


class Planner:
    """Renders clusters one by one. `level` is VALIDATE's, here for names that nothing sets.

    `reuse` finds what need not be rendered again; without it everything is.
    """

    def __init__(
        self, repository: Repository, sight: Sight, problems: Problems, level: Level, reuse: "Reuse | None" = None
    ) -> None:
        self._repository = repository
        self._sight = sight
        self._problems = problems
        self._level = level
        self._reuse = reuse
        reader = repository.reader
        self._templates = Templates(repository.paths.resources, reader.shown, reader.digests, reader.boundary)

    def plan(self, cluster: Cluster) -> ClusterPlan:
        """Render everything of `cluster` that this run is about; what goes wrong goes into the problems."""
        tried: dict[str, _Tried] = {}
        plan = self._beside(cluster, tried)
        if plan is not None:
            return plan
        outputs: dict[str, Output] = {}
        left_out: list[str] = []
        made: dict[str, str] = {}
        found: Sequence[Output]
        wanted = dict(self._wanted(cluster))
        kept = self._reuse.kept(cluster, wanted) if self._reuse else {}
        for name, resource in wanted.items():
            try:
                if name in kept:
                    made[name], found = kept[name]
                else:
                    one = tried.get(name) or self._tried(cluster, name, resource)
                    found = one.outputs(made)
                for output in found:
                    _refuse_twin(outputs, output)
                    outputs[output.path] = output
            except KitError as error:
                placed(error, cluster.layers.place("resources", name))
                fatal = isinstance(error, DecryptError)  # nobody may overlook a key that does not fit
                self._problems.add(error, cluster.name, warning=cluster.allow_failure and not fatal)
                left_out.append(name)
                made.pop(name, None)
                for path in [path for path, output in outputs.items() if output.resource == name]:
                    del outputs[path]
        files = tuple(outputs[path] for path in sorted(outputs))
        whole = not left_out and all(output.kept for output in files)
        same = whole and self._reuse is not None and self._reuse.is_all(cluster.name, len(files), made)
        extra = {file for output in files for file in output.inputs[len(cluster.inputs) :]} if made else ()
        silent = {name for name, one in wanted.items() if isinstance(one, dict) and one.get("disable") is True}
        again = self._reuse is not None and made.keys() | silent == wanted.keys()
        return ClusterPlan(
            name=cluster.name,
            outputs=files,
            left_out=tuple(left_out),
            placeholders=self._sight.placeholders,
            inputs=cluster.inputs,
            made=made,
            digests=self._reuse.digests(sorted(extra)) if self._reuse else {},
            same=same,
            key=self._reuse.key(cluster) if self._reuse and again and made else None,
        )

    def _beside(self, cluster: Cluster, tried: "dict[str, _Tried]") -> ClusterPlan | None:
        """The plan where all stays but what is made from files that changed, and that makes the same files from the
        same ones; None else, with what was rendered in `tried`."""
        limited = self._sight.deployment.resource is not None
        rest = self._reuse.rest(cluster) if self._reuse and not limited else None
        if rest is None:
            return None
        told = self._problems.count
        for name in [name for name in cluster.resources if name in rest.dirty]:
            tried[name] = self._tried(cluster, name, cluster.resources[name])
        outputs = {output.path: output for one in tried.values() for output in one.found}
        made = {name: one.made for name, one in tried.items() if one.made is not None}
        if self._problems.count != told or made.keys() != rest.dirty or not rest.fits(outputs, len(cluster.inputs)):
            return None
        return ClusterPlan(
            name=cluster.name,
            outputs=tuple(outputs[path] for path in sorted(outputs)),
            left_out=(),
            placeholders=self._sight.placeholders,
            inputs=cluster.inputs,
            made=made,
            digests=rest.digests,
            key=rest.key,
            rest=rest,
        )

    def _tried(self, cluster: Cluster, name: str, resource: Any) -> "_Tried":
        """The resource rendered, or what went wrong."""
        made: dict[str, str] = {}
        try:
            found = self._rendered(cluster, name, resource, made)
        except KitError as error:
            return _Tried(name, error=error)
        return _Tried(name, tuple(found), made.get(name))

    def _rendered(self, cluster: Cluster, name: str, resource: Any, made: dict[str, str]) -> Sequence[Output]:
        """The resource's files, rendered now. What they are made from goes into `made` where that is all there is to
        know: nothing came from outside the repository, and there is nothing to tell again next time."""
        told = self._problems.count
        outputs, lasting = self._resource(cluster, name, resource)
        if self._reuse and outputs and lasting and self._problems.count == told:
            made[name] = self._reuse.key(cluster)
        return outputs

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

    def _resource(self, cluster: Cluster, name: str, resource: Any) -> tuple[Sequence[Output], bool]:
        """Its files, and whether all that they hold is in the repository, with nothing to tell of the files that are
        read for it alone."""
        if not isinstance(resource, dict):
            raise InputError(
                f"resource {name} must be a map",
                why="it is empty, and no file below this one defines it" if resource is None else None,
                hint="Give it a `file`, an `svc`, or both.",
            )
        if resource.get("disable") is True:
            return [], True
        view = self._sight.view(cluster, name, resource)
        for warning in view.warnings:
            self._problems.warn(warning, cluster.name)
        outputs = []
        if truthy(resource.get("file")):
            outputs.append(self._output(cluster, name, view, text_of(resource["file"]), None))
        if truthy(resource.get("svc")):
            outputs.append(self._output(cluster, name, view, self._templates.service(), _service_name(name, resource)))
        told = self._level != "off" and not self._repository.reader.with_duplicates.isdisjoint(view.inputs)
        return outputs, not told and self._sight.source is None and len(view.secrets) == len(cluster.secrets)

    def _output(self, cluster: Cluster, resource: str, view: View, file: str, name: str | None) -> Output:
        path = name or output_name(file)
        shown = self._templates.shown(file)
        if file.endswith(COPIED) and name is None:
            inputs = (*cluster.inputs, *dict.fromkeys((shown, *view.inputs)))
            return Output(path, self._templates.copy(file), resource, shown, inputs)
        template = self._templates.get(file)
        try:
            rendering = template.render(view.values)
        except KitError as error:
            error.what = f"{error.what} for resource {resource}"
            error.why = without(view.secrets, error.why or "")
            raise
        if self._level != "off":
            for remark in rendering.remarks:
                self._problems.remark(shown, remark, cluster.name, resource, view.values)
        inputs = (*cluster.inputs, *dict.fromkeys((shown, *view.inputs, *rendering.inputs)))
        content = rendering.text.encode("utf-8", "surrogatepass")
        return Output(path, content, resource, shown, inputs, view.secrets)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of rendering a resource: its files and what they are made from (`Planner._rendered`), or an error."""

    name: str
    found: tuple[Output, ...] = ()
    made: str | None = None
    error: KitError | None = None

    def outputs(self, made: dict[str, str]) -> tuple[Output, ...]:
        """The files, noted in `made`. Raises the error."""
        if self.error is not None:
            raise self.error
        if self.made is not None:
            made[self.name] = self.made
        return self.found


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
        raise InputError(
            f"{who} would write {output.path}",
            why=f"it is made from {twin.template} and from {output.template}",
            hint=_PATH_HINT,
        )
