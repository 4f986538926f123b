# SPDX-License-Identifier: MIT
"""The Go templates in both files: whether they are any, and ask only for values that there are."""

from typing import Final

from kit_core.names import nearest
from kit_pipeline.files.reading import At
from kit_pipeline.template import TemplateError, fields_of

VALUES: Final = frozenset({
    "ProjectID", "BuildID", "RepoName", "Branch", "CommitID", "CommitMessage", "CommitDescription", "CommitterName",
    "CommitterEmail", "CommitterUsername", "Time", "Timestamp", "StringTime", "StepName", "ServiceName", "ImageName",
    "Ci", "CI", "CiName",
})  # fmt: skip
"""What a template may ask for."""


def check_template(text: str, at: At, *, key: str | None = None) -> None:
    """Report what is wrong with a text that a run fills in. It stands at `at`, or at its entry `key`."""
    if "{{" not in text:
        return
    try:
        asked = fields_of(text, name="")
    except TemplateError as error:
        at.say("error", f"the template {_short(text)} is wrong: {error.why}", error.hint, key=key)
        return
    for name in sorted(asked - VALUES):
        likely = next((known for known in VALUES if known.lower() == name.lower()), nearest(name, VALUES))
        hint = (
            f"Did you mean .{likely}?" if likely else f"There are {', '.join(f'.{known}' for known in sorted(VALUES))}."
        )
        at.say("error", f"the template {_short(text)} asks for .{name}, which there is not", hint, key=key)


def check_values(at: At) -> None:
    """The same of every value of a map, or item of a list."""
    if isinstance(at.value, dict):
        for key, value in at.value.items():
            if isinstance(value, str):
                check_template(value, at, key=key)
    elif isinstance(at.value, list):
        for item in at.items():
            if isinstance(item.value, str):
                check_template(item.value.partition("=")[2], item)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
