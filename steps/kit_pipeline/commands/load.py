# SPDX-License-Identifier: MIT
"""`kit-pipeline load SERVICE`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_pipeline.commands.common import pipeline_of
from kit_pipeline.settings import PipelineSettings


def load_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Build or pull a service's image."""
    image = pipeline_of(settings, context).load(arguments["SERVICE"])
    context.console.result("loaded", image=image)
    return 0
