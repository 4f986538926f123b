# SPDX-License-Identifier: MIT
"""From a cluster's rendered files to its final plan: validated, checksummed, secrets located. Pure.

Reads each distinct text once; copied manifests are the same in a hundred clusters.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from kit_core.errors import InputError, KitError, WorkError
from kit_deploymentizer.checks.check import Finding, Rendered, read_rendered, secret_pointers
from kit_deploymentizer.checks.checksum import Checksums, annotate
from kit_deploymentizer.checks.manifest import Identity
from kit_deploymentizer.inputs.secret_values import without
from kit_deploymentizer.output.file import Output
from kit_deploymentizer.plan import ClusterPlan, Level
from kit_deploymentizer.problems import Problems

if TYPE_CHECKING:
    from kit_deploymentizer.checks.openapi import OpenApi

_MUSTACHE = ".mustache"


class Inspector:
    """`level` is VALIDATE; `lenient` that a Mustache template's malformed text only warns (see `_is_warning`). `api`
    is what objects are held against, where they are."""

    def __init__(
        self, problems: Problems, level: Level, *, lenient: bool, checksum: bool, api: "OpenApi | None" = None
    ) -> None:
        self._problems = problems
        self._level = level
        self._lenient = lenient
        self._checksum = checksum
        self._read = lru_cache(maxsize=512)(lambda content: read_rendered(content.decode("utf-8", "replace"), api))

    def inspect(self, plan: ClusterPlan) -> ClusterPlan:
        """The plan with checksums in its pod templates and pointers to its secrets; findings go into the problems."""
        if plan.same or not any(self._needed(output) for output in plan.outputs):
            return plan
        read = {output.path: self._read(output.content) for output in plan.outputs if self._needed(output)}
        if plan.rest and not plan.rest.holds({path: _objects(rendered) for path, rendered in read.items()}):
            plan = plan.written_out()  # others may hold the same objects
        if self._level != "off":
            seen: dict[tuple[str, ...], Output] = {}
            made = dict(plan.made)
            for output in plan.outputs:
                told = self._problems.count
                if output.kept and all(tuple(parts) not in seen for parts in output.objects):
                    seen.update((tuple(parts), output) for parts in output.objects)
                    continue
                self._report(plan.name, output, read.get(output.path), seen)
                if self._problems.count > told:  # to be told again next time
                    made.pop(output.resource, None)
            plan = replace(plan, made=made, key=plan.key if made.keys() == plan.made.keys() else None)
            if plan.rest and not plan.key:
                plan = plan.written_out()
        outputs = plan.outputs
        if self._checksum:
            outputs = self._with_checksums(plan.name, outputs, read)
        return replace(plan, outputs=tuple(_completed(output, read.get(output.path)) for output in outputs))

    def _needed(self, output: Output) -> bool:
        if output.kept:
            return False
        return self._level != "off" or self._checksum or bool(output.secrets)

    def _report(
        self, cluster: str, output: Output, rendered: Rendered | None, seen: dict[tuple[str, ...], Output]
    ) -> None:
        for finding in rendered.findings if rendered else ():
            self._problems.add(_error(cluster, output, finding), cluster, warning=self._is_warning(output, finding))
        for kind in rendered.unknown if rendered else ():
            self._problems.add(_unknown(kind), cluster, warning=True)
        there = rendered.identities if rendered else tuple((Identity(*parts), 1) for parts in output.objects)
        for identity, line in there:
            parts = (identity.group, identity.kind, identity.namespace, identity.name)
            twin = seen.get(parts)
            seen[parts] = output
            if twin is not None:
                what = f"{identity} is already in {twin.path} (resource {twin.resource})"
                error = _error(cluster, output, Finding(line, what, True))
                self._problems.add(error, cluster, warning=self._level == "warn")

    def _is_warning(self, output: Output, finding: Finding) -> bool:
        """The original wrote whatever a Mustache template made, and repositories live with it (a label that nobody
        deploys any more). So by default that warns, and the deployer refuses it; VALIDATE=error makes it an error."""
        lenient = self._lenient and output.template.endswith(_MUSTACHE)
        return self._level == "warn" or not (finding.asked or (finding.grave and not lenient))

    def _with_checksums(
        self, cluster: str, outputs: tuple[Output, ...], read: Mapping[str, Rendered]
    ) -> tuple[Output, ...]:
        checksums = Checksums(value for rendered in read.values() for value in rendered.objects)
        done = []
        for output in outputs:
            text = output.content.decode("utf-8", "replace")
            try:
                annotated = annotate(text, read[output.path].objects, checksums)
            except KitError as error:
                error.where, error.file = output.path, output.template
                self._problems.add(error, cluster)
                annotated = text
            done.append(output if annotated == text else replace(output, content=annotated.encode("utf-8")))
        return tuple(done)


def _unknown(kind: str) -> InputError:
    return InputError(
        f"the OpenAPI document does not know {kind}",
        why="what is of this kind is not checked by it",
        hint="A document of a cluster that has its definition does.",
    )


def _error(cluster: str, output: Output, finding: Finding) -> KitError:
    """About a line of a rendered file, which may not have been written yet: so the line itself is shown."""
    lines = output.content.decode("utf-8", "replace").splitlines()
    line = lines[finding.line - 1].strip() if 0 < finding.line <= len(lines) else ""
    line = without(output.secrets, line)
    return WorkError(
        without(output.secrets, finding.text),
        where=f"{cluster}/{output.path}:{finding.line}",
        why=f"the line is `{line}`" if line else None,
        hint=f"Correct {output.template} or the values it prints (resource {output.resource}).",
        file=output.template,
    )


def _completed(output: Output, rendered: Rendered | None) -> Output:
    """The output with what was found in it."""
    if rendered is None:
        return output
    pointers = tuple(secret_pointers(rendered.objects, output.secrets)) if output.secrets else ()
    return replace(output, pointers=pointers, objects=_objects(rendered))


def _objects(rendered: Rendered) -> tuple[tuple[str, ...], ...]:
    return tuple((one.group, one.kind, one.namespace, one.name) for one, _ in rendered.identities)
