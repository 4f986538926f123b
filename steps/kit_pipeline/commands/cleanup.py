# SPDX-License-Identifier: MIT
"""`kit-pipeline cleanup`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_pipeline.settings import PipelineSettings


def cleanup_command(_settings: PipelineSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Remove what runs that are over have left, and the images that runs have built.

    Runs that go on keep theirs. Of a run on another machine that uses the same engine nothing can be seen: it is taken
    to go on for a day.
    """
    from kit_pipeline.engine.cleanup import sweep_all
    from kit_pipeline.engine.connect import connect

    swept = sweep_all(connect(context.env))
    context.console.info(f"removed {swept}")
    if swept.kept:
        context.console.info(
            f"kept {swept.kept} things of runs that go on, or that began less than a day ago where nothing is known of"
            " them"
        )
    context.console.result("clean", **vars(swept))
    return 0
