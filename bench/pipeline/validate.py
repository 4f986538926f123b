# SPDX-License-Identifier: MIT
"""`kit-pipeline validate` on a file of five hundred steps."""

from __future__ import annotations

import re
import sys

from bench.measure import Run, in_turns, median, run_process
from bench.pipeline.files import PROGRAM, environment, many_steps
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-pipeline: validate"
STEPS, ROUNDS, LIMIT = 500, 30, 0.5
OURS, PEER = "kit-pipeline validate", "Python, PyYAML's C loader on both files"
_PARSE = "import sys, yaml; [yaml.load(open(path), yaml.CSafeLoader) for path in sys.argv[1:]]"


def run(stage: Stage) -> Section:
    """Wall and processor time of whole processes, in turns with a process that only parses."""
    cache = stage.folder()
    pipeline = many_steps(stage.folder() / "pipeline", STEPS)
    files = [pipeline / "codeship-services.yml", pipeline / "codeship-steps.yml"]
    steps = len(re.findall(r"^ *- (?:name|type):", files[1].read_text(), re.MULTILINE))
    if steps != STEPS:
        raise RuntimeError(f"the file has {steps} steps")
    env = environment(cache)

    def ours(_round: int) -> Run:
        return run_process([*PROGRAM, "validate", "--dir", str(pipeline)], env)

    def peer(_round: int) -> Run:
        return run_process([sys.executable, "-c", _PARSE, *map(str, files)], env)

    runs = in_turns({OURS: ours, PEER: peer}, ROUNDS)
    rows = [
        (name, *(f"{value:.2f} s" for value in (median(walls), min(walls), max(walls))), f"{cpu:.2f} s")
        for name, found in runs.items()
        for walls, cpu in [([run.wall for run in found], median([run.cpu for run in found]))]
    ]
    lines = sum(len(file.read_text().splitlines()) for file in files)
    how = (
        f"{STEPS} steps in groups of groups, with tags, pushes and templates, and {STEPS // 10 + 1} services: {lines:,}"
        f" lines; {ROUNDS} rounds in turns, each from the start of the process to its end."
    )
    return Section(
        [how, "", *table(["way", "wall, median", "min", "max", "cpu, median"], rows)],
        [Goal("wall time, median", median([run.wall for run in runs[OURS]]), LIMIT, "s")],
    )
