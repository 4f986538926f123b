# SPDX-License-Identifier: MIT
"""A pipeline of short steps beside `docker run` of the same commands."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable

from bench.measure import Run, in_turns, median, run_process
from bench.pipeline.files import PROGRAM, environment, short_steps
from bench.results import Goal, Section, table
from bench.stage import Stage
from testbed.baseimage import ensure_base

TITLE = "kit-pipeline: one step"
STEPS, ROUNDS, LIMIT = 10, 10, 0.3
COMMAND = "true"
OURS, ONE, PEER = "kit-pipeline steps", "the same with one step alone", "docker run --rm"


def run(stage: Stage) -> Section:
    """Wall and processor time of a step each way, in turns; the difference is taken round by round."""
    image = ensure_base(stage.say)
    folder, cache = stage.folder(), stage.folder()
    env = environment(cache) | {"HOME": str(folder)}
    docker = [shutil.which("docker") or "docker", "run", "--rm", image, COMMAND]

    def ours(steps: int) -> Callable[[int], Run]:
        pipeline = short_steps(folder / f"pipeline-{steps}", image, COMMAND, steps)

        def once(_round: int) -> Run:
            done = run_process([*PROGRAM, "steps", "--dir", str(pipeline)], env)
            if f"passed={steps}" not in done.output:
                raise RuntimeError(f"not all steps ran:\n{done.output}")
            return done

        return once

    def peer(_round: int) -> Run:
        began = time.perf_counter()
        runs = [run_process(docker, env) for _ in range(STEPS)]
        return Run(time.perf_counter() - began, sum(run.cpu for run in runs), "")

    # Who begins changes half way, so that neither always finds the engine as the other left it.
    sides = {OURS: ours(STEPS), PEER: peer, ONE: ours(1)}
    first = in_turns(sides, ROUNDS // 2)
    second = in_turns(dict(reversed(sides.items())), ROUNDS - ROUNDS // 2)
    runs = {name: first[name] + second[name] for name in sides}

    rows = []
    for name, found in runs.items():
        steps = 1 if name == ONE else STEPS
        walls = [run.wall / steps for run in found]
        cpu = median([run.cpu / steps for run in found])
        rows.append((name, *(f"{value:.2f} s" for value in (median(walls), min(walls), max(walls), cpu))))
    pairs = list(zip(runs[OURS], runs[PEER], strict=True))
    more = [(ours.wall - peer.wall) / STEPS for ours, peer in pairs]
    further = [(ours.wall - one.wall) / (STEPS - 1) for ours, one in zip(runs[OURS], runs[ONE], strict=True)]
    images = len(subprocess.run(["docker", "images", "-aq"], capture_output=True, check=True).stdout.split())
    how = (
        f"`{COMMAND}` {STEPS} times in containers of one image; {ROUNDS} rounds in turns, times divided by the steps."
        " kit-pipeline's hold its whole process, its clean-up, and the networks that steps are in; a run begins and"
        f" ends with asking the engine what is left of others, and this engine has {images:,} images. Another step in"
        f" the same run took {median(further):.2f} s. Processor time is that of the processes here, not the engine's."
    )
    return Section(
        [how, "", *table(["way", "a step, median", "min", "max", "cpu, median"], rows)],
        [Goal("a step's time beyond docker run's, median of the rounds' differences", median(more), LIMIT, "s")],
    )
