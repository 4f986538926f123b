# SPDX-License-Identifier: MIT
"""A push step: the image of a service, under the name and tag that the step gives it."""

from kit_core.errors import InputError
from kit_pipeline.engine import images
from kit_pipeline.engine.images import proper_tag, pushed_to
from kit_pipeline.engine.logins import Logins
from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Task
from kit_pipeline.running.printing import Voice
from kit_pipeline.running.world import World
from kit_pipeline.template import fill


def push(world: World, task: Task, service: Service, image: str, logins: Logins | None, voice: Voice) -> None:
    """Push `image`. Raises `EngineError`; `InputError` where the name's or the tag's template gives nothing."""
    wanted = task.step.push
    assert wanted is not None
    known = world.values.for_templates(step=task.name, service=service.name, image=wanted.image)
    where = f"{task.step.place}: {task.name}"
    tag = proper_tag(fill(wanted.tag, known, name=f"{where}, image_tag"))
    if not tag:
        raise InputError(
            f"The tag of {task.name} is empty", where=str(task.step.place), why=f"that is what {wanted.tag} gives"
        )
    repository = pushed_to(fill(wanted.image, known, name=f"{where}, image_name"), wanted.registry)
    digest = images.push(world.client, image, repository, tag, address=wanted.registry, logins=logins, say=voice.line)
    voice.line(f"pushed {repository}:{tag}" + (f" as {digest}" if digest else ""))
