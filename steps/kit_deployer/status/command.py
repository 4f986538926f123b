# SPDX-License-Identifier: MIT
"""The program's `status`: from settings to what stands on standard output, and the exit code."""

from collections.abc import Mapping
from typing import Any

from kit_core.step import Context
from kit_deployer.settings import DeployerSettings
from kit_deployer.wiring import deployer_of, options_of


def status_command(settings: DeployerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Say how every cluster is; nothing is written."""
    import json

    from kit_deployer.status.model import DIFFERENT
    from kit_deployer.status.telling import document, text

    status = deployer_of(settings, context).status(options_of(settings))
    if settings.format == "json":
        context.console.out(json.dumps(document(status), indent=2, ensure_ascii=False))
    else:
        context.console.out(text(status))
    return status.exit_code or (DIFFERENT if status.deviates and settings.exit_code else 0)
