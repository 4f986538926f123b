# SPDX-License-Identifier: MIT
"""How time and memory grow with the number of clusters."""

from __future__ import annotations

from bench.deploymentizer.fleet import make_fleet
from bench.deploymentizer.step import quiet_folder, render_anew
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-deploymentizer: growth"
SIZES, RESOURCES, ROUNDS = (10, 100, 1_000), 50, 2
LIMIT = 300.0


def run(stage: Stage) -> Section:
    """The least time and the highest peak of each size, validation on."""
    cache = stage.folder()
    rows, seconds, peaks = [], {}, {}
    for clusters in SIZES:
        stage.say(f"{clusters:,} clusters")
        with quiet_folder() as folder:
            fleet = make_fleet(folder, clusters=clusters, resources=RESOURCES)
            found = [render_anew(fleet, cache) for _ in range(ROUNDS + 1)][1:]
        seconds[clusters] = min(one.run.cpu for one in found)
        peaks[clusters] = max(one.peak for one in found)
        rows.append(
            (
                f"{clusters:,}",
                f"{found[0].written:,}",
                f"{min(one.run.wall for one in found):.2f} s",
                f"{seconds[clusters]:.2f} s",
                f"{1000 * seconds[clusters] / found[0].written:.2f} ms",
                f"{peaks[clusters]:.0f} MiB",
            )
        )
    how = (
        f"{RESOURCES} Deployments with Services a cluster, in memory, validation on, into an empty output; the least of"
        f" {ROUNDS} runs."
    )
    return Section(
        [
            how,
            "",
            *table(["clusters", "files", "wall", "cpu", "cpu a file", "peak"], rows),
        ],
        [
            Goal("peak memory of the largest", peaks[SIZES[-1]], LIMIT, "MiB"),
            Goal("processor time, 1,000 clusters as a multiple of 100", seconds[1_000] / seconds[100], 11),
        ],
    )
