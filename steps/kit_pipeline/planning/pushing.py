# SPDX-License-Identifier: MIT
"""Where a push step's image goes."""

from kit_core.errors import InputError
from kit_pipeline.planning.plan import Task
from kit_pipeline.planning.values import RunValues
from kit_pipeline.references import proper_tag, pushed_to
from kit_pipeline.template import fill


def target(task: Task, values: RunValues) -> tuple[str, str]:
    """Repository and tag of a push step, filled in. Raises `InputError` for an empty tag or a template that is none."""
    push = task.step.push
    assert push is not None
    known = values.for_templates(step=task.name, service=task.service, image=push.image)
    where = f"{task.step.place}: {task.name}"
    repository = pushed_to(fill(push.image, known, name=f"{where}, image_name"), push.registry)
    tag = proper_tag(fill(push.tag, known, name=f"{where}, image_tag"))
    if not tag:
        raise InputError(
            f"The tag of {task.name} is empty", where=str(task.step.place), why=f"that is what {push.tag} gives"
        )
    return repository, tag
