# SPDX-License-Identifier: MIT
"""100 clusters of 50 resources with their Services, 10,000 files: with validation and without."""

from __future__ import annotations

from bench.deploymentizer.fleet import make_fleet
from bench.deploymentizer.step import quiet_folder, render_anew
from bench.measure import in_turns, median
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-deploymentizer: a whole fleet"
CLUSTERS, RESOURCES, ROUNDS = 100, 50, 5
ORIGINAL = 5.4
"""Seconds that the original took under Node 6 for as many files, on another machine of two cores."""


def run(stage: Stage) -> Section:
    """Wall and processor time of both, in memory and on disk, in turns."""
    cache = stage.folder()
    with quiet_folder() as folder:
        fleet = make_fleet(folder, clusters=CLUSTERS, resources=RESOURCES)
        disk = make_fleet(stage.folder(), clusters=CLUSTERS, resources=RESOURCES)
        sides = {
            f"{where}, validation {'off' if level == 'off' else 'on'}": (
                lambda _number, place=place, level=level: render_anew(place, cache, KIT_VALIDATE=level).run
            )
            for where, place in (("in memory", fleet), ("on disk", disk))
            for level in ("off", "error")
        }
        runs = in_turns(sides, ROUNDS)
    rows = [
        (
            name,
            f"{median([run.wall for run in found]):.2f} s",
            f"{min(run.wall for run in found):.2f} s",
            f"{median([run.cpu for run in found]):.2f} s",
        )
        for name, found in runs.items()
    ]
    off, on = [median([run.wall for run in found]) for found in runs.values()][:2]
    how = (
        f"{CLUSTERS} clusters, {RESOURCES} Deployments with Services each: {2 * CLUSTERS * RESOURCES:,} files into"
        f" an empty output; {ROUNDS} rounds in turns. The original under Node 6 took {ORIGINAL} s for as many on"
        " another machine of two cores."
    )
    return Section(
        [
            how,
            "",
            *table(["", "wall, median", "wall, min", "cpu, median"], rows),
        ],
        [
            Goal("in memory, validation off", off, ORIGINAL / 3, "s"),
            Goal("in memory, validation on", on, ORIGINAL, "s"),
        ],
    )
