# SPDX-License-Identifier: MIT
"""`kit-pipeline steps`: the pipeline, or its plan."""

import json
from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_core.render import harmless
from kit_pipeline.commands.common import local, pipeline_of, tell
from kit_pipeline.planning.choosing import OTHERS
from kit_pipeline.planning.plan import Group
from kit_pipeline.planning.values import RunValues
from kit_pipeline.project import Project
from kit_pipeline.running.telling import Telling
from kit_pipeline.settings import PipelineSettings


def steps_command(settings: PipelineSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Run the steps, or show with `--plan` what would be done."""
    pipeline = pipeline_of(settings, context)
    project = pipeline.project(tag=settings.tag)
    tell(project.findings, context)
    plan = pipeline.plan(
        project,
        tag=settings.tag,
        push=settings.push,
        approve=settings.approve,
        only=settings.only,
        start=settings.start,
        skip=settings.skip,
        local=local(settings, context),
    )
    values = pipeline.values
    if settings.plan:
        _show(plan, project, values, settings, context)
        return 0
    _warn(settings, plan, context)
    telling = Telling(context.console, pipeline.printer, plan, project.services, values)
    with telling.running():
        result = pipeline.run(plan, project, audience=telling)
    counted = {
        state: sum(1 for task in result.tasks if task.state == state and not task.after_failure)
        for state in ("passed", "failed", "skipped")
    }
    context.console.result(result.word, **counted)
    return result.exit_code


def _show(plan: Group, project: Project, values: RunValues, settings: PipelineSettings, context: Context) -> None:
    """The plan on standard output; as JSON where the log is."""
    from kit_pipeline.planning.showing import document, lines

    if settings.log_format == "json":
        context.console.out(json.dumps(document(plan, project.services, values), indent=2, ensure_ascii=False))
    else:
        context.console.out("\n".join(harmless(line) for line in lines(plan, project.services, values)))


def _warn(settings: PipelineSettings, plan: Group, context: Context) -> None:
    """A step that was asked for by name and is not done would look like one that went well."""
    tasks = list(plan.tasks())
    if settings.only and tasks and all(task.skipped for task in tasks):
        reasons = dict.fromkeys(task.skipped for task in tasks if task.skipped != OTHERS)
        context.console.warning("nothing is run: " + "; ".join(f"{reason}" for reason in reasons))
