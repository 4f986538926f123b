# SPDX-License-Identifier: MIT
"""`kit-pipeline cleanup`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_pipeline.settings import PipelineSettings


def cleanup_command(_settings: PipelineSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Remove what runs that are over have left, and the images that runs have built."""
    from kit_pipeline.engine.cleanup import lives, sweep_all
    from kit_pipeline.engine.connect import connect

    swept = sweep_all(connect(context.env), lives)
    context.console.info(f"removed {swept}")
    context.console.result("clean", **vars(swept))
    return 0
