# SPDX-License-Identifier: MIT
"""Where a push step's image goes."""

import re
from typing import Final

from kit_core.errors import InputError
from kit_pipeline.planning.plan import Task
from kit_pipeline.planning.values import RunValues
from kit_pipeline.template import fill

_NOT_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_TAG: Final = 128


def target(task: Task, values: RunValues) -> tuple[str, str]:
    """Repository and tag of a push step, filled in. Raises `InputError` for an empty tag or a template that is none."""
    push = task.step.push
    assert push is not None
    known = values.for_templates(step=task.name, service=task.service, image=push.image)
    where = f"{task.step.place}: {task.name}"
    repository = fill(push.image, known, name=f"{where}, image_name")
    tag = proper_tag(fill(push.tag, known, name=f"{where}, image_tag"))
    if not tag:
        raise InputError(
            f"The tag of {task.name} is empty", where=str(task.step.place), why=f"that is what {push.tag} gives"
        )
    return repository, tag


def proper_tag(text: str) -> str:
    """A tag of the letters that tags may have; others drop out (docs.docker.com/reference/cli/docker/image/tag)."""
    return _NOT_IN_TAGS.sub("", text).lstrip(".-")[:_LONGEST_TAG]
