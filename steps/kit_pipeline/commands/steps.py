# SPDX-License-Identifier: MIT
"""`kit-pipeline steps`: the pipeline, or its plan."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_pipeline.commands.common import pipeline_of, tell
from kit_pipeline.running.result import TaskResult
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
    )
    if settings.plan:
        from kit_pipeline.planning.showing import lines

        context.console.out("\n".join(lines(plan, project.services)))
        return 0

    def told(result: TaskResult) -> None:
        name = f"{result.number} {result.name}"
        if result.state == "passed":
            context.console.success(f"{name}: done in {result.seconds:.1f} s")
        elif result.state == "failed" and result.error is not None:
            context.console.error(result.error)
        elif result.state == "failed":
            context.console.error(f"{name}: failed with exit code {result.exit_code} after {result.seconds:.1f} s")
        else:
            context.console.info(f"{name}: {result.state}" + (f" ({result.reason})" if result.reason else ""))

    result = pipeline.run(plan, project, tell=told)
    counted = {
        state: sum(1 for task in result.tasks if task.state == state) for state in ("passed", "failed", "skipped")
    }
    context.console.result("failed" if result.exit_code else "passed", **counted)
    return result.exit_code
