# SPDX-License-Identifier: MIT
"""`kit-pipeline validate`: both files, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit_core.ci import detect
from kit_core.entry import Context
from kit_core.errors import InputError
from kit_pipeline.files.finding import Finding
from kit_pipeline.settings import PipelineSettings


def validate_command(settings: PipelineSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Print every finding as `file:line:column: level: what. hint`; exit code 2 where there is an error.

    A CI service that marks places in the code, and a log in JSON, get them as events instead.
    """
    from kit_pipeline.validation import validate

    folder = context.cwd / settings.dir
    if not folder.is_dir():
        raise InputError("There is no such folder", where=str(settings.dir), hint="--dir names the repository's.")

    def shown(path: Path) -> str:
        return str(path.relative_to(context.cwd)) if path.is_relative_to(context.cwd) else str(path)

    findings = validate(
        folder,
        services_path=settings.services_path,
        steps_path=settings.steps_path,
        ref=settings.tag,
        env=context.env,
        shown=shown,
    )
    events = settings.log_format == "json" or detect(context.env).dialect in {"github", "azure"}
    for finding in findings:
        if events:
            _tell(finding, context)
        else:
            context.console.out(str(finding))
    counted = {
        level: sum(1 for finding in findings if finding.level == level) for level in ("error", "warning", "note")
    }
    wrong = counted["error"] or (settings.strict and counted["warning"])
    facts = {f"{level}s": count for level, count in counted.items()}
    context.console.result("invalid" if wrong else "valid", **facts)
    return 2 if wrong else 0


def _tell(finding: Finding, context: Context) -> None:
    place = finding.place
    if finding.level == "error":
        context.console.error(
            InputError(finding.what, where=str(place), hint=finding.hint, file=place.name, line=place.line,
                       column=place.column)
        )  # fmt: skip
        return
    text = f"{place}: {finding.what}." + (f" {finding.hint}" if finding.hint else "")
    if finding.level == "warning":
        context.console.warning(text, file=place.name, line=place.line, column=place.column)
    else:
        context.console.info(f"note: {text}")
