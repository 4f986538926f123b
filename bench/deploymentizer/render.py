# SPDX-License-Identifier: MIT
"""100 clusters of 50 resources with their Services, 10,000 files: with validation and without, and beside it helm and
kustomize with equal content.
"""

from __future__ import annotations

from pathlib import Path

from bench.deploymentizer.fleet import make_fleet
from bench.deploymentizer.peers import helm_template, kustomize_build, make_chart, make_overlays, objects_in
from bench.deploymentizer.step import quiet_folder, render_anew
from bench.measure import Run, in_turns, median
from bench.peers import programs
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-deploymentizer: a whole fleet"
CLUSTERS, RESOURCES, ROUNDS, COMPARED = 100, 50, 5, 10
ORIGINAL = 5.4
"""Seconds that the original took under Node 6 for as many files, on another machine of two cores."""
OFF, ON = "in memory, validation off", "in memory, validation on"
HELM, KUSTOMIZE = "helm template, a process a cluster", "kustomize build, a process a cluster"


def run(stage: Stage) -> Section:
    """Wall and processor time of all, in memory and on disk, in turns."""
    cache, peers = stage.folder(), programs(stage.folder(), stage.say)
    with quiet_folder() as folder:
        size = {"clusters": CLUSTERS, "resources": RESOURCES}
        fleet, disk = make_fleet(folder / "fleet", **size), make_fleet(stage.folder(), **size)
        chart, overlays = make_chart(folder / "chart", **size), make_overlays(folder / "overlays", **size)
        sides = {
            name: (lambda _number, place=place, level=level: render_anew(place, cache, KIT_VALIDATE=level).run)
            for name, place, level in (
                (OFF, fleet, "off"),
                (ON, fleet, "error"),
                ("on disk, validation off", disk, "off"),
                ("on disk, validation on", disk, "error"),
            )
        }
        helm = {HELM: lambda _number: helm_template(peers, chart, CLUSTERS, folder / "helm")}
        runs = in_turns({**sides, **helm}, ROUNDS)
        stage.say("kustomize, once: a minute and more")
        slow = {KUSTOMIZE: lambda _number: kustomize_build(peers, overlays, CLUSTERS, folder / "kustomize")}
        runs |= in_turns(slow, 1, warm_up=0)
        _compare(folder)
    return _section(runs)


def _section(runs: dict[str, list[Run]]) -> Section:
    rows = [
        (
            name,
            f"{median([run.wall for run in found]):.2f} s",
            f"{min(run.wall for run in found):.2f} s",
            f"{median([run.cpu for run in found]):.2f} s",
        )
        for name, found in runs.items()
    ]
    wall = {name: median([run.wall for run in found]) for name, found in runs.items()}
    how = (
        f"{CLUSTERS} clusters, {RESOURCES} Deployments with Services each: {2 * CLUSTERS * RESOURCES:,} objects, of"
        f" kit a file each into an empty output; {ROUNDS} rounds in turns, of kustomize one. helm and kustomize render"
        f" in memory, a file a cluster; of {COMPARED} clusters all objects are equal to kit's (else the bench fails)."
        f" The original under Node 6 took {ORIGINAL} s for as many on another machine of two cores."
    )
    return Section(
        [
            how,
            "",
            *table(["", "wall, median", "wall, min", "cpu, median"], rows),
        ],
        [
            Goal(OFF, wall[OFF], ORIGINAL / 3, "s"),
            Goal(ON, wall[ON], ORIGINAL, "s"),
            Goal(f"{ON}, as a share of helm template", wall[ON] / wall[HELM], 1),
            Goal(f"{ON}, as a share of kustomize build", wall[ON] / wall[KUSTOMIZE], 1),
        ],
    )


def _compare(folder: Path) -> None:
    """Raises `RuntimeError` where the three did not make the same objects."""
    for number in range(COMPARED):
        name = f"c{number:04}"
        ours = objects_in(*(folder / f"fleet/generated/{name}").glob("*.yaml"))
        for peer in ("helm", "kustomize"):
            if objects_in(folder / f"{peer}/{name}.yaml") != ours or len(ours) != 2 * RESOURCES:
                raise RuntimeError(f"{peer} made other objects of cluster {name} than kit")
