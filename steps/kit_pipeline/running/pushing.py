# SPDX-License-Identifier: MIT
"""A push step: the image of a service, under the name and tag that the step gives it."""

from kit_pipeline.engine import images
from kit_pipeline.engine.logins import Logins
from kit_pipeline.planning.plan import Task
from kit_pipeline.planning.pushing import target
from kit_pipeline.running.printing import Voice
from kit_pipeline.running.world import World


def push(world: World, task: Task, image: str, logins: Logins | None, voice: Voice) -> None:
    """Push `image`. Raises `EngineError`; `InputError` where the name's or the tag's template gives nothing."""
    wanted = task.step.push
    assert wanted is not None
    repository, tag = target(task, world.values)
    voice.doing = f"pushing {repository}:{tag}"
    digest = images.push(
        world.client, image, repository, tag, address=wanted.registry, logins=logins, say=voice.line, undo=world.undo
    )
    voice.line(f"pushed {repository}:{tag}" + (f" as {digest}" if digest else ""))
