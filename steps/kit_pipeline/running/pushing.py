# SPDX-License-Identifier: MIT
"""A push step: the image of a service, under the name and tag that the step gives it."""

from typing import Final

from kit_pipeline.engine import images
from kit_pipeline.engine.failures import EngineError
from kit_pipeline.engine.logins import Logins
from kit_pipeline.planning.plan import Task
from kit_pipeline.planning.pushing import target
from kit_pipeline.running.printing import Voice
from kit_pipeline.running.world import World

_TRIES: Final = 3
_PAUSE_SECONDS: Final = 2.0
_PASSING: Final = ("unexpected HTTP status: 5", "status: 429", "toomanyrequests")
"""How the engine words a registry's answer that another try may change."""


def push(world: World, task: Task, image: str, logins: Logins | None, voice: Voice) -> None:
    """Push `image`. Raises `EngineError`; `InputError` where the name's or the tag's template gives nothing.

    Pushes to one repository go one after the other: registries answer with 500 where two of them make the same blob at
    once. What a registry cannot do at the moment is tried again.
    """
    wanted = task.step.push
    assert wanted is not None
    repository, tag = target(task, world.values)
    voice.doing = f"pushing {repository}:{tag}"
    with world.turns.of(repository):
        for attempt in range(1, _TRIES + 1):
            try:
                digest = images.push(
                    world.client,
                    image,
                    repository,
                    tag,
                    address=wanted.registry,
                    logins=logins,
                    say=voice.line,
                    undo=world.undo,
                )
                break
            except EngineError as error:
                if attempt == _TRIES or not any(word in (error.why or "") for word in _PASSING):
                    raise
                voice.line(f"{error.why}; it is tried again")
                if world.stop.wait(_PAUSE_SECONDS * attempt):
                    raise
    voice.line(f"pushed {repository}:{tag}" + (f" as {digest}" if digest else ""))
