# SPDX-License-Identifier: MIT
"""1,000 clusters of 50 resources, with the output of an earlier commit in place: one image changed, and nothing."""

from __future__ import annotations

from pathlib import Path

from bench.deploymentizer.fleet import commit, make_fleet, set_image
from bench.deploymentizer.step import Rendered, quiet_folder, render, render_anew
from bench.measure import median
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-deploymentizer: one change"
CLUSTERS, RESOURCES, ROUNDS = 1_000, 50, 3
FULL, AGAIN, IMAGE, SAME = "into an empty output", "everything again", "one image changed", "nothing but the commit"


def run(stage: Stage) -> Section:
    """Wall and processor time of each kind of run, in turns."""
    cache = stage.folder()
    runs: dict[str, list[Rendered]] = {FULL: [], AGAIN: [], IMAGE: [], SAME: []}
    with quiet_folder() as folder:
        fleet = make_fleet(folder, clusters=CLUSTERS, resources=RESOURCES)
        for number in range(ROUNDS):
            stage.say(f"round {number + 1} of {ROUNDS}")
            runs[FULL].append(render_anew(fleet, cache))
            _another_image(fleet, 2 * number + 2)
            runs[IMAGE].append(render(fleet, cache))
            commit(fleet, 100 + number)
            runs[SAME].append(render(fleet, cache))
            _another_image(fleet, 2 * number + 3)
            runs[AGAIN].append(render(fleet, cache, KIT_INCREMENTAL="false"))
    rows = [
        (
            name,
            f"{found[0].written:,}",
            f"{median([one.run.wall for one in found]):.2f} s",
            f"{median([one.run.cpu for one in found]):.2f} s",
        )
        for name, found in runs.items()
    ]

    pairs = list(zip(runs[IMAGE], runs[FULL], strict=True))
    cpu = median([one.run.cpu / full.run.cpu for one, full in pairs])
    wall = median([one.run.wall / full.run.wall for one, full in pairs])

    how = (
        f"{CLUSTERS:,} clusters, {RESOURCES} Deployments with Services each, in memory, validation on; the image is"
        f" that of one service in half of the clusters; {ROUNDS} rounds, medians."
    )
    return Section(
        [
            how,
            "",
            *table(["run", "files written", "wall", "cpu"], rows),
        ],
        [
            Goal("processor time with one image changed, as a share of the full run", cpu, 0.1),
            Goal("wall time with one image changed, as a share of the full run", wall, 0.1),
        ],
    )


def _another_image(fleet: Path, build: int) -> None:
    set_image(fleet, "app7", build)
    commit(fleet, build)
