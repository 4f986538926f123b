# SPDX-License-Identifier: MIT
"""kit-pipeline: runs CodeShip's services and steps files on any machine with Docker.

`files` reads the two files and says what is wrong with them; a `project` is both, checked against each other.
`planning` makes of them what a run is going to do, with what the `repository` says of its commit. `running` does it, on
the `engine`. `template` fills in Go's templates, which both files may use. `sealing` encrypts what goes with them.
`settings` declares what can be set, `cli` is the program, `commands` what it does, `api` the library:

>>> from kit_pipeline import Pipeline
>>> pipeline = Pipeline("service")
>>> project = pipeline.project(tag="master")  # doctest: +SKIP
>>> result = pipeline.run(pipeline.plan(project, tag="master"), project)  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit_core.errors import InputError, KitError
    from kit_core.secrets import Secret
    from kit_pipeline.api import Pipeline
    from kit_pipeline.project import Project
    from kit_pipeline.running.result import RunResult, TaskResult

__all__ = ["InputError", "KitError", "Pipeline", "Project", "RunResult", "Secret", "TaskResult"]

_HOMES = {
    "InputError": "kit_core.errors",
    "KitError": "kit_core.errors",
    "Pipeline": "kit_pipeline.api",
    "Project": "kit_pipeline.project",
    "RunResult": "kit_pipeline.running.result",
    "Secret": "kit_core.secrets",
    "TaskResult": "kit_pipeline.running.result",
}


def __getattr__(name: str) -> Any:
    # Loaded at first use: the program's --help needs none of it.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
