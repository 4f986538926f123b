# SPDX-License-Identifier: MIT
"""`kit-pipeline run SERVICE [COMMAND...]`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_pipeline.commands.common import pipeline_of, terminal_of
from kit_pipeline.settings import PipelineSettings


def run_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Run a service's container with what it needs; exit code 1 where its program's is not 0.

    On a terminal its program has the terminal. Else what it prints goes to standard output, and it is given no input.
    """
    terminal = terminal_of(context)
    result = pipeline_of(settings, context).run_service(
        arguments["SERVICE"],
        arguments["COMMAND"],
        terminal=None if terminal.why_not() else terminal,
        aloud=context.console.out,
    )
    if result.error is not None:
        raise result.error
    code = result.exit_code or 0
    context.console.result("failed" if code else "passed", exit_code=code)
    return 1 if code else 0
