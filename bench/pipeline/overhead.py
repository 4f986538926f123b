# SPDX-License-Identifier: MIT
"""A pipeline of short steps beside `docker run` of the same commands."""

from __future__ import annotations

import shutil
import time

from bench.measure import Run, in_turns, median, run_process
from bench.pipeline.files import PROGRAM, environment, short_steps
from bench.results import Goal, Section, table
from bench.stage import Stage
from testbed.baseimage import ensure_base

TITLE = "kit-pipeline: one step"
STEPS, ROUNDS, LIMIT = 5, 24, 0.3
COMMAND = "true"
OURS, PEER = "kit-pipeline steps", "docker run --rm"


def run(stage: Stage) -> Section:
    """Wall and processor time of a step each way, in turns; the difference is taken round by round."""
    image = ensure_base(stage.say)
    folder, cache = stage.folder(), stage.folder()
    env = environment(cache) | {"HOME": str(folder)}
    docker = [shutil.which("docker") or "docker", "run", "--rm", image, COMMAND]
    pipeline = short_steps(folder / "pipeline", image, COMMAND, STEPS)

    def ours(_round: int) -> Run:
        done = run_process([*PROGRAM, "steps", "--dir", str(pipeline)], env)
        if f"passed={STEPS}" not in done.output:
            raise RuntimeError(f"not all steps ran:\n{done.output}")
        return done

    def peer(_round: int) -> Run:
        began = time.perf_counter()
        runs = [run_process(docker, env) for _ in range(STEPS)]
        return Run(time.perf_counter() - began, sum(run.cpu for run in runs), "")

    # Who begins changes from round to round, so that neither always finds the engine as the other left it.
    sides = {OURS: ours, PEER: peer}
    first = in_turns(sides, ROUNDS // 2)
    second = in_turns(dict(reversed(sides.items())), ROUNDS // 2)
    runs = {name: first[name] + second[name] for name in sides}
    start = median([run_process([*PROGRAM, "--version"], env).wall for _ in range(5)])

    rows = [
        (name, *(f"{value / STEPS:.2f} s" for value in (median(walls), min(walls), max(walls))), f"{cpu / STEPS:.2f} s")
        for name, found in runs.items()
        for walls, cpu in [([run.wall for run in found], median([run.cpu for run in found]))]
    ]
    more = [(ours.wall - peer.wall) / STEPS for ours, peer in zip(runs[OURS], runs[PEER], strict=True)]
    how = (
        f"`{COMMAND}` {STEPS} times in containers of one image; {ROUNDS} rounds, who begins in turns, all times divided"
        f" by {STEPS}. kit-pipeline's hold its whole process ({start:.2f} s until it tells its version) and, for each"
        " step, a network of its own; processor time is that of the processes here, without the engine's."
    )
    return Section(
        [how, "", *table(["way", "a step, median", "min", "max", "cpu, median"], rows)],
        [Goal("a step's time beyond docker run's, median of the rounds' differences", median(more), LIMIT, "s")],
    )
